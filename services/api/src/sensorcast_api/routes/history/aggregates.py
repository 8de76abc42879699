"""Aggregates of the past: what a minute, an hour or a day came to."""

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel

from sensorcast_api import examples
from sensorcast_api.history.caller import unless_gone
from sensorcast_api.history.question import Aggregate, Bounds, Bucket, RowKey
from sensorcast_api.problems import invalid
from sensorcast_api.routes.history.asked import EXAMPLE_KEY, EXAMPLE_RANGE, Asked, ThePast, explained
from sensorcast_common.clock import UtcDatetime, from_millis

router = APIRouter(prefix="/v1/history", tags=["history"])

MOST_BUCKETS: Final = 200_000
"""Buckets of all series that one answer may hold."""


class HistoryBucket(BaseModel):
    """What a minute, an hour or a day of one series comes to.

    Attributes:
        start: Where it begins.
        count: Readings in it.
        min: Least value.
        max: Greatest value.
        mean: Arithmetic mean of the readings.
        p05: 5th percentile, approximate where the lake has computed it.
        p50: Median, likewise.
        p95: 95th percentile, likewise.
        inside: Share of the covered time in which the value was within `low` and `high`, 0 to 1. A reading stands until
            the next one, for 15 minutes and to the end of the bucket at most. Null where no limit was given.
        mkt: Mean kinetic temperature (activation energy 83.144 kJ/mol) in the unit of the series; null where these are
            no temperatures.
    """

    start: UtcDatetime
    count: int
    min: float
    max: float
    mean: float
    p05: float
    p50: float
    p95: float
    inside: float | None
    mkt: float | None


class AggregateSeries(BaseModel):
    """Buckets of one series, ascending; those without readings are left out."""

    device: str
    metric: str
    unit: str
    buckets: list[HistoryBucket]


class HistoryAggregates(BaseModel):
    """Aggregates of several series.

    Attributes:
        start: First time asked for.
        end: First time no longer asked for.
        bucket: Length of a bucket, in UTC.
        lake_until: Buckets before it were computed in the lake, the others from lake and hot store together.
        series: By device and metric.
    """

    start: UtcDatetime
    end: UtcDatetime
    bucket: Bucket
    lake_until: UtcDatetime
    series: list[AggregateSeries]


_AGGREGATES_EXAMPLE: Final = HistoryAggregates(
    **EXAMPLE_RANGE,
    bucket=Bucket.HOUR,
    lake_until=examples.FORECAST.known_at,
    series=[
        AggregateSeries(
            **EXAMPLE_KEY,
            buckets=[
                HistoryBucket(
                    start=examples.DEVICE.first_seen,
                    count=360,
                    min=3.1,
                    max=8.4,
                    mean=4.6,
                    p05=3.3,
                    p50=4.4,
                    p95=7.2,
                    inside=0.97,
                    mkt=4.9,
                )
            ],
        )
    ],
)


@router.get("/aggregates", responses={200: examples.shown(_AGGREGATES_EXAMPLE), **examples.problems(502, 503)})
async def list_aggregates(
    request: Request,
    past: ThePast,
    asked: Asked,
    bucket: Annotated[Bucket, Query(description="What is summed up, in UTC.")] = Bucket.HOUR,
    low: Annotated[float | None, Query(allow_inf_nan=False, description="Least value that is inside.")] = None,
    high: Annotated[float | None, Query(allow_inf_nan=False, description="Greatest value that is inside.")] = None,
) -> HistoryAggregates:
    """Minimum, maximum, mean, percentiles, time within limits and mean kinetic temperature per bucket."""
    if low is not None and high is not None and low > high:
        raise invalid("query", "high", f"must not be below low ({low:g})")
    buckets = (asked.end - asked.start) // bucket.millis * len(asked.devices) * len(asked.metrics)
    if buckets > MOST_BUCKETS:
        raise invalid("query", "bucket", f"up to {buckets} buckets, at most {MOST_BUCKETS}: take longer ones")
    with explained("query"):
        found, seam = await unless_gone(request, past.aggregates(asked, bucket=bucket, bounds=Bounds(low, high)))
    series: dict[tuple[str, str, str], list[HistoryBucket]] = {}
    for each in found:
        series.setdefault((each.key.device, each.key.metric, each.key.unit), []).append(_bucket(each))
    return HistoryAggregates(
        start=from_millis(asked.start),
        end=from_millis(asked.end),
        bucket=bucket,
        lake_until=from_millis(seam),
        series=[
            AggregateSeries(device=device, metric=metric, unit=unit, buckets=buckets)
            for (device, metric, unit), buckets in series.items()
        ],
    )


def _bucket(each: Aggregate) -> HistoryBucket:
    figures = each._asdict()
    key: RowKey = figures.pop("key")
    return HistoryBucket(start=from_millis(key.ts), count=figures.pop("readings"), **figures)
