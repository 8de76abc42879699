"""What a series is forecast by: a mean of last value, its own blend and the boosted model, as they validated."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from sensorcast_forecaster.boosting.blend import Said, adapted, around, futures, stack
from sensorcast_forecaster.boosting.booster import LEVELS, QuantileBooster
from sensorcast_forecaster.boosting.member import not_learnt, said_by
from sensorcast_forecaster.conformal import PathEnsemble, calibrated
from sensorcast_forecaster.rolling import LAST, Validated
from sensorcast_forecaster.window import SeriesWindow, Values

BOOSTED: Final = "boosted"
_BLEND: Final = "blend"

_USUAL: Final = {
    (True, True): {BOOSTED: 0.7, _BLEND: 0.3},
    (True, False): {BOOSTED: 0.7, LAST: 0.3},
    (False, True): {_BLEND: 0.8, LAST: 0.2},
}
"""Weights in doubt, with and without a boosted model, and with and without an own blend that beats last value."""

_MIN_CHANGES: Final = 12


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """What the series is forecast by.

    Attributes:
        members: That take part.
        ensemble: The futures that they make.
    """

    members: tuple[str, ...]
    ensemble: PathEnsemble


def choose_members(window: SeriesWindow, own: Validated, booster: QuantileBooster | None = None) -> Chosen:
    """Take the mean of last value, the series' own blend and the boosted model that did best at past origins.

    Last value alone is taken where no mean has been better than it.

    Args:
        window: The series.
        own: Its own blend.
        booster: The model that serves it, if there is one.
    """
    values, horizon = window.values, len(own.path)
    floor = last_value_ensemble(values, horizon)
    boosted = None if booster is None else _boosted(booster, window, own)
    if boosted is None:
        said, origins, residuals = None, own.origins, own.residuals
    else:
        said, kept = boosted
        origins, residuals = own.origins[kept], own.residuals[kept]
    if said is None and own.members == (LAST,):
        return Chosen((LAST,), floor)
    came = values[origins[:, None] + np.arange(1, horizon + 1)]
    band = floor.quantiles(LEVELS)
    candidates = {LAST: Said(values[origins][:, None, None] + band - values[-1], band)}
    if own.members != (LAST,):
        candidates[_BLEND] = around(came - residuals, own.path, came)
    if said is not None:
        candidates[BOOSTED] = adapted(said, came)
    found = stack(candidates, came, floor=LAST, usual=_USUAL[said is not None, own.members != (LAST,)])
    if (found is None and own.members == (LAST,)) or (found is not None and found.weights[LAST] == 1.0):
        return Chosen((LAST,), floor)
    if found is None or found.weights.get(_BLEND) == 1.0:
        return Chosen(own.members, calibrated(own.path, own.residuals, own.origins))
    members: list[tuple[str, ...]] = [(BOOSTED,)] if found.weights.get(BOOSTED) else []
    members += [own.members] if found.weights.get(_BLEND) else []
    members += [(LAST,)] if found.weights[LAST] else []
    named = tuple(dict.fromkeys(name for each in members for name in each))
    return Chosen(named, replace(futures(found.said.now, found.said.quantiles, came), origins=origins))


def last_value_ensemble(values: Values, horizon: int) -> PathEnsemble:
    """Last value, within all changes of the past: more of them than a validation has origins, so a steadier band."""
    changes = sliding_window_view(values, horizon)[1:] - values[:-horizon, None]
    origins = np.flatnonzero(np.isfinite(changes).all(axis=1))
    if len(origins) < _MIN_CHANGES:
        return PathEnsemble(np.full((1, horizon), values[-1]), np.ones(1))
    changes = changes[origins]
    # Nothing changes in the median, whatever it did in the past.
    ensemble = calibrated(np.repeat(values[-1], horizon), changes - np.median(changes, axis=0), origins)
    return replace(ensemble, corrected=False)


def _boosted(booster: QuantileBooster, window: SeriesWindow, own: Validated) -> tuple[Said, NDArray[np.bool_]] | None:
    kept = not_learnt(booster, window, own.origins)
    if not kept.any():
        return None
    said = said_by(booster, window, own.origins[kept])
    return None if said is None else (said, kept)
