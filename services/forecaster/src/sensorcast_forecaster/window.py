"""What an engine is given, a series on a regular grid with its limits, and what it may answer instead of a forecast."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sensorcast_common.reading import SeriesKey

Values = NDArray[np.float64]

Side = Literal["above", "below"]
"""Of a limit: where what must not be lies."""


class Limit(NamedTuple):
    """One side of one rule that applies to a series.

    Attributes:
        rule_id: Whose limit.
        side: Which way out, above or below the threshold.
        threshold: In the series' unit.
    """

    rule_id: str
    side: Side
    threshold: float


@dataclass(frozen=True, slots=True, eq=False)
class SeriesWindow:
    """The recent past of one series on a regular grid.

    Attributes:
        series: Which series.
        unit: SenML unit of the values.
        step_seconds: Width of a grid cell.
        end: Right edge of the last cell and time of the latest reading, in milliseconds since 1970 UTC.
        values: Mean of each cell, oldest first; NaN inside a gap that is too long to be bridged, never at either end.
        first: Time of the first reading used, in milliseconds since 1970 UTC.
        last_value: The latest reading.
        limits: The limits whose risk is asked for.
    """

    series: SeriesKey
    unit: str
    step_seconds: int
    end: int
    values: Values
    first: int
    last_value: float
    limits: tuple[Limit, ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """A series that gets no forecast.

    Attributes:
        series: Which series.
        reason: One word for metrics: `no_readings`, `stale`, `sparse`, `short`, `stuck` or `failed`.
        detail: A sentence for people.
    """

    series: SeriesKey
    reason: Literal["no_readings", "stale", "sparse", "short", "stuck", "failed"]
    detail: str
