"""The distance between two forecast points, chosen from how often a series reports."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

STEPS_SECONDS: Final = (60, 120, 180, 300, 600, 900)
"""From 1 to 15 minutes; each divides an hour."""

_TOLERANCE: Final = 1.2
"""How much slower than a step a series may report: a sensor that wakes every 62 s still has a step of one minute."""


def choose_step(ts: NDArray[np.int64]) -> int | None:
    """The shortest step that the usual distance between readings fills.

    Args:
        ts: Times in milliseconds, ascending and unique.

    Returns:
        Seconds, one of `STEPS_SECONDS`; `None` where the series reports too rarely for the longest, or only once.
    """
    if len(ts) < 2:
        return None
    usual = float(np.median(np.diff(ts))) / 1000
    return next((step for step in STEPS_SECONDS if usual <= step * _TOLERANCE), None)
