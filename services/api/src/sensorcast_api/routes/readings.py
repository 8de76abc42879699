"""Readings of one series in a range, from the hot store."""

from datetime import datetime, timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Query
from pydantic import BaseModel

from sensorcast_api import examples
from sensorcast_api.auth import Viewer
from sensorcast_api.paging import Cursor, decode, encode
from sensorcast_api.parameters import DevicePath, MetricQuery, Time
from sensorcast_api.ports import Readings
from sensorcast_api.problems import invalid, not_found
from sensorcast_api.routes.devices import existing
from sensorcast_api.services import Wired
from sensorcast_common.clock import UtcDatetime, from_millis, to_millis

router = APIRouter(prefix="/v1/devices/{device}/readings", tags=["readings"])

DEFAULT_RANGE: Final = timedelta(hours=1)
_FIRST_WINDOW_MS: Final = 3_600_000
_WIDEST_WINDOW_MS: Final = 86_400_000


class Point(BaseModel):
    """One reading: time of measurement and value."""

    ts: UtcDatetime
    value: float


class ReadingsPage(BaseModel):
    """Readings of one series, ascending by time, one per time.

    Attributes:
        device: Whose series.
        metric: Which series.
        unit: SenML unit of all values.
        start: First time asked for.
        end: First time no longer asked for.
        readings: With `start` <= `ts` < `end`.
        next_cursor: Asks for the next page; null on the last one.
    """

    device: str
    metric: str
    unit: str
    start: UtcDatetime
    end: UtcDatetime
    readings: list[Point]
    next_cursor: str | None = None


_EXAMPLE: Final = ReadingsPage(
    device="truck-7",
    metric="temperature",
    unit="Cel",
    start=examples.DEVICE.first_seen,
    end=examples.DEVICE.last_seen,
    readings=[Point(ts=examples.FORECAST.known_at, value=4.2)],
)


@router.get("", responses={200: examples.shown(_EXAMPLE), **examples.problems(404)})
async def list_readings(
    caller: Viewer,
    wired: Wired,
    device: DevicePath,
    metric: MetricQuery,
    start: Annotated[Time | None, Query(description="First time wanted; an hour before `end` by default.")] = None,
    end: Annotated[Time | None, Query(description="First time no longer wanted; now by default.")] = None,
    limit: Annotated[int, Query(ge=1, le=10_000, description="Readings a page holds at most.")] = 1_000,
    cursor: Cursor = None,
) -> ReadingsPage:
    """Readings with `start` <= `ts` < `end`, ascending. The hot store keeps seven days by default."""
    known = (await existing(wired.stores.devices, caller.tenant, device)).metrics.get(metric)
    if known is None:
        raise not_found("metric of this device")
    position = decode("readings", cursor)
    begin, stop = _bounds(start, end, now=from_millis(wired.clock()), longest=wired.limits.range_seconds)
    resume, stop_ms = _position(position, to_millis(begin), to_millis(stop))
    points, unit, more = await _collect(
        wired.stores.readings, caller.tenant, device, metric, start=resume, end=stop_ms, limit=limit
    )
    return ReadingsPage(
        device=device,
        metric=metric,
        unit=unit or known.unit,
        start=begin,
        end=from_millis(stop_ms),
        readings=points,
        next_cursor=encode("readings", f"{more}:{stop_ms}") if more is not None else None,
    )


def _bounds(start: datetime | None, end: datetime | None, *, now: datetime, longest: int) -> tuple[datetime, datetime]:
    """The range asked for.

    Raises:
        ProblemError: It is empty or too long; the problem names the field.
    """
    stop = end or (max(now, start + DEFAULT_RANGE) if start and start > now else now)
    begin = start or stop - DEFAULT_RANGE
    if begin >= stop:
        raise invalid("query", "end", f"must be after start ({begin.isoformat()})")
    if stop - begin > timedelta(seconds=longest):
        raise invalid("query", "start", f"the range may be {longest} s long at most")
    return begin, stop


def _position(position: str | None, begin: int, stop: int) -> tuple[int, int]:
    """Where to go on and where to end: the end is part of the cursor, since `now` moves between two pages."""
    if position is None:
        return begin, stop
    parts = position.split(":")
    if len(parts) != 2 or not all(part.isascii() and part.isdigit() and len(part) < 14 for part in parts):
        raise invalid("query", "cursor", "not a cursor of this list")
    at, fixed_stop = int(parts[0]), int(parts[1])
    if not begin <= at < fixed_stop or fixed_stop > stop:
        raise invalid("query", "cursor", "outside the range; keep the same start and end while paging")
    return at, fixed_stop


async def _collect(
    store: Readings, tenant: str, device: str, metric: str, *, start: int, end: int, limit: int
) -> tuple[list[Point], str | None, int | None]:
    """Read window by window until the page is full, so that a small page of a long range stays a small read.

    Returns:
        The points, their unit if there is any, and the time the next page begins at, `None` after the last.
    """
    points: list[Point] = []
    unit: str | None = None
    width = _FIRST_WINDOW_MS
    while start < end:
        stop = min(start + width, end)
        series = (await store.read(tenant, device, start=start, end=stop, metrics=[metric])).get(metric)
        if series is not None:
            if unit is not None and series.unit != unit:
                # The device changed its unit: the page ends here, the next one has the new unit.
                return points, unit, series.ts[0]
            unit = series.unit
            room = limit - len(points)
            points += [
                Point(ts=from_millis(ts), value=value)
                for ts, value in zip(series.ts[:room], series.value[:room], strict=True)
            ]
            if len(series.ts) > room:
                return points, unit, series.ts[room]
        start, width = stop, min(width * 2, _WIDEST_WINDOW_MS)
    return points, unit, None
