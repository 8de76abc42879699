"""Answers questions about the past from lake and hot store together."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Final, NamedTuple, Protocol

from sensorcast_api.history import sql
from sensorcast_api.history.question import Aggregate, Bounds, Bucket, Question, Row, RowKey
from sensorcast_api.history.seam import seam
from sensorcast_api.history.sql import Statement
from sensorcast_api.history.sums import joined, summed
from sensorcast_api.ports import Readings
from sensorcast_common.clock import Clock

MOST_RECENT_ROWS: Final = 500_000
"""Readings after the seam that one answer may sum up."""

_DAY_MS: Final = 24 * 60 * 60_000
_AT_ONCE: Final = 16


class Lake(Protocol):
    """Athena, or what stands for it."""

    @property
    def table(self) -> str:
        """The qualified name of the readings' table."""
        ...

    async def run(self, statement: Statement, *, reuse_minutes: int = 0) -> str:
        """Run a statement; where its result lies."""
        ...

    def rows(self, location: str) -> AsyncIterator[list[list[str]]]:
        """The rows of a result."""
        ...


class Watermarks(Protocol):
    """How far the lake is."""

    async def lowest(self, *, now: int) -> int | None:
        """Time of receipt before which the lake has everything."""
        ...


class TooManyRecent(Exception):  # noqa: N818 - an answer, not a failure
    """More readings after the seam than one answer may sum up."""


class Answered(NamedTuple):
    """Rows and where they came from.

    Attributes:
        rows: Sorted, each once.
        seam: From here on (ms) the hot store was asked as well.
        more: Whether more rows follow.
    """

    rows: list[Row]
    seam: int
    more: bool


class Past:
    """The past of every tenant.

    Args:
        lake: The lake.
        hot: The hot store.
        watermarks: How far the lake is.
        clock: The present, in milliseconds since 1970 UTC.
        reuse_minutes: How old a result may be that Athena uses again, for ranges that ended a day ago.
    """

    def __init__(
        self, *, lake: Lake, hot: Readings, watermarks: Watermarks, clock: Clock, reuse_minutes: int = 60
    ) -> None:
        self._lake = lake
        self._hot = hot
        self._watermarks = watermarks
        self._clock = clock
        self._reuse_minutes = reuse_minutes

    async def readings(self, question: Question, *, after: RowKey | None, limit: int) -> Answered:
        """One page of readings.

        Args:
            question: What is asked.
            after: The last row of the page before.
            limit: Rows a page holds at most.
        """
        at = await self._seam()
        statement = sql.rows(question, table=self._lake.table, after=after, limit=limit + 1)
        lake, hot = await asyncio.gather(self._lake_rows(statement, question), self._hot_rows(question, at))
        every = joined(lake, (row for row in hot if after is None or row.key > after))
        # What is beyond the lake's last row may have others before it; it is never among the first `limit`.
        return Answered(every[:limit], at, len(every) > limit)

    async def aggregates(self, question: Question, *, bucket: Bucket, bounds: Bounds) -> tuple[list[Aggregate], int]:
        """All aggregates, and the seam; buckets before it come from Athena, the others are summed up here.

        Raises:
            TooManyRecent: More readings lie after the seam than is sensible.
        """
        at = min(max(await self._seam(bucket), question.start), question.end)
        # A range that starts within a bucket has part of that bucket, wherever it is summed up.
        before, after = question.start < at, at < question.end
        old: list[Aggregate] = []
        recent: list[Aggregate] = []

        async def from_lake() -> None:
            past = _between(question, question.start, at)
            statement = sql.aggregates(past, table=self._lake.table, bucket=bucket, bounds=bounds)
            location = await self._lake.run(statement, reuse_minutes=self._reuse(past))
            async for part in self._lake.rows(location):
                old.extend(_aggregate(cells) for cells in part)

        async def from_both() -> None:
            rest = _between(question, at, question.end)
            statement = sql.rows(rest, table=self._lake.table, limit=MOST_RECENT_ROWS + 1)
            lake, hot = await asyncio.gather(self._lake_rows(statement, rest), self._hot_rows(rest, at))
            rows = joined(lake, hot)
            if len(rows) > MOST_RECENT_ROWS:
                raise TooManyRecent(f"more than {MOST_RECENT_ROWS} readings are too young to be summed up in the lake")
            recent.extend(summed(rows, bucket=bucket, bounds=bounds))

        async with asyncio.TaskGroup() as group:
            if before:
                group.create_task(from_lake())
            if after:
                group.create_task(from_both())
        return sorted(old + recent), at

    async def stream(self, question: Question) -> AsyncIterator[list[Row]]:
        """Every row, sorted, some thousands at a time; the lake has answered when this returns."""
        at = await self._seam()
        statement = sql.rows(question, table=self._lake.table)
        location, hot = await asyncio.gather(
            self._lake.run(statement, reuse_minutes=self._reuse(question)), self._hot_rows(question, at)
        )
        return _merged(self._lake.rows(location), joined([], hot))

    async def _seam(self, bucket: Bucket | None = None) -> int:
        now = self._clock()
        return seam(await self._watermarks.lowest(now=now), now=now, bucket=bucket)

    def _reuse(self, question: Question) -> int:
        """Late readings may still change a young range, so only what ended a day ago is used again."""
        return self._reuse_minutes if question.end < self._clock() - _DAY_MS else 0

    async def _lake_rows(self, statement: Statement, question: Question) -> list[Row]:
        location = await self._lake.run(statement, reuse_minutes=self._reuse(question))
        return [_row(cells) async for part in self._lake.rows(location) for cells in part]

    async def _hot_rows(self, question: Question, at: int) -> list[Row]:
        start = max(question.start, at)
        if start >= question.end:
            return []
        places = asyncio.Semaphore(_AT_ONCE)

        async def read(device: str) -> Iterable[Row]:
            async with places:
                series = await self._hot.read(
                    question.tenant, device, start=start, end=question.end, metrics=question.metrics
                )
            return _rows_of(device, series)

        found = await asyncio.gather(*(read(device) for device in question.devices))
        return [row for rows in found for row in rows]


def _rows_of(device: str, series: Mapping[str, "_Series"]) -> list[Row]:
    return [
        Row(RowKey(device, metric, ts, one.unit), value)
        for metric, one in series.items()
        for ts, value in zip(one.ts, one.value, strict=True)
    ]


class _Series(Protocol):
    @property
    def ts(self) -> Sequence[int]: ...
    @property
    def value(self) -> Sequence[float]: ...
    @property
    def unit(self) -> str: ...


def _between(question: Question, start: int, end: int) -> Question:
    return Question(tenant=question.tenant, devices=question.devices, metrics=question.metrics, start=start, end=end)


async def _merged(lake: AsyncIterator[list[list[str]]], hot: list[Row]) -> AsyncIterator[list[Row]]:
    """Two sorted sources as one, each row once."""
    at = 0
    async for part in lake:
        rows = [_row(cells) for cells in part]
        if not rows:
            continue
        stop = at
        while stop < len(hot) and hot[stop].key <= rows[-1].key:
            stop += 1
        yield joined(rows, hot[at:stop]) if at < stop else rows
        at = stop
    if at < len(hot):
        yield hot[at:]


def _row(cells: Sequence[str]) -> Row:
    device, metric, ms, unit, value = cells
    return Row(RowKey(device, metric, int(ms), unit), float(value))


def _aggregate(cells: Sequence[str]) -> Aggregate:
    device, metric, ms, unit, count, *figures, inside, mkt = cells
    low, high, mean, p05, p50, p95 = (float(figure) for figure in figures)
    return Aggregate(
        key=RowKey(device, metric, int(ms), unit),
        readings=int(count),
        min=low,
        max=high,
        mean=mean,
        p05=p05,
        p50=p50,
        p95=p95,
        inside=float(inside) if inside else None,
        mkt=float(mkt) if mkt else None,
    )
