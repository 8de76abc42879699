"""Whole paths from quantiles per step: how far a step may go says the engine, how they go together the past."""

from collections.abc import Sequence
from statistics import NormalDist
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sensorcast_forecaster.conformal import PathEnsemble
from sensorcast_forecaster.window import Values

MOST: Final = 200
"""Past moments that paths are shaped after; a probability is a multiple of one in so many."""

FEWEST: Final = 24

RANKS: Final = "ranks"
"""Paths take the ranks that the series' past had (the Schaake shuffle: Clark et al. 2004, "The Schaake Shuffle: A
Method for Reconstructing Space-Time Variability in Forecasted Precipitation and Temperature Fields")."""

TOGETHER: Final = "together"
"""Too little past: all steps of a path have one rank. The probability of leaving a limit is then that of the worst
step, which is the least that the quantiles allow."""

Ranks = NDArray[np.intp]

_NORMAL: Final = NormalDist()


class Derived(NamedTuple):
    """Paths and where their dependence comes from.

    Attributes:
        ensemble: Equally possible paths, whose steps have the quantiles given.
        dependence: `RANKS` or `TOGETHER`.
    """

    ensemble: PathEnsemble
    dependence: str


def derive_paths(past: Values, *, levels: Sequence[float], quantiles: Values) -> Derived:
    """Paths with the given quantiles at each step.

    Quantiles alone do not say how likely it is that a path leaves a limit at least once: with a chance of 10 % at each
    of 60 steps it may be anything from 10 % to certainty. It depends on how long a series that is high stays high,
    which is taken from what followed past moments of the same series. Between the quantiles, and beyond the outermost,
    a step is distributed as if its distance from them were normal.

    Args:
        past: The series on the forecast's step, up to its beginning; NaN in gaps.
        levels: Ascending, within (0, 1), at least two.
        quantiles: Shape (levels, horizon), ascending along the levels.
    """
    horizon = quantiles.shape[1]
    ranks = _past_ranks(past, horizon)
    dependence = RANKS
    if len(ranks) < FEWEST:
        ranks = np.repeat(np.arange(MOST)[:, None], horizon, axis=1)
        dependence = TOGETHER
    at = np.array([_NORMAL.inv_cdf((rank + 0.5) / len(ranks)) for rank in range(len(ranks))])
    known = np.array([_NORMAL.inv_cdf(level) for level in levels])
    steps = [_between(at[ranks[:, step]], known, quantiles[:, step]) for step in range(horizon)]
    return Derived(PathEnsemble(paths=np.stack(steps, axis=1), weights=np.ones(len(ranks))), dependence)


def _past_ranks(past: Values, horizon: int) -> Ranks:
    """Ranks, among past moments, of what followed each within 1, 2, ... steps; shape (moments, horizon).

    What a step owes to the value it started from is taken out first (by a straight line per step): a forecast knows
    where it starts, and steps that only share a start do not go together.
    """
    last = len(past) - 1 - horizon
    if last < 0:
        return np.empty((0, horizon), dtype=np.intp)
    moments = np.unique(np.linspace(0, last, MOST).round().astype(np.intp))
    whole = past[moments[:, None] + np.arange(horizon + 1)]
    whole = whole[np.isfinite(whole).all(axis=1)]
    if not len(whole):
        return np.empty((0, horizon), dtype=np.intp)
    centred = whole - whole.mean(axis=0)
    start, steps = centred[:, :1], centred[:, 1:]
    owed = start * (start * steps).sum(axis=0) / max(float((start**2).sum()), np.finfo(float).tiny)
    order = np.argsort(steps - owed, axis=0, kind="stable")
    ranks = np.empty_like(order)
    np.put_along_axis(ranks, order, np.arange(len(whole))[:, None], axis=0)
    return ranks


def _between(asked: Values, known: Values, values: Values) -> Values:
    """Linear between known points, and on with the outermost slopes beyond them."""
    inside = np.interp(asked, known, values)
    low = values[0] + (asked - known[0]) * (values[1] - values[0]) / (known[1] - known[0])
    high = values[-1] + (asked - known[-1]) * (values[-1] - values[-2]) / (known[-1] - known[-2])
    return np.where(asked < known[0], low, np.where(asked > known[-1], high, inside))
