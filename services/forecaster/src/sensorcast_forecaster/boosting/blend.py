"""Several forecasts of one series as one: weights by weighted quantile loss at past origins, and possible futures."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sensorcast_forecaster.boosting.booster import LEVELS
from sensorcast_forecaster.conformal import PathEnsemble
from sensorcast_forecaster.window import Values

MIN_ORIGINS: Final = 12
"""Past origins that weights must rest on."""

_FLOOR_MARGIN: Final = 0.98
"""Share of the loss of the floor that the best mean must stay under; less is luck."""

_TENTHS: Final = 10
"""Weights are whole tenths: finer ones are not told apart by a hundred origins."""

_PULL: Final = 0.15
"""Share by which a mean's loss must be less for a squared difference of 1 between its weights and the usual ones."""

_BELIEF: Final = 0.25
"""How far a model's band is stretched towards the width that its own past misses ask for."""

_NARROWEST: Final = 0.2
_STEPS: Final = 12
"""Steps ahead that weights are judged at, spread over the horizon; neighbouring ones tell much the same."""

_BLOCKS: Final = 6
_BLOCK_ORIGINS: Final = 6
"""Origins of a block at least."""


@dataclass(frozen=True, slots=True, eq=False)
class Said:
    """What one candidate said at past origins and says now.

    Attributes:
        quantiles: 0.1, 0.5 and 0.9 at each origin, shape (origins, 3, horizon).
        now: Shape (3, horizon).
    """

    quantiles: Values
    now: Values


@dataclass(frozen=True, slots=True, eq=False)
class Stacked:
    """The weighted mean that did best.

    Attributes:
        weights: Of each candidate, summing to 1.
        said: The mean, quantile by quantile (Vincent 1912): as sharp as the candidates are, unlike a mixture.
    """

    weights: Mapping[str, float]
    said: Said


def quantile_loss(quantiles: Values, came: Values) -> float:
    """Sum of the pinball losses of all levels, times two: the numerator of the weighted quantile loss.

    Args:
        quantiles: Shape (origins, 3, horizon).
        came: Shape (origins, horizon).
    """
    return float(_losses(quantiles, came).sum())


def around(paths: Values, now: Values, came: Values) -> Said:
    """A band around paths from how they erred.

    Args:
        paths: Medians at past origins, oldest first, shape (origins, horizon).
        now: The present path, shape (horizon,).
        came: Shape (origins, horizon).
    """
    band = _levels_of(came - paths)
    return Said(paths[:, None, :] + band, now + band)


def adapted(said: Said, came: Values) -> Said:
    """A band whose sides are stretched, or narrowed, a part of the way to what past misses ask for.

    Conformal prediction with errors in units of the band (Romano et al. 2019, "Conformalized quantile regression", in
    its scaled form), taken over all steps at once and believed by a quarter: a hundred origins that overlap tell less
    of how wide a band must be than the many series that the model has learnt it from.
    """
    low, _, high = np.quantile(_in_units(said.quantiles, came), LEVELS)
    sides = np.maximum(1 + _BELIEF * (np.array([-low, high]) - 1), _NARROWEST)
    return Said(_stretched(said.quantiles, sides), _stretched(said.now, sides))


def stack(candidates: Mapping[str, Said], came: Values, *, floor: str, usual: Mapping[str, float]) -> Stacked | None:
    """The mean of several forecasts, with weights between the usual ones and those that would have been best.

    Means are compared by the geometric mean, over blocks of neighbouring origins, of their loss relative to the
    floor's. The sum of the losses would let one rare event, such as a defrost, decide how all other moments are
    forecast. An average of different forecasts is rarely the best and hardly ever bad (Bates & Granger 1969), while the
    best of a hundred origins is partly the luckiest: so weights are pulled towards the usual ones.

    Args:
        candidates: By name; finite.
        came: What came after each origin, shape (origins, horizon).
        floor: Name of the candidate that must be beaten.
        usual: Weight of each candidate where nothing speaks for another; summing to 1.

    Returns:
        The mean; the floor alone where no mean beats it; `None` where there are fewer than `MIN_ORIGINS` origins.
    """
    if len(came) < MIN_ORIGINS:
        return None
    names = tuple(candidates)
    grid = _simplex(len(names))
    steps = np.unique(np.linspace(0, came.shape[1] - 1, _STEPS).round().astype(np.intp))
    said = np.stack([each.quantiles[..., steps] for each in candidates.values()])
    each = np.stack([_losses(mean, came[:, steps]).sum(axis=(1, 2)) for mean in np.tensordot(grid, said, axes=1)])
    alone = int(np.flatnonzero(grid[:, names.index(floor)] == 1)[0])
    scores = _scores(each, alone)
    pull = ((grid - np.array([usual.get(name, 0.0) for name in names])) ** 2).sum(axis=1)
    best = int((scores * np.exp(_PULL * pull)).argmin())
    if scores[best] >= _FLOOR_MARGIN or each[best].sum() >= each[alone].sum():
        best = alone
    quantiles = np.tensordot(grid[best], np.stack([one.quantiles for one in candidates.values()]), axes=1)
    now = np.tensordot(grid[best], np.stack([one.now for one in candidates.values()]), axes=1)
    weights = {name: float(weight) for name, weight in zip(names, grid[best], strict=True)}
    return Stacked(weights, Said(quantiles, now))


def _scores(each: Values, alone: int) -> Values:
    """Of each weighting, from its loss at each origin, shape (weightings, origins)."""
    origins = each.shape[1]
    blocks = np.array_split(np.arange(origins), max(1, min(_BLOCKS, origins // _BLOCK_ORIGINS)))
    losses = np.stack([each[:, block].sum(axis=1) for block in blocks], axis=1)
    # A block in which nothing moves must not outweigh the others.
    losses += 1e-3 * float(losses[alone].mean()) + 1e-12
    return np.asarray(np.exp(np.log(losses / losses[alone]).mean(axis=1)))


@cache
def _simplex(candidates: int) -> Values:
    """All weights in whole tenths that sum to 1, shape (weightings, candidates)."""
    cells = np.indices((_TENTHS + 1,) * candidates).reshape(candidates, -1).T
    return np.asarray(cells[cells.sum(axis=1) == _TENTHS] / _TENTHS)


def futures(now: Values, said: Values, came: Values) -> PathEnsemble:
    """Possible paths whose quantiles at each step are those of a band.

    Each past error, in units of its band at the time, is carried over to the present band: an event that was twice as
    far out as promised then will be so now. Per step, the errors are mapped so that their own 0.1, 0.5 and 0.9
    quantiles fall on the band's, which leaves the order of the paths, and so how steps move together, as it was
    (the Schaake shuffle, Clark et al. 2004).

    Args:
        now: The present band, shape (3, horizon).
        said: Past bands, shape (origins, 3, horizon).
        came: What came, shape (origins, horizon).
    """
    units = _in_units(said, came)
    marks = _levels_of(units)
    down, up = marks[1] - marks[0], marks[2] - marks[1]
    distance = units - marks[1]
    scaled = np.where(
        distance > 0,
        distance * ((now[2] - now[1]) / np.maximum(up, 1e-9)),
        distance * ((now[1] - now[0]) / np.maximum(down, 1e-9)),
    )
    return PathEnsemble(paths=now[1] + scaled, weights=np.ones(len(units)))


def _losses(quantiles: Values, came: Values) -> Values:
    """Twice the pinball loss, shape (origins, 3, horizon)."""
    level = np.array(LEVELS)[:, None]
    miss = came[:, None, :] - quantiles
    return np.asarray(2 * np.maximum(level * miss, (level - 1) * miss))


def _in_units(said: Values, came: Values) -> Values:
    """Errors in units of the band's side at the time, shape (origins, horizon)."""
    low, median, high = said[:, 0], said[:, 1], said[:, 2]
    error = came - median
    # A band without width says nothing of how far out a value was; its typical width stands in.
    floor = 1e-3 * float(np.mean(high - low)) + 1e-12
    units: Values = error / np.maximum(np.where(error > 0, high - median, median - low), floor)
    return units


def _stretched(quantiles: Values, sides: NDArray[np.float64]) -> Values:
    """A band with its sides, shape (2,), times as wide; shape (..., 3, horizon)."""
    low, median, high = (quantiles[..., level, :] for level in range(3))
    return np.stack([median - sides[0] * (median - low), median, median + sides[1] * (high - median)], axis=-2)


def _levels_of(errors: Values) -> Values:
    """With the finite-sample correction of `conformal.PathEnsemble.quantiles`; shape (levels, horizon)."""
    return PathEnsemble(paths=errors, weights=np.ones(len(errors))).quantiles(LEVELS)
