"""Which of several forecasts of one series to believe, by weighted quantile loss at past origins, and its futures."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sensorcast_forecaster.boosting.booster import LEVELS
from sensorcast_forecaster.conformal import PathEnsemble
from sensorcast_forecaster.window import Values

MIN_KNOWN: Final = 12
"""Past errors that a band must rest on."""

MARGIN: Final = 0.97
"""Share of the loss of the preferred candidate that another must stay under; less is luck."""

_FLOOR_MARGIN: Final = 0.99
"""Share of the loss of the floor that any other must stay under."""

_BLOCKS: Final = 6
_BLOCK_ORIGINS: Final = 6
"""Origins of a block at least."""

_REFRESH: Final = 8
"""Origins after which the quantiles of past errors are taken anew."""


@dataclass(frozen=True, slots=True, eq=False)
class Said:
    """What one candidate said at past origins and says now.

    Attributes:
        quantiles: 0.1, 0.5 and 0.9 at each origin, shape (origins, 3, horizon).
        now: Shape (3, horizon).
    """

    quantiles: Values
    now: Values

    def averaged(self, other: "Said") -> "Said":
        """The mean of both, quantile by quantile (Vincent 1912): as sharp as they are, unlike a mixture."""
        return Said((self.quantiles + other.quantiles) / 2, (self.now + other.now) / 2)


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """The candidate that did best.

    Attributes:
        name: Which.
        losses: Weighted quantile loss of each over the scored origins.
        ensemble: Its futures: the band is that of the candidate, the way steps move together that of its past errors.
        scored: Which of the origins the losses and the futures rest on.
    """

    name: str
    losses: Mapping[str, float]
    ensemble: PathEnsemble
    scored: NDArray[np.intp]


def quantile_loss(quantiles: Values, came: Values) -> float:
    """Sum of the pinball losses of all levels, times two: the numerator of the weighted quantile loss.

    Args:
        quantiles: Shape (origins, 3, horizon).
        came: Shape (origins, horizon).
    """
    level = np.array(LEVELS)[:, None]
    miss = came[:, None, :] - quantiles
    return float(2 * np.maximum(level * miss, (level - 1) * miss).sum())


def conformal(paths: Values, now: Values, came: Values, *, known: NDArray[np.intp]) -> Said:
    """A band around paths from how they erred before, at each origin from what had come by then.

    Args:
        paths: Medians at past origins, oldest first, shape (origins, horizon).
        now: The present path, shape (horizon,).
        came: Shape (origins, horizon).
        known: From `aci.known_before`.

    Returns:
        NaN at origins that fewer than `MIN_KNOWN` errors precede.
    """
    errors = came - paths
    quantiles = np.full((len(paths), len(LEVELS), paths.shape[1]), np.nan)
    for first in range(0, len(paths), _REFRESH):
        if known[first] >= MIN_KNOWN:
            block = slice(first, first + _REFRESH)
            quantiles[block] = paths[block, None, :] + _levels_of(errors[: known[first]])
    return Said(quantiles, now + _levels_of(errors))


def rescaled(said: Said, came: Values, *, known: NDArray[np.intp]) -> Said:
    """A band whose sides are stretched by how far out values have come before, at each origin by what was known then.

    Conformal prediction with errors in units of the band (Romano et al. 2019, "Conformalized quantile regression", in
    its scaled form): the model says when it is uncertain, the past how much to believe it. Adaptive inference from one
    miss to the next (`aci`) is too slow for the hundred origins of one series.

    Returns:
        NaN at origins that fewer than `MIN_KNOWN` outcomes precede.
    """
    units = _in_units(said.quantiles, came)
    quantiles = np.full_like(said.quantiles, np.nan)
    for first in range(0, len(units), _REFRESH):
        if known[first] >= MIN_KNOWN:
            block = slice(first, first + _REFRESH)
            quantiles[block] = _stretched(said.quantiles[block], _levels_of(units[: known[first]]))
    return Said(quantiles, _stretched(said.now, _levels_of(units)))


def choose(candidates: Mapping[str, Said], came: Values, *, floor: str, preferred: str) -> Choice | None:
    """Take the preferred candidate, unless another is clearly better; or the floor, unless that is beaten.

    Each is scored by the geometric mean, over blocks of neighbouring origins, of its loss relative to the floor's. The
    sum of the losses would let one rare event, such as a defrost, decide how all other moments are forecast. An average
    of different forecasts is rarely the best and hardly ever bad (Bates & Granger 1969), while the best of a hundred
    origins is partly the luckiest: so one is preferred, and the others must prove more.

    Args:
        candidates: By name; calibrated, NaN at origins without a band.
        came: What came after each origin, shape (origins, horizon).
        floor: Name of the candidate that must be beaten.
        preferred: Name of the candidate that is taken in doubt.

    Returns:
        The choice; `None` where fewer than `MIN_KNOWN` origins have a band of every candidate.
    """
    usable = np.logical_and.reduce([np.isfinite(said.quantiles).all(axis=(1, 2)) for said in candidates.values()])
    if int(usable.sum()) < MIN_KNOWN:
        return None
    losses = {name: quantile_loss(said.quantiles[usable], came[usable]) for name, said in candidates.items()}
    scores = _scores(candidates, came, np.flatnonzero(usable), floor=floor)
    best = min(scores, key=lambda name: scores[name] / (1.0 if name == preferred else MARGIN))
    if scores[best] >= _FLOOR_MARGIN or losses[best] >= losses[floor]:
        best = floor
    band = candidates[best]
    return Choice(best, losses, futures(band.now, band.quantiles[usable], came[usable]), np.flatnonzero(usable))


def _scores(candidates: Mapping[str, Said], came: Values, usable: NDArray[np.intp], *, floor: str) -> dict[str, float]:
    blocks = np.array_split(usable, max(1, min(_BLOCKS, len(usable) // _BLOCK_ORIGINS)))
    each = {
        name: np.array([quantile_loss(said.quantiles[block], came[block]) for block in blocks])
        for name, said in candidates.items()
    }
    # A block in which nothing moves must not outweigh the others.
    least = 1e-3 * float(each[floor].mean()) + 1e-12
    return {name: float(np.exp(np.mean(np.log((loss + least) / (each[floor] + least))))) for name, loss in each.items()}


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


def _in_units(said: Values, came: Values) -> Values:
    """Errors in units of the band's side at the time, shape (origins, horizon)."""
    low, median, high = said[:, 0], said[:, 1], said[:, 2]
    error = came - median
    # A band without width says nothing of how far out a value was; its typical width stands in.
    floor = 1e-3 * float(np.mean(high - low)) + 1e-12
    units: Values = error / np.maximum(np.where(error > 0, high - median, median - low), floor)
    return units


def _stretched(quantiles: Values, marks: Values) -> Values:
    """A band with its quantiles at these errors, in units of its sides; shape (..., 3, horizon)."""
    low, median, high = (quantiles[..., level, None, :] for level in range(3))
    stretched: Values = median + marks * np.where(marks > 0, high - median, median - low)
    return stretched


def _levels_of(errors: Values) -> Values:
    """With the finite-sample correction of `conformal.PathEnsemble.quantiles`; shape (levels, horizon)."""
    return PathEnsemble(paths=errors, weights=np.ones(len(errors))).quantiles(LEVELS)
