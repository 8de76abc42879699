"""Compares what hot store and lake hold of one device, and names every difference."""

from collections.abc import Mapping
from typing import NamedTuple

from sensorcast_common.clock import from_millis, rfc3339


class Point(NamedTuple):
    """Which reading; `ts` in milliseconds since 1970 UTC."""

    metric: str
    ts: int


class Difference(NamedTuple):
    """One reading on which the two do not agree; `None` where one of them has none."""

    tenant: str
    device: str
    point: Point
    hot: float | None
    lake: float | None

    def __str__(self) -> str:
        where = f"{self.tenant}/{self.device} {self.point.metric} {rfc3339(from_millis(self.point.ts))}"
        if self.lake is None:
            return f"{where}: {self.hot!r} is in the hot store only"
        if self.hot is None:
            return f"{where}: {self.lake!r} is in the lake only"
        return f"{where}: {self.hot!r} in the hot store, {self.lake!r} in the lake"


def differences(
    tenant: str, device: str, *, hot: Mapping[Point, float], lake: Mapping[Point, float]
) -> list[Difference]:
    """What only one has, and what has another value, by metric and time."""
    return [
        Difference(tenant, device, point, hot.get(point), lake.get(point))
        for point in sorted(hot.keys() | lake.keys())
        if hot.get(point) != lake.get(point)
    ]
