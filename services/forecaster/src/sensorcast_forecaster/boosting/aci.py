"""Adaptive conformal inference: a band that grows after misses and shrinks after hits, side by side and step by step.

Gibbs and Candes 2021, "Adaptive conformal inference under distribution shift": the step `gamma` times the difference
between a miss and the promised rate of misses. Here it moves the width instead of the level, which needs no sample of
residuals and keeps the model's own idea of when it is uncertain.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sensorcast_forecaster.window import Values

GAMMA: Final = 0.02
MISS_RATE: Final = 0.1
"""Of each side: the band lies between the 0.1 and 0.9 quantiles."""

_NARROWEST: Final = -0.8


@dataclass(frozen=True, slots=True, eq=False)
class Widened:
    """Bands as they would have been said, and the present one.

    Attributes:
        quantiles: Shape (origins, 3, horizon), each origin's widened by what was known at it.
        now: Shape (3, horizon).
        widths: Shape (2, horizon), what the lower and upper side have grown by, in units of their own width.
    """

    quantiles: Values
    now: Values
    widths: Values


def known_before(origins: NDArray[np.intp], *, horizon: int) -> NDArray[np.intp]:
    """For each origin, how many of the earlier ones have come to their end by then."""
    return np.searchsorted(origins + horizon, origins, side="right")


def widen(
    said: Values,
    now: Values,
    came: Values,
    *,
    known: NDArray[np.intp],
    start: Values | None = None,
    gamma: float = GAMMA,
) -> Widened:
    """Widen bands by how they have missed, each by what was known when it was said.

    Args:
        said: Quantiles 0.1, 0.5, 0.9 at past origins, oldest first, shape (origins, 3, horizon).
        now: The same at the present, shape (3, horizon).
        came: What came, shape (origins, horizon).
        known: From `known_before`.
        start: Widths to begin with, shape (2, horizon); 0 by default.
        gamma: How fast.
    """
    widths = np.zeros((2, said.shape[2])) if start is None else start.copy()
    adjusted = np.empty_like(said)
    done = 0
    for origin in range(len(said)):
        while done < known[origin]:
            _learn(widths, adjusted[done], came[done], gamma)
            done += 1
        adjusted[origin] = _widened(said[origin], widths)
    for missing in range(done, len(said)):
        _learn(widths, adjusted[missing], came[missing], gamma)
    return Widened(quantiles=adjusted, now=_widened(now, widths), widths=widths)


def _learn(widths: Values, said: Values, came: Values, gamma: float) -> None:
    widths[0] += gamma * ((came < said[0]) - MISS_RATE)
    widths[1] += gamma * ((came > said[2]) - MISS_RATE)
    np.maximum(widths, _NARROWEST, out=widths)


def _widened(quantiles: Values, widths: Values) -> Values:
    low, median, high = quantiles
    return np.stack([median - (1 + widths[0]) * (median - low), median, median + (1 + widths[1]) * (high - median)])
