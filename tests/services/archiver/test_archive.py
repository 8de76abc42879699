"""A batch's holder returns when both stores have it, and memory is bounded while one is away."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from prometheus_client import CollectorRegistry
from tests.servers.waiting import until
from tests.services.archiver.samples import batch, reading

from sensorcast_archiver.accept import HotBatch
from sensorcast_archiver.archive import Archive, HotPort, LakePort, Limits, Store
from sensorcast_archiver.lake.write import Committed, LakeBatch
from sensorcast_archiver.metrics import ArchiverMetrics
from sensorcast_common.errors import Poison


class FakeHot(HotPort):
    def __init__(self) -> None:
        self.writes: list[list[str]] = []
        self.away = False
        self.tries = 0

    async def write(self, batches: Sequence[HotBatch]) -> None:
        self.tries += 1
        if self.away:
            raise ConnectionError("DynamoDB is away")
        self.writes.append([one.batch_id for one in batches])


class FakeLake(LakePort):
    def __init__(self) -> None:
        self.commits: list[list[str]] = []
        self.away = False
        self.tries = 0

    async def commit(self, batches: Sequence[LakeBatch]) -> Committed:
        self.tries += 1
        if self.away:
            raise ConnectionError("the lake is away")
        self.commits.append([one.batch_id for one in batches])
        return Committed(rows=sum(len(one.rows) for one in batches))


class Harness:
    def __init__(self, limits: Limits) -> None:
        self.hot = FakeHot()
        self.lake = FakeLake()
        self.registry = CollectorRegistry()
        self.archive = Archive(hot=self.hot, lake=self.lake, limits=limits, metrics=ArchiverMetrics(self.registry))

    def value(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(f"sensorcast_archiver_{name}", labels) or 0.0


@asynccontextmanager
async def running(limits: Limits) -> AsyncIterator[Harness]:
    harness = Harness(limits)
    archive = harness.archive
    loops = [asyncio.create_task(loop()) for loop in (archive.run_hot, archive.run_lake, archive.run_renewals)]
    try:
        yield harness
        assert not any(loop.done() for loop in loops)
    finally:
        for loop in loops:
            loop.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await loop


QUICK = Limits(hot_seconds=0.02, lake_seconds=0.05)


async def test_the_holder_waits_for_both_stores() -> None:
    async with running(Limits(hot_seconds=0.01, lake_seconds=0.3)) as at:
        holding = asyncio.create_task(at.archive.hold(batch(reading())))
        await until(lambda: bool(at.hot.writes))
        assert not holding.done()
        assert not at.lake.commits
        await asyncio.wait_for(holding, 5)
        assert len(at.lake.commits) == 1


@pytest.mark.parametrize("away", ["hot", "lake"])
async def test_nothing_returns_while_a_store_is_away_and_it_recovers_by_itself(away: str) -> None:
    async with running(QUICK) as at:
        store = at.hot if away == "hot" else at.lake
        store.away = True
        holding = [asyncio.create_task(at.archive.hold(batch(reading(i)))) for i in range(3)]
        await until(lambda: store.tries >= 2)
        assert not any(task.done() for task in holding)
        with pytest.raises(ConnectionError, match="is away"):
            await at.archive.check(Store(away))
        store.away = False
        await asyncio.wait_for(asyncio.gather(*holding), 10)
        await at.archive.check(Store(away))
        assert at.value("failed_writes_total", store=away) >= 2
        assert at.value("held_batches") == at.value("held_bytes") == 0


async def test_batches_are_written_together() -> None:
    async with running(Limits(hot_seconds=0.1, lake_seconds=0.1)) as at:
        await asyncio.gather(*(at.archive.hold(batch(reading(i))) for i in range(5)))
        assert [len(ids) for ids in at.hot.writes] == [5]
        assert [len(ids) for ids in at.lake.commits] == [5]


async def test_a_size_limit_writes_early() -> None:
    async with running(Limits(hot_seconds=60, hot_readings=10, lake_seconds=60, lake_batches=2)) as at:
        big = batch(*(reading(i) for i in range(10)))
        holding = asyncio.gather(at.archive.hold(big), at.archive.hold(batch(reading())))
        await asyncio.wait_for(holding, 5)


async def test_a_batch_held_twice_is_stored_once() -> None:
    async with running(QUICK) as at:
        one = batch(reading())
        await asyncio.gather(at.archive.hold(one), at.archive.hold(one))
        assert at.lake.commits == [[one.batch_id]]
        assert at.value("skipped_batches_total", reason="held") == 1


async def test_a_cancelled_holder_leaves_the_other_waiting() -> None:
    async with running(Limits(hot_seconds=0.1, lake_seconds=0.2)) as at:
        one = batch(reading())
        first = asyncio.create_task(at.archive.hold(one))
        second = asyncio.create_task(at.archive.hold(one))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.wait_for(second, 5)
        assert first.cancelled()


async def test_a_bad_batch_fails_alone() -> None:
    async with running(QUICK) as at:
        good, bad = batch(reading()), batch(reading(tenant="#"))
        results = await asyncio.gather(at.archive.hold(good), at.archive.hold(bad), return_exceptions=True)
        assert results[0] is None
        assert isinstance(results[1], Poison)


async def test_no_more_is_taken_while_too_much_is_held() -> None:
    async with running(Limits(hot_seconds=0.01, lake_seconds=0.01, held_bytes=1000)) as at:
        at.lake.away = True
        await asyncio.wait_for(at.archive.room(), 1)
        first = asyncio.create_task(at.archive.hold(batch(*(reading(i) for i in range(100)))))
        await until(lambda: at.lake.tries >= 1)
        room = asyncio.create_task(at.archive.room())
        done, _ = await asyncio.wait({room}, timeout=0.2)
        assert not done
        at.lake.away = False
        await asyncio.wait_for(room, 5)
        await first


async def test_hurry_writes_at_once_what_is_held_and_what_still_comes() -> None:
    async with running(Limits(hot_seconds=600, lake_seconds=600)) as at:
        held = asyncio.create_task(at.archive.hold(batch(reading())))
        await until(lambda: at.value("batches_total") == 1)
        at.archive.hurry()
        await asyncio.wait_for(held, 5)
        await asyncio.wait_for(at.archive.hold(batch(reading())), 5)


async def test_what_the_lake_does_not_take_is_kept_from_expiring_in_the_hot_store() -> None:
    async with running(Limits(hot_seconds=0.01, lake_seconds=0.01, renew_seconds=0.1)) as harness:
        harness.lake.away = True
        one = batch(reading())
        held = asyncio.create_task(harness.archive.hold(one))
        await until(lambda: len(harness.hot.writes) >= 3, within=20)
        assert harness.hot.writes[:3] == [[one.batch_id]] * 3
        harness.lake.away = False
        await held
        assert harness.value("held_batches") == 0
