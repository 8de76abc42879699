"""Sums up readings as the SQL does, for the part of a range that the lake does not hold for sure yet."""

import math
from collections.abc import Iterable, Sequence
from itertools import groupby

from sensorcast_api.history.question import STANDS_MS, Aggregate, Bounds, Bucket, Row, RowKey
from sensorcast_api.history.sql import ACTIVATION_K, ZERO_CELSIUS_K


def summed(rows: Iterable[Row], *, bucket: Bucket, bounds: Bounds) -> list[Aggregate]:
    """Aggregates of rows, which are sorted by device, metric and time; percentiles are interpolated, exact."""
    by_bucket: dict[RowKey, list[tuple[int, float]]] = {}
    for key, value in rows:
        by_bucket.setdefault(key._replace(ts=bucket.floor(key.ts)), []).append((key.ts, value))
    return [_aggregate(key, points, bucket, bounds) for key, points in sorted(by_bucket.items())]


def mean_kinetic(values: Sequence[float], unit: str) -> float | None:
    """Mean kinetic temperature in the unit of the values; `None` where these are no temperatures."""
    zero = {"Cel": ZERO_CELSIUS_K, "K": 0.0}.get(unit)
    if zero is None:
        return None
    rates = [math.exp(-ACTIVATION_K / (value + zero)) for value in values if value + zero > 0]
    if not rates or (mean := math.fsum(rates) / len(rates)) == 0:
        return None
    return ACTIVATION_K / -math.log(mean) - zero


def _aggregate(key: RowKey, points: list[tuple[int, float]], bucket: Bucket, bounds: Bounds) -> Aggregate:
    values = sorted(value for _, value in points)
    return Aggregate(
        key=key,
        readings=len(values),
        min=values[0],
        max=values[-1],
        mean=math.fsum(values) / len(values),
        p05=_percentile(values, 0.05),
        p50=_percentile(values, 0.5),
        p95=_percentile(values, 0.95),
        inside=_inside(points, key.ts + bucket.millis, bounds) if bounds != Bounds() else None,
        mkt=mean_kinetic(values, key.unit),
    )


def _percentile(values: Sequence[float], share: float) -> float:
    at = share * (len(values) - 1)
    low = math.floor(at)
    high = min(low + 1, len(values) - 1)
    return values[low] + (values[high] - values[low]) * (at - low)


def _inside(points: Sequence[tuple[int, float]], end: int, bounds: Bounds) -> float | None:
    covered = inside = 0
    for at, (ts, value) in enumerate(points):
        following = points[at + 1][0] if at + 1 < len(points) else end
        stands = min(following - ts, STANDS_MS)
        covered += stands
        inside += stands if bounds.hold(value) else 0
    return inside / covered if covered else None


def joined(lake: Iterable[Row], hot: Iterable[Row]) -> list[Row]:
    """All rows of both, sorted, each once; where both have one, the hot store's is as new or newer."""
    return [Row(key, value) for key, value in sorted({**dict(lake), **dict(hot)}.items())]


def by_series(rows: Iterable[Row]) -> Iterable[tuple[tuple[str, str, str], list[Row]]]:
    """Sorted rows in runs of one device, metric and unit."""
    for (device, metric, unit), run in groupby(rows, key=lambda row: (row.key.device, row.key.metric, row.key.unit)):
        yield (device, metric, unit), list(run)
