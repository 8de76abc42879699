"""What came, on the grid of a forecast."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from sensorcast_forecaster.window import Values


@dataclass(frozen=True, slots=True, eq=False)
class Observed:
    """The readings of one series in a range, in the order of their times.

    Attributes:
        ts: In milliseconds since 1970 UTC, ascending.
        values: As many, finite.
    """

    ts: NDArray[np.int64]
    values: Values

    @classmethod
    def of(cls, ts: NDArray[np.int64], values: Values) -> Self:
        """Of readings in any order; those that are no number are left out."""
        known = np.isfinite(values)
        order = np.argsort(ts[known], kind="stable")
        return cls(ts[known][order], values[known][order])

    def cells(self, *, start: int, step: int, count: int) -> Values:
        """Means per step, as a forecast means them: point `i`, at `start + i * step`, is what the step before it holds.

        Args:
            start: Time of the first point, in milliseconds since 1970 UTC.
            step: In milliseconds.
            count: Points.

        Returns:
            Shape (count,); NaN where nothing came.
        """
        inside = (self.ts > start - step) & (self.ts <= start + (count - 1) * step)
        index = -((start - self.ts[inside]) // step)
        sums = np.bincount(index, self.values[inside], minlength=count)
        counts = np.bincount(index, minlength=count)
        with np.errstate(invalid="ignore"):
            means: Values = sums / counts
        return means
