"""Readings of one series in a range, from the hot store."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import BaseModel

from sensorcast_api import examples
from sensorcast_api.auth import Viewer
from sensorcast_api.downsample import FEWEST, Method, chosen
from sensorcast_api.paging import Cursor, decode, encode
from sensorcast_api.parameters import DevicePath, MetricQuery, Time
from sensorcast_api.points import written
from sensorcast_api.ports import Readings
from sensorcast_api.problems import invalid, not_found
from sensorcast_api.quick_route import QuickRoute
from sensorcast_api.routes.devices import existing
from sensorcast_api.services import Wired
from sensorcast_common.clock import UtcDatetime, from_millis, to_millis

router = APIRouter(prefix="/v1/devices/{device}/readings", tags=["readings"], route_class=QuickRoute)

DEFAULT_RANGE: Final = timedelta(hours=1)
MOST_THINNED: Final = 1_000_000
"""Readings that are looked at for one thinned answer, more than a week of one a second."""

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
        thinned_from: How many readings the points were chosen from; null where all of them are here.
        next_cursor: Asks for the next page; null on the last one.
    """

    device: str
    metric: str
    unit: str
    start: UtcDatetime
    end: UtcDatetime
    readings: list[Point]
    thinned_from: int | None = None
    next_cursor: str | None = None


_EXAMPLE: Final = ReadingsPage(
    device="truck-7",
    metric="temperature",
    unit="Cel",
    start=examples.DEVICE.first_seen,
    end=examples.DEVICE.last_seen,
    readings=[Point(ts=examples.FORECAST.known_at, value=4.2)],
)


@router.get("", response_model=ReadingsPage, responses={200: examples.shown(_EXAMPLE), **examples.problems(404)})
async def list_readings(
    caller: Viewer,
    wired: Wired,
    device: DevicePath,
    metric: MetricQuery,
    start: Annotated[Time | None, Query(description="First time wanted; an hour before `end` by default.")] = None,
    end: Annotated[Time | None, Query(description="First time no longer wanted; now by default.")] = None,
    points: Annotated[
        int | None, Query(ge=FEWEST, le=5_000, description="Thin the whole range out to so many points, on one page.")
    ] = None,
    method: Annotated[
        Method, Query(description="How points are chosen: `minmax` loses no peak, `lttb` keeps the line's shape.")
    ] = Method.MINMAX,
    limit: Annotated[int, Query(ge=1, le=10_000, description="Readings a page holds at most.")] = 1_000,
    cursor: Cursor = None,
) -> Response:
    """Readings with `start` <= `ts` < `end`, ascending. The hot store keeps seven days by default.

    With `points` the range comes thinned out to what a chart of this width shows, and `limit` is ignored. A change of
    the unit ends a page in either case.
    """
    known = (await existing(wired.stores.devices, caller.tenant, device)).metrics.get(metric)
    if known is None:
        raise not_found("metric of this device")
    position = decode("readings", cursor)
    begin, stop = _bounds(start, end, now=from_millis(wired.clock()), longest=wired.limits.range_seconds)
    resume, stop_ms = _position(position, to_millis(begin), to_millis(stop))
    store = wired.stores.readings
    most = limit if points is None else MOST_THINNED
    found = await _collect(store, caller.tenant, device, metric, start=resume, end=stop_ms, limit=most)
    if points is not None and found.full:
        raise invalid("query", "start", f"the range holds more than {MOST_THINNED} readings: ask for a shorter one")
    total = len(found.ts)
    ts, value = found.ts, found.value
    if points is not None and total > points:
        shown = await asyncio.to_thread(chosen, ts, value, points=points, method=method)
        ts, value = [ts[at] for at in shown], [value[at] for at in shown]
    page = ReadingsPage(
        device=device,
        metric=metric,
        unit=found.unit or known.unit,
        start=begin,
        end=from_millis(stop_ms),
        readings=[],
        thinned_from=total if len(ts) < total else None,
        next_cursor=None if found.more is None else encode("readings", f"{found.more}:{stop_ms}"),
    )
    head = page.model_dump_json(exclude={"readings"}).encode()
    return Response(b'%s,"readings":[%s]}' % (head[:-1], written(ts, value)), media_type="application/json")


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


@dataclass(slots=True)
class _Found:
    """Readings of one unit.

    Attributes:
        ts: Times, ascending.
        value: As many values.
        unit: Their unit; `None` where there are none.
        more: Time of the first reading that did not fit, `None` where all did.
        full: Whether it did not fit because of the limit, and not because of its unit.
    """

    ts: list[int] = field(default_factory=list)
    value: list[float] = field(default_factory=list)
    unit: str | None = None
    more: int | None = None
    full: bool = False


async def _collect(
    store: Readings, tenant: str, device: str, metric: str, *, start: int, end: int, limit: int
) -> _Found:
    """Read window by window until the page is full, so that a small page of a long range stays a small read."""
    found = _Found()
    width = _FIRST_WINDOW_MS
    while start < end:
        stop = min(start + width, end)
        series = (await store.read(tenant, device, start=start, end=stop, metrics=[metric])).get(metric)
        if series is not None:
            if found.unit is not None and series.unit != found.unit:
                # The device changed its unit: the page ends here, the next one has the new unit.
                found.more = series.ts[0]
                return found
            found.unit = series.unit
            room = limit - len(found.ts)
            found.ts += series.ts[:room]
            found.value += series.value[:room]
            if len(series.ts) > room:
                found.more, found.full = series.ts[room], True
                return found
        start, width = stop, min(width * 2, _WIDEST_WINDOW_MS)
    return found
