"""Readings of the past, series by series."""

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel

from sensorcast_api import examples
from sensorcast_api.history.caller import unless_gone
from sensorcast_api.history.question import RowKey
from sensorcast_api.history.sums import by_series
from sensorcast_api.paging import Cursor, decode, encode
from sensorcast_api.problems import invalid
from sensorcast_api.routes.history.asked import EXAMPLE_KEY, EXAMPLE_RANGE, Asked, ThePast, explained
from sensorcast_common.clock import UtcDatetime, from_millis
from sensorcast_common.names import is_name

router = APIRouter(prefix="/v1/history", tags=["history"])


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


_PAGE_EXAMPLE: Final = HistoryPage(
    **EXAMPLE_RANGE,
    lake_until=examples.FORECAST.known_at,
    series=[HistorySeries(**EXAMPLE_KEY, readings=[HistoryPoint(ts=examples.FORECAST.known_at, value=4.2)])],
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
