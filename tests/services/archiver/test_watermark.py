"""Readers of history hear how far the lake is for sure: never further than the slowest archiver."""

import asyncio

from tests.servers.aws import DeployedStack
from tests.servers.waiting import until
from tests.services.archiver.samples import batch, reading
from tests.services.archiver.test_archive import running

from sensorcast_archiver.archive import Limits
from sensorcast_archiver.watermark import ON_THE_WAY_MS, Watermark, upto
from sensorcast_common.tables.watermarks import WatermarksTable

NOW = 4_102_444_800_000


def test_what_is_held_or_waits_behind_the_last_batch_holds_the_mark_back() -> None:
    assert upto(oldest_held=None, last_taken=None, now=NOW) == NOW - ON_THE_WAY_MS
    assert upto(oldest_held=NOW - 500_000, last_taken=NOW - 10, now=NOW) == NOW - 500_000
    assert upto(oldest_held=None, last_taken=NOW - 900_000, now=NOW) == NOW - 900_000


async def test_a_batch_counts_as_behind_until_the_lake_has_it() -> None:
    async with running(Limits(hot_seconds=0.01, lake_seconds=0.01)) as harness:
        harness.lake.away = True
        held = asyncio.create_task(harness.archive.hold(batch(reading(7))))
        await until(lambda: harness.lake.tries > 0, within=10)
        assert harness.archive.behind() == (reading(7).received_at,) * 2
        harness.lake.away = False
        await held
        assert harness.archive.behind() == (None, reading(7).received_at)


async def test_the_slowest_archiver_counts_and_the_dead_ones_for_a_while(stack: DeployedStack) -> None:
    async with stack.aws.client("dynamodb") as dynamodb:
        table = WatermarksTable(dynamodb, stack.names)
        assert await table.lowest(now=NOW) is None

        def mark(name: str, oldest: int | None) -> Watermark:
            return Watermark(
                table, archiver=name, state=lambda: (oldest, None), visibility_seconds=180, clock=lambda: NOW, every=30
            )

        await mark("idle", None).tell()
        await mark("slow", NOW - 700_000).tell()
        assert await table.lowest(now=NOW) == NOW - 700_000
        await mark("slow", NOW - 700_000).leave()  # it stops with something in hand: others will get it
        assert await table.lowest(now=NOW + 180_000) == NOW - 700_000
        assert await table.lowest(now=NOW + 1_000_000) is None
        await mark("slow", None).leave()
        assert await table.lowest(now=NOW) == NOW - ON_THE_WAY_MS
