"""The past is read once, then only its end, and the memory of it is bounded."""

from collections.abc import Collection

import numpy as np

from sensorcast_common.errors import Retryable
from sensorcast_common.reading import SeriesKey
from sensorcast_common.tables.hot_chunk import SeriesColumns
from sensorcast_forecaster.history import History, HistorySpan, HotReader
from sensorcast_forecaster.older import OlderPast, RareHistory
from sensorcast_forecaster.regularize import RawSeries

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


class FakeLake(RareHistory):
    """Two devices with a reading every five minutes for two days; remembers which ranges were asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, int]] = []
        self.away = False

    async def read_rare(self, tenant: str, metric: str, *, start: int, end: int, most: int) -> list[RawSeries]:
        self.asked.append((start, end))
        if self.away:
            raise Retryable("athena: failed", after=60)
        ts = np.array([at for at in every(5 * MINUTE, hours=72) if start <= at < end], dtype=np.int64)
        assert len(ts) <= most
        values = (ts - NOW).astype(np.float64)
        return [RawSeries(SeriesKey(tenant, name, metric), "Cel", ts, values) for name in ("truck-1", "b")]


def reaching_back(lake: FakeLake, store: HotReader) -> History:
    older = OlderPast(lake, reach=48 * HOUR, hot=SPAN.sparse, spacing_seconds=150, max_points=10_000)
    return History(store, span=SPAN, max_points=10_000, older=older)


async def test_the_older_past_of_rare_readings_is_read_from_the_lake_once_a_day_for_all_devices() -> None:
    lake = FakeLake()
    history = reaching_back(lake, FakeHotStore(range(NOW - 24 * HOUR, NOW + 25 * HOUR, 5 * MINUTE)))
    whole = list(range(NOW - 48 * HOUR, NOW + 1, 5 * MINUTE))
    assert await times(history, NOW) == await times(history, NOW, "b") == whole
    later = NOW + HOUR
    assert await times(history, later) == list(range(later - 48 * HOUR, later + 1, 5 * MINUTE))
    # A day more than the hot store lacks, so that no gap opens until the next day.
    assert lake.asked == [(NOW - 48 * HOUR, NOW)]
    tomorrow = NOW + 24 * HOUR
    assert await times(history, tomorrow, "b") == list(range(tomorrow - 48 * HOUR, tomorrow + 1, 5 * MINUTE))
    assert len(lake.asked) == 2


async def test_a_lake_that_does_not_answer_leaves_what_the_hot_store_has_and_is_asked_again() -> None:
    lake = FakeLake()
    lake.away = True
    history = reaching_back(lake, FakeHotStore(every(5 * MINUTE, hours=48)))
    assert await times(history, NOW) == list(range(NOW - 24 * HOUR, NOW + 1, 5 * MINUTE))
    lake.away = False
    assert (await times(history, NOW + HOUR))[0] == NOW - 47 * HOUR
    assert len(lake.asked) == 2


async def test_devices_that_report_often_are_not_looked_for_in_the_lake() -> None:
    lake = FakeLake()
    await times(reaching_back(lake, FakeHotStore(every(MINUTE, hours=48))), NOW)
    assert lake.asked == []
