"""A series whose incidents are to be revised because readings of it came out of order."""

from typing import NamedTuple

from sensorcast_common.reading import SeriesKey


class LateMark(NamedTuple):
    """From which reading on a series is to be gone through again.

    Attributes:
        series: Which.
        ts: Event time of the earliest reading that came out of order, in milliseconds since 1970 UTC.
        value: Its value.
        unit: SenML unit of the series.
    """

    series: SeriesKey
    ts: int
    value: float
    unit: str
