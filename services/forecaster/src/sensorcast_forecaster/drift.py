"""Steady drift over the usual cycle: what a failing compressor does, and no past of its own has shown.

Members that learn from a series' own past call every rise a door opening, because every rise so far was one. Here the
recent past is compared with that of the same series twice: as it is, and with a steady drift of some rate and age taken
out of it. Where it resembles nothing as it is, but resembles the usual cycle once a drift is taken out, and does so far
more clearly than it ever did in healthy times, the drift is believed, and goes on in the forecast.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from sensorcast_forecaster.models import Origins, embed, lags_for, squared_distances
from sensorcast_forecaster.window import Values

_RATES: Final = np.array([1.0, 1.5, 2.0, 3.0, 4.5, 6.0])
"""Change per horizon, in units of half the distance between the series' 0.1 and 0.9 quantiles."""

_AGES: Final = np.array([0.5, 0.75, 1.0, 1.5, 2.0])
"""How long ago the drift began, in horizons. Younger ones cannot be told from a door that has just been opened."""

_MIN_AGE_STEPS: Final = 4

_NEIGHBOURS: Final = 6
_THINNING: Final = 3
"""Every third past moment will do: its neighbours look much the same."""

_KEPT: Final = 4
"""Drifts that the forecast is made of."""

_MIN_ORIGINS: Final = 24
_MIN_LIBRARY: Final = 60
_BELIEF_EXPONENT: Final = 3
_BELIEF_HALF: Final = 0.35
"""How clear a drift must be, relative to the clearest that was none, to be believed by half."""

_SECOND_LOOK: Final = 4
"""A drift must have shown a quarter of a horizon ago too: a defrost with an open door rises as steadily, but ends."""

_UNEXPLAINED_EXPONENT: Final = 1.5
"""How fast belief falls with the strangeness that remains once the drift is taken out: an event that is new altogether,
such as the first defrost, looks like no cycle either way."""


@dataclass(frozen=True, slots=True, eq=False)
class Drift:
    """A steady drift, if there is one.

    Attributes:
        belief: Probability that there is one, from 0 to 1.
        paths: What the series does next if so, shape (drifts, horizon).
        weights: Of each path, summing to 1.
    """

    belief: float
    paths: Values
    weights: Values


def detect_drift(values: Values, *, origins: Origins, horizon: int) -> Drift | None:
    """Look for a drift that is going on at the latest value.

    Args:
        values: A series on a regular grid.
        origins: Past moments that tell how clear a drift looks when there is none; each uses only what came before it.
        horizon: Steps ahead.

    Returns:
        The drift, or `None` where the past is too short, has a gap lately, or is constant.
    """
    spread = float(np.subtract(*np.nanquantile(values, [0.9, 0.1]))) / 2
    if spread <= 0:
        return None
    past = _Past.of(values, horizon=horizon, spread=spread)
    now, before = (past.compare(len(values) - 1 - back) for back in (0, max(1, horizon // _SECOND_LOOK)))
    misled = [clarity for origin in origins if (clarity := past.misled(int(origin))) is not None]
    if now is None or before is None or len(misled) < _MIN_ORIGINS:
        return None
    strange = _strangeness(now)
    usual = max(*misled, 1e-3 * spread**2)
    odds = float(np.sqrt(_odds(strange, usual) * _odds(_strangeness(before), usual)))
    kept = 1 + np.argsort(strange[1:])[:_KEPT]
    weights = np.exp(-(strange[kept] - strange[kept].min()) / usual)
    return Drift(
        belief=odds / (1 + odds),
        paths=values[-1] + past.continued(now, kept),
        weights=weights / weights.sum(),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Past:
    """The moments that a moment is compared with.

    Attributes:
        values: The series.
        horizon: Steps ahead.
        lags: Where a moment is looked at.
        rows: Index of each moment that can be compared with.
        points: Each as `embed` makes it.
        futures: The change that followed each.
        rates: Change per step of each hypothesis; the first is no drift.
        removed: What each hypothesis adds to the value at each lag.
    """

    values: Values
    horizon: int
    lags: Origins
    rows: Origins
    points: Values
    futures: Values
    rates: Values
    removed: Values

    @classmethod
    def of(cls, values: Values, *, horizon: int, spread: float) -> "_Past":
        lags = lags_for(horizon)
        rates, removed = _hypotheses(spread, lags, horizon)
        rows = np.arange(lags[-1], max(lags[-1], len(values) - horizon), _THINNING)
        past = values[rows[:, None] - lags]
        futures = values[rows[:, None] + np.arange(1, horizon + 1)] - past[:, :1]
        known = np.isfinite(past).all(axis=1) & np.isfinite(futures).all(axis=1)
        return cls(
            values=values,
            horizon=horizon,
            lags=lags,
            rows=rows[known],
            points=embed(past[known], lags),
            futures=futures[known],
            rates=rates,
            removed=removed,
        )

    def compare(self, origin: int) -> Values | None:
        """Distances to what came before, per hypothesis, shape (1 + drifts, moments); `None` if it cannot be said."""
        if origin < self.lags[-1]:
            return None
        asked = self.values[origin - self.lags]
        earlier = int(np.searchsorted(self.rows, origin - self.horizon, side="right"))
        if earlier < _MIN_LIBRARY or not np.isfinite(asked).all():
            return None
        return squared_distances(embed(asked - self.removed, self.lags), self.points[:earlier])

    def continued(self, distances: Values, hypotheses: Origins) -> Values:
        """Changes that follow if a hypothesis holds: the cycle goes on, and so does the drift."""
        nearest = np.argpartition(distances[hypotheses], _NEIGHBOURS, axis=1)[:, :_NEIGHBOURS]
        cycle = np.median(self.futures[nearest], axis=1)
        paths: Values = cycle + self.rates[hypotheses, None] * np.arange(1, self.horizon + 1)
        return paths

    def misled(self, origin: int) -> float | None:
        """How clear a drift looked at a past moment that had none, less where believing it would have harmed less."""
        distances = self.compare(origin)
        if distances is None:
            return None
        strange = _strangeness(distances)
        best = int(strange.argmin())
        came = self.values[origin + 1 : origin + 1 + self.horizon] - self.values[origin]
        without, with_drift = np.abs(self.continued(distances, np.array([0, best])) - came).mean(axis=1)
        return _clarity(strange) * max(0.0, 1 - float(without) / float(with_drift)) if with_drift > 0 else 0.0


def _hypotheses(spread: float, lags: Origins, horizon: int) -> tuple[Values, Values]:
    """Rates per step, shape (1 + drifts,), and what each adds to the value at each lag; the first is no drift."""
    up = _RATES * spread / horizon
    ages = _AGES * horizon
    rates, ages = (grid.ravel() for grid in np.meshgrid(np.concatenate([up, -up]), ages[ages >= _MIN_AGE_STEPS]))
    rates, ages = np.append(0.0, rates), np.append(0.0, ages)
    return rates, rates[:, None] * np.maximum(0.0, ages[:, None] - lags)


def _strangeness(distances: Values) -> Values:
    """Mean distance to the nearest moments, per hypothesis."""
    nearest: Values = np.partition(distances, _NEIGHBOURS, axis=1)[:, :_NEIGHBOURS].mean(axis=1)
    return nearest


def _clarity(strange: Values) -> float:
    """By how much the best drift makes the moment less strange; at least 0, as no drift is among the hypotheses."""
    return float(strange[0] - strange.min())


def _odds(strange: Values, usual: float) -> float:
    """Of there being a drift at a moment, given how clear the clearest was that was none."""
    clarity = _clarity(strange)
    if clarity <= 0:
        return 0.0
    explained = clarity / float(strange[0])
    return float((clarity / usual * explained**_UNEXPLAINED_EXPONENT / _BELIEF_HALF) ** _BELIEF_EXPONENT)
