"""How much one moment of a series says of another: the more, the closer its level and where it was heading."""

from typing import Final

import numpy as np

from sensorcast_forecaster.models import Origins
from sensorcast_forecaster.window import Values

_FLOOR: Final = 0.02
"""What the most different moment counts for: a series that was never like this is judged by all of its past."""


def similarity(values: Values, moments: Origins, others: Origins, *, horizon: int, width: float) -> Values:
    """Weights within (0, 1 + floor], by a Gaussian kernel.

    Alike are moments with the same level, the same change over the last horizon and over its latter half: how far
    errors reach depends on whether a compressor has just come on or a door been opened.

    Args:
        values: A window's; NaN in gaps.
        moments: Indices into the values, each of a known value.
        others: Likewise.
        horizon: Steps ahead.
        width: Of the kernel, in standard deviations of each feature.

    Returns:
        Shape (moments, others).
    """
    left, right = (_features(values, at, horizon) for at in (moments, others))
    apart = (left[:, None, :] - right[None, :, :]) ** 2
    # Where a gap hides the change, it counts as one standard deviation away.
    distance = np.where(np.isfinite(apart), apart, 1.0).sum(axis=2)
    weights: Values = np.exp(-distance / (2 * width**2)) + _FLOOR
    return weights


def _features(values: Values, at: Origins, horizon: int) -> Values:
    """In standard deviations of the series, shape (moments, features)."""
    columns = [values[at] / _spread(values)]
    for lag in (max(1, horizon // 2), horizon):
        changes = np.full(len(values), np.nan)
        changes[lag:] = values[lag:] - values[:-lag]
        columns.append(changes[at] / _spread(changes))
    return np.stack(columns, axis=1)


def _spread(values: Values) -> float:
    known = values[np.isfinite(values)]
    spread = float(known.std()) if len(known) else 0.0
    return spread if spread > 0 else 1.0
