"""The past is read once, then only its end, and the memory of it is bounded."""

from collections.abc import Collection

import numpy as np

from sensorcast_common.tables.hot_chunk import SeriesColumns
from sensorcast_forecaster.history import History, HistorySpan, HotReader

MINUTE = 60_000
HOUR = 60 * MINUTE
NOW = 1_767_225_600_000
SPAN = HistorySpan(dense=2 * HOUR, sparse=24 * HOUR, overlap=15 * MINUTE, refresh=HOUR)


class FakeHotStore(HotReader):
    """Readings in memory; remembers which ranges were asked for."""

    def __init__(self, ts: Collection[int], *, unit: str = "Cel") -> None:
        self.readings = {at: float(at - NOW) for at in ts}
        self.unit = unit
        self.asked: list[tuple[int, int]] = []

    async def read(
        self, tenant: str, device: str, *, start: int, end: int, metrics: Collection[str] | None = None
    ) -> dict[str, SeriesColumns]:
        self.asked.append((start, end))
        ts = sorted(at for at in self.readings if start <= at < end)
        return {"temperature": SeriesColumns(ts, [self.readings[at] for at in ts], self.unit)} if ts else {}


def every(milliseconds: int, *, hours: int) -> range:
    return range(NOW - hours * HOUR, NOW + HOUR + 1, milliseconds)


async def times(history: History, known_at: int, device: str = "truck-1") -> list[int]:
    series = await history.read("acme", device, known_at=known_at)
    return [int(at) for at in series["temperature"].ts]


async def test_second_read_asks_for_the_end_only() -> None:
    store = FakeHotStore(every(MINUTE, hours=4))
    history = History(store, span=SPAN, max_points=10_000)

    assert await times(history, NOW) == list(range(NOW - 2 * HOUR, NOW + 1, MINUTE))
    later = NOW + 5 * MINUTE
    assert await times(history, later) == list(range(later - 2 * HOUR, later + 1, MINUTE))
    assert store.asked == [(NOW - 2 * HOUR, NOW + 1), (NOW + 1 - 15 * MINUTE, later + 1)]


async def test_readings_that_came_late_are_found() -> None:
    store = FakeHotStore(every(MINUTE, hours=4))
    late, much_later = NOW - 10 * MINUTE, NOW - 100 * MINUTE
    held_back = {at: store.readings.pop(at) for at in (late, much_later)}
    history = History(store, span=SPAN, max_points=10_000)
    await times(history, NOW)
    store.readings.update(held_back)

    soon = await times(history, NOW + 5 * MINUTE)
    assert late in soon
    assert much_later not in soon
    after_refresh = await times(history, NOW + HOUR)
    assert NOW - 30 * MINUTE in after_refresh
    assert store.asked[-1] == (NOW - HOUR, NOW + HOUR + 1)


async def test_repeated_job_reads_nothing_again() -> None:
    store = FakeHotStore(every(MINUTE, hours=4))
    history = History(store, span=SPAN, max_points=10_000)
    first = await times(history, NOW)
    assert await times(history, NOW) == first
    assert len(store.asked) == 1


async def test_rare_readings_are_read_from_further_back() -> None:
    store = FakeHotStore(every(5 * MINUTE, hours=48))
    history = History(store, span=SPAN, max_points=10_000)
    assert await times(history, NOW) == list(range(NOW - 24 * HOUR, NOW + 1, 5 * MINUTE))


async def test_memory_is_bounded_and_the_oldest_is_forgotten() -> None:
    store = FakeHotStore(every(MINUTE, hours=4))
    history = History(store, span=SPAN, max_points=250)
    await times(history, NOW, "a")
    await times(history, NOW, "b")
    await times(history, NOW, "c")
    assert history.points <= 250
    store.asked.clear()
    await times(history, NOW, "c")
    assert store.asked == []
    await times(history, NOW, "a")
    assert len(store.asked) == 1


async def test_without_memory_everything_is_read_each_time() -> None:
    store = FakeHotStore(every(MINUTE, hours=4))
    history = History(store, span=SPAN, max_points=0)
    assert await times(history, NOW) == await times(history, NOW)
    assert len(store.asked) == 2


async def test_new_unit_replaces_the_old_past() -> None:
    store = FakeHotStore(every(MINUTE, hours=4))
    history = History(store, span=SPAN, max_points=10_000)
    await times(history, NOW)
    store.unit = "K"
    series = (await history.read("acme", "truck-1", known_at=NOW + 5 * MINUTE))["temperature"]
    assert series.unit == "K"
    assert np.all(series.ts >= NOW - 15 * MINUTE)
