"""The past: readings, aggregates and files, from the lake and the hot store in one answer."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import AfterValidator, BaseModel

from sensorcast_api import examples
from sensorcast_api.auth import Viewer
from sensorcast_api.history.athena import LakeBusy, LakeFailed, ScansTooMuch
from sensorcast_api.history.caller import unless_gone
from sensorcast_api.history.format import Format
from sensorcast_api.history.past import Past, TooManyRecent
from sensorcast_api.history.question import Aggregate, Bounds, Bucket, Question, RowKey
from sensorcast_api.history.sums import by_series
from sensorcast_api.paging import Cursor, decode, encode
from sensorcast_api.parameters import NAME_PATTERN, Name, Time
from sensorcast_api.problems import Place, ProblemError, invalid
from sensorcast_api.services import Wired
from sensorcast_common import logs
from sensorcast_common.clock import UtcDatetime, from_millis, to_millis
from sensorcast_common.names import is_name

log = logs.logger(__name__)

router = APIRouter(prefix="/v1/history", tags=["history"])

MOST_DEVICES: Final = 100
MOST_METRICS: Final = 20
MOST_BUCKETS: Final = 200_000
"""Buckets of all series that one answer may hold."""

_DEFAULT_RANGE: Final = timedelta(days=1)


class HistoryPoint(BaseModel):
    """One reading: time of measurement and value."""

    ts: UtcDatetime
    value: float


class HistorySeries(BaseModel):
    """Readings of one series, ascending by time, one per time."""

    device: str
    metric: str
    unit: str
    readings: list[HistoryPoint]


class HistoryPage(BaseModel):
    """Readings of several series.

    Attributes:
        start: First time asked for.
        end: First time no longer asked for.
        lake_until: Before it the lake has everything that was received; from there on the hot store was asked too.
        series: By device and metric. A page may end within a series, and the next one goes on there.
        next_cursor: Asks for the next page; null on the last one.
    """

    start: UtcDatetime
    end: UtcDatetime
    lake_until: UtcDatetime
    series: list[HistorySeries]
    next_cursor: str | None = None


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


def _distinct(names: list[str]) -> list[str]:
    return list(dict.fromkeys(names))


Names = Annotated[list[Name], AfterValidator(_distinct)]
Devices = Annotated[
    Names,
    Query(
        alias="device",
        min_length=1,
        max_length=MOST_DEVICES,
        description=f"A device's name; up to {MOST_DEVICES} times.",
        examples=[["truck-7"]],
        json_schema_extra={"items": {"type": "string", "pattern": NAME_PATTERN}},
    ),
]
Metrics = Annotated[
    Names,
    Query(
        alias="metric",
        min_length=1,
        max_length=MOST_METRICS,
        description=f"A metric's name; up to {MOST_METRICS} times.",
        examples=[["temperature"]],
        json_schema_extra={"items": {"type": "string", "pattern": NAME_PATTERN}},
    ),
]
Start = Annotated[Time | None, Query(description="First time wanted; a day before `end` by default.")]
End = Annotated[Time | None, Query(description="First time no longer wanted; now by default.")]


async def _question(
    caller: Viewer, wired: Wired, devices: Devices, metrics: Metrics, start: Start = None, end: End = None
) -> Question:
    stop = end or from_millis(wired.clock())
    begin = start or stop - _DEFAULT_RANGE
    if begin >= stop:
        raise invalid("query", "end", f"must be after start ({begin.isoformat()})")
    return Question(
        tenant=caller.tenant,
        devices=tuple(sorted(devices)),
        metrics=tuple(sorted(metrics)),
        start=to_millis(begin),
        end=to_millis(stop),
    )


async def _past(caller: Viewer, wired: Wired) -> Past:
    del caller  # whoever may not ask is not told how the service runs
    if wired.past is None:
        raise ProblemError(503, "This service runs without a lake.")
    return wired.past


Asked = Annotated[Question, Depends(_question)]
ThePast = Annotated[Past, Depends(_past)]

_EXAMPLE_KEY: Final = {"device": "truck-7", "metric": "temperature", "unit": "Cel"}
_EXAMPLE_RANGE: Final = {"start": examples.DEVICE.first_seen, "end": examples.DEVICE.last_seen}
_PAGE_EXAMPLE: Final = HistoryPage(
    **_EXAMPLE_RANGE,
    lake_until=examples.FORECAST.known_at,
    series=[HistorySeries(**_EXAMPLE_KEY, readings=[HistoryPoint(ts=examples.FORECAST.known_at, value=4.2)])],
)
_AGGREGATES_EXAMPLE: Final = HistoryAggregates(
    **_EXAMPLE_RANGE,
    bucket=Bucket.HOUR,
    lake_until=examples.FORECAST.known_at,
    series=[
        AggregateSeries(
            **_EXAMPLE_KEY,
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


@router.get("/readings", responses={200: examples.shown(_PAGE_EXAMPLE), **examples.problems(502, 503)})
async def list_history(
    request: Request,
    past: ThePast,
    asked: Asked,
    limit: Annotated[int, Query(ge=1, le=50_000, description="Readings a page holds at most.")] = 10_000,
    cursor: Cursor = None,
) -> HistoryPage:
    """Readings with `start` <= `ts` < `end` of several devices and metrics, by device, metric and time."""
    after = _position(decode("history", cursor))
    with explained("query"):
        answer = await unless_gone(request, past.readings(asked, after=after, limit=limit))
    last = answer.rows[-1].key if answer.more else None
    return HistoryPage(
        start=from_millis(asked.start),
        end=from_millis(asked.end),
        lake_until=from_millis(answer.seam),
        series=[
            HistorySeries(
                device=device,
                metric=metric,
                unit=unit,
                readings=[HistoryPoint(ts=from_millis(key.ts), value=value) for key, value in rows],
            )
            for (device, metric, unit), rows in by_series(answer.rows)
        ],
        next_cursor=encode("history", " ".join(map(str, last))) if last is not None else None,
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


@router.get(
    "/export",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "The file: columns device, metric, ts, value, unit; sorted.",
            "content": {
                "text/csv": {
                    "schema": {"type": "string"},
                    "example": "device,metric,ts,value,unit\ntruck-7,temperature,2026-05-28T20:26:40Z,4.2,Cel\n",
                },
                "application/vnd.apache.parquet": {},
                "application/vnd.apache.arrow.stream": {},
            },
        },
        **examples.problems(502, 503),
    },
)
async def export_history(
    request: Request,
    past: ThePast,
    asked: Asked,
    form: Annotated[Format, Query(alias="format", description="What the file is to be.")] = Format.CSV,
) -> StreamingResponse:
    """Readings with `start` <= `ts` < `end` as one file, sent while it is made."""
    # PyArrow takes 60 MB, which a process that exports nothing does without.
    from sensorcast_api.history.export import encoded

    with explained("query"):
        parts = await unless_gone(request, past.stream(asked))
    name = f"{asked.tenant}-{from_millis(asked.start):%Y%m%dT%H%M%SZ}-{from_millis(asked.end):%Y%m%dT%H%M%SZ}"
    return StreamingResponse(
        encoded(parts, form),
        media_type=form.media_type,
        headers={"Content-Disposition": f'attachment; filename="{name}.{form.value}"'},
    )


def _bucket(each: Aggregate) -> HistoryBucket:
    figures = each._asdict()
    key: RowKey = figures.pop("key")
    return HistoryBucket(start=from_millis(key.ts), count=figures.pop("readings"), **figures)


def _position(position: str | None) -> RowKey | None:
    """The last row of the page before."""
    if position is None:
        return None
    parts = position.split(" ")
    if len(parts) == 4 and all(is_name(name) for name in parts[:2]) and parts[2].isascii() and parts[2].isdigit():
        device, metric, ts, unit = parts
        if len(ts) < 14:
            return RowKey(device, metric, int(ts), unit)
    raise invalid("query", "cursor", "not a cursor of this list")


@contextmanager
def explained(place: Place) -> Iterator[None]:
    """Turn what the lake cannot do into a problem that says what to do; `place` is where `start` was sent."""
    try:
        yield
    except ScansTooMuch as error:
        raise invalid(place, "start", "the range scans more than one query may: take a shorter one") from error
    except TooManyRecent as error:
        raise invalid(place, "start", f"{error}: take a shorter range or fewer devices") from error
    except LakeBusy as error:
        raise ProblemError(503, f"The lake is busy: {error}.", headers={"Retry-After": "5"}) from error
    except LakeFailed as error:
        log.warning("the lake could not be asked", reason=str(error))
        raise ProblemError(502, "The lake could not be asked; the reason is in the service's log.") from error
