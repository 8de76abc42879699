"""The recent past of devices, read from the hot store once and then only at its growing end."""

from collections import OrderedDict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from sensorcast_common.reading import SeriesKey
from sensorcast_common.tables.hot_chunk import SeriesColumns
from sensorcast_forecaster.older import OlderPast
from sensorcast_forecaster.regularize import RawSeries

DENSE_SPACING_SECONDS: Final = 150
"""A device that reports more rarely than this needs a longer past, and a longer past of it costs little."""


class HotReader(Protocol):
    """The port to the hot store; `sensorcast_common.tables.hot_store.HotStore` is one."""

    async def read(
        self, tenant: str, device: str, *, start: int, end: int, metrics: Collection[str] | None = None
    ) -> dict[str, SeriesColumns]:
        """One value per time of each metric in a range, `end` exclusive, milliseconds since 1970 UTC."""
        ...


@dataclass(frozen=True, slots=True)
class HistorySpan:
    """How far back to look, in milliseconds.

    Attributes:
        dense: For devices that report often.
        sparse: For those that report rarely; at most what the hot store keeps.
        overlap: How much of what is known is read again each time, for readings that arrived late.
        refresh: After how long all of it is read again, for what was sent much later.
    """

    dense: int
    sparse: int
    overlap: int = 15 * 60 * 1000
    refresh: int = 60 * 60 * 1000


@dataclass(slots=True)
class _Known:
    start: int
    until: int
    read_at: int
    series: dict[str, RawSeries]

    @property
    def points(self) -> int:
        return sum(len(raw.ts) for raw in self.series.values())


class History:
    """Reads and remembers; a replica that has not seen a device before reads all of its past once.

    Args:
        store: The hot store.
        span: How far back to look.
        max_points: Readings remembered at most, 16 bytes each; the devices asked for longest ago are forgotten first.
        older: What the store has no longer of devices that report rarely.
    """

    def __init__(self, store: HotReader, *, span: HistorySpan, max_points: int, older: OlderPast | None = None) -> None:
        if max_points < 0:
            raise ValueError(f"max_points: {max_points} must not be negative")
        self._store = store
        self._span = span
        self._max_points = max_points
        self._older = older
        self._known: OrderedDict[tuple[str, str], _Known] = OrderedDict()
        self._points = 0

    @property
    def points(self) -> int:
        """Readings remembered."""
        return self._points

    async def read(self, tenant: str, device: str, *, known_at: int) -> Mapping[str, RawSeries]:
        """All series of a device up to `known_at` (milliseconds since 1970 UTC), and possibly some readings after it.

        Raises:
            ValueError: The hot store holds something unreadable of this device.
        """
        key = (tenant, device)
        known = self._known.get(key)
        fresh = known is not None and known.start <= known_at < known.read_at + self._span.refresh
        known = await self._grown(known, key, known_at) if known and fresh else await self._whole(key, known_at)
        self._remember(key, known)
        return known.series

    async def _grown(self, known: _Known, key: tuple[str, str], known_at: int) -> _Known:
        if known.until > known_at:
            return known
        since = max(known.start, known.until - self._span.overlap)
        tail = _raw(key, await self._store.read(*key, start=since, end=known_at + 1))
        start = known.start + known_at + 1 - known.until
        merged = {
            metric: join(known.series.get(metric), tail.get(metric), since=since, start=start)
            for metric in known.series.keys() | tail.keys()
        }
        series = {metric: raw for metric, raw in merged.items() if raw is not None}
        return _Known(start=start, until=known_at + 1, read_at=known.read_at, series=series)

    async def _whole(self, key: tuple[str, str], known_at: int) -> _Known:
        start = max(0, known_at - self._span.dense)
        series = _raw(key, await self._store.read(*key, start=start, end=known_at + 1))
        most = max((len(raw.ts) for raw in series.values()), default=0)
        if 0 < most < self._span.dense / 1000 / DENSE_SPACING_SECONDS and self._span.sparse > self._span.dense:
            earlier = max(0, known_at - self._span.sparse)
            before = _raw(key, await self._store.read(*key, start=earlier, end=start))
            for metric in series.keys() & before.keys():
                joined = join(before[metric], series[metric], since=start, start=earlier)
                if joined is not None:
                    series[metric] = joined
            start = earlier
            if self._older is not None:
                start = await self._reach_back(self._older, series, since=start, known_at=known_at)
        return _Known(start=start, until=known_at + 1, read_at=known_at, series=series)

    async def _reach_back(self, older: OlderPast, series: dict[str, RawSeries], *, since: int, known_at: int) -> int:
        """Put the older past before what the store has since; tells from when on the past is known now."""
        start = max(0, known_at - older.reach)
        for metric, raw in list(series.items()):
            joined = join(await older.read(raw.series, known_at=known_at), raw, since=since, start=start)
            if joined is not None:
                series[metric] = joined
        return start

    def _remember(self, key: tuple[str, str], known: _Known) -> None:
        self._forget(key)
        self._known[key] = known
        self._points += known.points
        while self._points > self._max_points:
            self._forget(next(iter(self._known)))

    def _forget(self, key: tuple[str, str]) -> None:
        gone = self._known.pop(key, None)
        if gone is not None:
            self._points -= gone.points


def _raw(key: tuple[str, str], columns: Mapping[str, SeriesColumns]) -> dict[str, RawSeries]:
    return {
        metric: RawSeries(
            series=SeriesKey(*key, metric),
            unit=column.unit,
            ts=np.array(column.ts, dtype=np.int64),
            values=np.array(column.value, dtype=np.float64),
        )
        for metric, column in columns.items()
    }


def join(older: RawSeries | None, newer: RawSeries | None, *, since: int, start: int) -> RawSeries | None:
    """The older readings from `start` up to `since`, then the newer; a change of unit leaves the newer alone."""
    if older is None or newer is None or older.unit != newer.unit:
        only = newer or older
        return only if only is None else _cut(only, start, None)
    kept = _cut(older, start, since)
    if kept is None:
        return newer
    return RawSeries(
        series=newer.series,
        unit=newer.unit,
        ts=np.concatenate([kept.ts, newer.ts]),
        values=np.concatenate([kept.values, newer.values]),
    )


def _cut(raw: RawSeries, start: int, end: int | None) -> RawSeries | None:
    first = int(np.searchsorted(raw.ts, start))
    last = len(raw.ts) if end is None else int(np.searchsorted(raw.ts, end))
    if first >= last:
        return None
    # Copied, so that the whole is not kept alive by a view on its end.
    return RawSeries(
        series=raw.series, unit=raw.unit, ts=raw.ts[first:last].copy(), values=raw.values[first:last].copy()
    )
