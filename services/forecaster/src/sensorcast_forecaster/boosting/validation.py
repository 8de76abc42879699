"""Train on the older past, judge on the newer one: the model that is used is the one that was validated."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sensorcast_forecaster.boosting.aci import known_before, widen
from sensorcast_forecaster.boosting.blend import quantile_loss
from sensorcast_forecaster.boosting.booster import LEVELS, Growth, QuantileBooster, train
from sensorcast_forecaster.boosting.examples import Past, examples
from sensorcast_forecaster.boosting.layout import DAY_SECONDS, Layout
from sensorcast_forecaster.reach import TRAIN_ROWS
from sensorcast_forecaster.window import Values

WINDOWS: Final = 5
"""Of equal length, one after the other, between the end of training and the present."""

_ORIGINS: Final = 80
"""Per series, over all windows."""

_SERIES: Final = 200
"""Series that are judged; of more, every so-manieth."""


_HOLDOUT_SHARE: Final = 0.25
_MAX_HOLDOUT: Final = 7 * DAY_SECONDS
_MIN_HOLDOUT: Final = 5 * 3600


@dataclass(frozen=True, slots=True)
class Score:
    """How a model did over some windows.

    Attributes:
        relative_loss: Weighted quantile loss relative to last value with the same calibration; over all windows.
        windows: The same of each window, oldest first; of those that held a complete future.
        coverage: Share of what came that lay between the 0.1 and 0.9 quantile.
        origins: Forecasts that were judged.
        series: Series they are of.
    """

    relative_loss: float
    windows: tuple[float, ...]
    coverage: float
    origins: int
    series: int


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """A model and what it is worth.

    Attributes:
        booster: With the widths of validation.
        score: On what came after its training.
        rows: Rows it learnt from.
        trained_from: The earliest cell of any series, in milliseconds since 1970 UTC.
    """

    booster: QuantileBooster
    score: Score
    rows: int
    trained_from: int


class TooLittle(Exception):  # noqa: N818 - named as what there is
    """The past does not suffice for training and five windows of validation; the message says what is missing."""


def holdout_seconds(span_seconds: float) -> int:
    """How much of a past of so many seconds is not learnt, but judged and calibrated on.

    At least a day, where that is no more than half of it, so that each series can calibrate itself; at most a week.
    """
    least = max(_MIN_HOLDOUT, min(DAY_SECONDS, span_seconds / 2))
    return round(max(least, min(_HOLDOUT_SHARE * span_seconds, _MAX_HOLDOUT)))


def fit(
    pasts: Sequence[Past],
    *,
    layout: Layout,
    until: int,
    holdout_seconds: int,
    max_rows: int = TRAIN_ROWS,
    growth: Growth | None = None,
    threads: int = 1,
) -> Trained:
    """Train on what lies before the holdout, judge on the holdout.

    The holdout also keeps forecasts honest later: origins after `booster.trained_to` calibrate and choose per series.

    Args:
        pasts: The series, on the layout's step.
        layout: What is looked at.
        until: Nothing after this time is used, in milliseconds since 1970 UTC.
        holdout_seconds: Length of the five windows together.
        max_rows: See `examples`.
        growth: How trees are grown.
        threads: Of LightGBM.

    Raises:
        TooLittle: There are too few rows before the holdout, or no complete futures in it.
    """
    trained_to = until - holdout_seconds * 1000
    learnt = examples(pasts, layout=layout, until=trained_to, max_rows=max_rows)
    try:
        booster = train(learnt, layout=layout, trained_to=trained_to, growth=growth, threads=threads)
    except ValueError as error:
        raise TooLittle(str(error)) from error
    score, widths = evaluate(booster, pasts, since=trained_to, until=until)
    first = min(past.end - len(past.values) * layout.step_seconds * 1000 for past in pasts)
    return Trained(replace(booster, widths=widths), score, len(learnt.targets), first)


def evaluate(booster: QuantileBooster, pasts: Sequence[Past], *, since: int, until: int) -> tuple[Score, Values]:
    """Judge a model against last value, both with adaptive conformal bands that begin at their own widths.

    Losses are in units of each series' last-value loss, so that a series with large values does not outvote the others.

    Args:
        booster: The model; `since` before its `trained_to` would flatter it.
        pasts: The series.
        since: Origins are later than this, in milliseconds since 1970 UTC.
        until: Futures end by this.

    Returns:
        The score, and the mean of the widths that the bands ended with, shape (2, horizon).

    Raises:
        TooLittle: A window holds no complete future of any series.
    """
    each = max(1, -(-len(pasts) // _SERIES))
    judged = [found for past in pasts[::each] if (found := _judge(booster, past, since, until)) is not None]
    ratios = np.array([row.losses for row in judged]).reshape(-1, WINDOWS, 2)
    model, floor = np.nansum(ratios[..., 0], axis=0), np.nansum(ratios[..., 1], axis=0)
    if not judged or (floor <= 0).any():
        raise TooLittle(f"fewer than {WINDOWS} windows with complete futures that change, in {len(judged)} series")
    score = Score(
        relative_loss=float(model.sum() / floor.sum()),
        windows=tuple(float(ratio) for ratio in model / floor),
        coverage=float(np.average([row.coverage for row in judged], weights=[row.origins for row in judged])),
        origins=sum(row.origins for row in judged),
        series=len(judged),
    )
    return score, np.asarray(np.mean([row.widths for row in judged], axis=0))


@dataclass(frozen=True, slots=True, eq=False)
class _Judged:
    losses: Values
    coverage: float
    origins: int
    widths: Values


def _judge(booster: QuantileBooster, past: Past, since: int, until: int) -> _Judged | None:
    """Losses per window of the model and of last value, shape (windows, 2), relative to last value's over all."""
    layout, values = booster.layout, past.values
    step = layout.step_seconds * 1000
    last = len(values) - 1
    first = max(0, last - (past.end - since) // step + 1)
    final = last - max(0, -(-(past.end - until) // step)) - layout.horizon
    if final <= first:
        return None
    origins = np.unique(np.linspace(first, final, _ORIGINS).round().astype(np.intp))
    ahead = np.arange(1, layout.horizon + 1)
    came = values[origins[:, None] + ahead]
    said = booster.quantiles(values[None, :], origins, end=np.array([past.end]))[0]
    usable = np.isfinite(came).all(axis=1) & np.isfinite(said).all(axis=(1, 2))
    origins, came, said = origins[usable], came[usable], said[usable]
    if len(origins) < 2 * WINDOWS:
        return None
    known = known_before(origins, horizon=layout.horizon)
    ours = widen(said, said[-1], came, known=known, start=booster.widths)
    naive = last_value(values, origins, before=first, horizon=layout.horizon)
    theirs = widen(naive, naive[-1], came, known=known)
    window = np.minimum((origins - first) * WINDOWS // (final + 1 - first), WINDOWS - 1)
    losses = np.zeros((WINDOWS, 2))
    for at in range(WINDOWS):
        here = window == at
        losses[at] = quantile_loss(ours.quantiles[here], came[here]), quantile_loss(theirs.quantiles[here], came[here])
    total = losses[:, 1].sum()
    if total <= 0:
        return None
    inside = (came >= ours.quantiles[:, 0]) & (came <= ours.quantiles[:, 2])
    return _Judged(losses / total, float(inside.mean()), len(origins), ours.widths)


def last_value(values: Values, origins: NDArray[np.intp], *, before: int, horizon: int) -> Values:
    """Last value with the band of all changes that were known at index `before`: the floor, calibrated.

    Returns:
        Shape (origins, 3, horizon).
    """
    bands = np.zeros((len(LEVELS), horizon))
    for ahead in range(1, horizon + 1):
        change = values[ahead:before] - values[: max(0, before - ahead)]
        change = change[np.isfinite(change)]
        if len(change):
            bands[:, ahead - 1] = np.quantile(change, LEVELS)
    bands[1] = 0.0  # The median of last value is last value.
    return np.asarray(values[origins][:, None, None] + bands)
