"""What is known at a moment, in units of the series' own restlessness, so that one model serves all series.

The level and the restlessness themselves are two more columns: they tell a cold room from a deep freezer, whose cycles
differ.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from sensorcast_forecaster.boosting.layout import DAY_SECONDS, Layout
from sensorcast_forecaster.window import Values

_FLOOR: Final = 1e-3
"""Share of the day's range below which a scale is not believed, e.g. of a sensor that moves once an hour."""

_CELLS_AT_ONCE: Final = 4_000_000

Features = NDArray[np.float32]


class Moments(NamedTuple):
    """Features of some moments of some series.

    Attributes:
        features: Shape (series, origins, columns - 1): all but the steps ahead; NaN where the past is too short.
        scale: Shape (series, origins), in the series' unit; NaN where nothing can be said at that moment: the value is
            missing, or the last day was constant.
    """

    features: Features
    scale: Values


def moments(values: Values, origins: NDArray[np.intp], *, end: NDArray[np.int64], layout: Layout) -> Moments:
    """Look at series at some of their moments, all series at once.

    Nothing after an origin is looked at. Adding a number to a series changes nothing but the level; multiplying it by a
    positive number multiplies the level and the scale.

    Args:
        values: Shape (series, cells), on the layout's step; NaN where unknown, such as before the first reading.
        origins: Shape (moments,), indices of the last known cell.
        end: Shape (series,), right edge of the last cell, in milliseconds since 1970 UTC.
        layout: What to look at.

    Raises:
        ValueError: The shapes do not fit.
    """
    if values.ndim != 2 or end.shape != values.shape[:1]:
        raise ValueError(f"values, end: shapes {values.shape} and {end.shape} do not fit")
    day = layout.day
    padded = np.full((values.shape[0], values.shape[1] + day), np.nan)
    padded[:, day:] = values
    table = np.empty((len(values), len(origins), layout.feature_count - 1), dtype=np.float32)
    scale = np.empty((len(values), len(origins)))
    at_once = max(1, _CELLS_AT_ONCE // (max(1, len(values)) * day))
    for first in range(0, len(origins), at_once):
        part = slice(first, first + at_once)
        table[:, part], scale[:, part] = _look(padded, origins[part] + day, layout)
    age = (values.shape[1] - 1 - origins) * layout.step_seconds
    table[..., -4], table[..., -3] = values[:, origins], scale
    angle = 2 * np.pi * ((end[:, None] // 1000 - age) % DAY_SECONDS) / DAY_SECONDS
    table[..., -2], table[..., -1] = np.sin(angle), np.cos(angle)
    return Moments(table, scale)


def _look(padded: Values, at: NDArray[np.intp], layout: Layout) -> tuple[Features, Values]:
    day = layout.day
    present = padded[:, at]
    # Relative to the present: means of squares then lose no digits to the level.
    past = sliding_window_view(padded, day, axis=1)[:, at - day + 1] - present[..., None]
    complete = bool(np.isfinite(past).all())
    scale = _scale(past, complete=complete)
    table = np.empty((*present.shape, layout.feature_count - 1), dtype=np.float32)
    unit = np.where(scale > 0, scale, np.nan)
    for column, lag in enumerate(layout.lags):
        table[..., column] = (present - padded[:, at - lag]) / unit
    for column, window in enumerate(layout.windows):
        first = len(layout.lags) + 4 * column
        for offset, statistic in enumerate(_statistics(past[..., day - window :], complete=complete)):
            table[..., first + offset] = statistic / unit
    return table, unit


def _scale(past: Values, *, complete: bool) -> Values:
    """Mean absolute change per step over the last day; 0 where it was constant, NaN where it is unknown."""
    change = np.abs(np.diff(past, axis=-1))
    low, high, count = _extremes(past, complete=complete)
    if complete:
        mean = change.mean(axis=-1)
    else:
        known = np.isfinite(change)
        mean = np.where(known, change, 0.0).sum(axis=-1) / np.maximum(known.sum(axis=-1), 1)
    scale: Values = np.maximum(mean, _FLOOR * (high - low))
    enough = (count >= min(past.shape[-1], max(24, past.shape[-1] // 8))) & np.isfinite(past[..., -1])
    # What differs in the last bits only is constant.
    scale[~enough | ~(high - low > 0)] = np.nan
    return scale


def _statistics(past: Values, *, complete: bool) -> tuple[Values, Values, Values, Values]:
    """Mean, standard deviation, maximum and minimum of the last steps, relative to the present."""
    low, high, count = _extremes(past, complete=complete)
    known = past if complete else np.where(np.isfinite(past), past, 0.0)
    total = np.maximum(count, 1)
    mean = known.sum(axis=-1) / total
    square = np.einsum("sow,sow->so", known, known) / total
    return mean, np.sqrt(np.maximum(square - mean**2, 0.0)), high, low


def _extremes(past: Values, *, complete: bool) -> tuple[Values, Values, NDArray[np.intp]]:
    if complete:
        return past.min(axis=-1), past.max(axis=-1), np.full(past.shape[:-1], past.shape[-1], dtype=np.intp)
    return (
        np.fmin.reduce(past, axis=-1),
        np.fmax.reduce(past, axis=-1),
        np.isfinite(past).sum(axis=-1).astype(np.intp),
    )
