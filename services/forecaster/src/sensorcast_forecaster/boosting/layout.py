"""What the boosted model looks at, from the width of a step and the horizon."""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

DAY_SECONDS: Final = 86_400
MAX_KNOTS: Final = 12
_KNOT_EXPONENT: Final = 1.5
_SHORTEST: Final = 48
"""Steps that the recent lags reach back at least."""


@dataclass(frozen=True)
class Layout:
    """Lags, windows and knots of one model; everything follows from the two attributes.

    Attributes:
        step_seconds: Width of a grid cell.
        horizon: Steps ahead.

    Raises:
        ValueError: One of them is not positive, or a day is no whole number of steps.
    """

    step_seconds: int
    horizon: int

    def __post_init__(self) -> None:
        if self.step_seconds < 1 or DAY_SECONDS % self.step_seconds:
            raise ValueError(f"step_seconds: {self.step_seconds} does not divide a day")
        if self.horizon < 1:
            raise ValueError(f"horizon: {self.horizon} must be at least 1")

    @property
    def day(self) -> int:
        """Steps of a day."""
        return DAY_SECONDS // self.step_seconds

    @cached_property
    def lags(self) -> NDArray[np.intp]:
        """Steps back, ascending: dense at the recent end, and the same time yesterday with the hour after it."""
        recent = np.geomspace(1, max(_SHORTEST, 2 * self.horizon), 20)
        daily = self.day - np.array([self.horizon, self.horizon // 2, 0])
        lags = np.unique(np.round(np.concatenate([recent, daily])).astype(np.intp))
        return lags[lags > 0]

    @cached_property
    def windows(self) -> NDArray[np.intp]:
        """Lengths of the rolling windows in steps, ascending; the last is a day."""
        parts = np.array([self.horizon // 12, self.horizon // 4, self.horizon, 4 * self.horizon])
        return np.unique(np.append(np.clip(parts, 4, self.day), self.day)).astype(np.intp)

    @cached_property
    def knots(self) -> NDArray[np.intp]:
        """Steps ahead that are predicted, from 1 to the horizon; those between lie on straight lines."""
        if self.horizon <= MAX_KNOTS:
            return np.arange(1, self.horizon + 1, dtype=np.intp)
        spread = 1 + (self.horizon - 1) * np.linspace(0, 1, MAX_KNOTS) ** _KNOT_EXPONENT
        return np.unique(np.round(spread)).astype(np.intp)

    @cached_property
    def between_knots(self) -> NDArray[np.float64]:
        """Shape (knots, horizon): what each knot contributes to each step."""
        steps = np.arange(1, self.horizon + 1)
        return np.stack([np.interp(steps, self.knots, row) for row in np.eye(len(self.knots))])

    @property
    def feature_count(self) -> int:
        """Columns of a row: lags, four per window, the level and the scale, the time of day, and the steps ahead."""
        return len(self.lags) + 4 * len(self.windows) + 5
