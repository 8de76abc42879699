"""The archiver against real SQS, DynamoDB and S3 Tables APIs: from the queue into both stores, once."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

import pytest
from tests.servers.aws import DeployedStack
from tests.servers.waiting import until
from tests.services.archiver.conftest import Lake
from tests.services.archiver.samples import T0, batch, marked, reading

from sensorcast_archiver.app import build
from sensorcast_archiver.archive import LakePort
from sensorcast_archiver.lake.thread import LakeThread
from sensorcast_archiver.lake.write import Committed, LakeBatch, LakeWriter
from sensorcast_archiver.settings import ArchiverSettings
from sensorcast_common.batch import ReadingBatch
from sensorcast_common.lifecycle import Lifecycle
from sensorcast_common.tables.devices import DevicesTable
from sensorcast_common.tables.hot_store import HotStore

if TYPE_CHECKING:
    from types_aiobotocore_sqs import SQSClient

QUICK = ArchiverSettings(
    hot_flush_seconds=0.1, lake_commit_seconds=0.3, visibility_seconds=5, drain_seconds=10, lake_commit_batches=100
)


class DyingLake(LakePort):
    """Commits, and then never gets to say so: what a process does that dies between commit and delete."""

    def __init__(self, lake: LakePort) -> None:
        self._lake = lake
        self.committed = asyncio.Event()

    async def commit(self, batches: Sequence[LakeBatch]) -> Committed:
        await self._lake.commit(batches)
        self.committed.set()
        await asyncio.Event().wait()
        raise AssertionError


class Queue:
    """The queue `archive` and its dead letters, as an outsider sees them."""

    def __init__(self, stack: DeployedStack, sqs: "SQSClient") -> None:
        self._sqs = sqs
        self._name = stack.names.queue_archive
        self._dead = stack.names.dead_letter(self._name)

    async def send(self, *messages: ReadingBatch | str) -> None:
        url = (await self._sqs.get_queue_url(QueueName=self._name))["QueueUrl"]
        for message in messages:
            body = message if isinstance(message, str) else message.encode()
            await self._sqs.send_message(QueueUrl=url, MessageBody=body)

    async def depth(self) -> tuple[int, int]:
        """Messages that are visible, and in flight."""
        url = (await self._sqs.get_queue_url(QueueName=self._name))["QueueUrl"]
        found = await self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
        attributes = found["Attributes"]
        return (
            int(attributes["ApproximateNumberOfMessages"]),
            int(attributes["ApproximateNumberOfMessagesNotVisible"]),
        )

    async def is_empty(self) -> bool:
        return await self.depth() == (0, 0)

    async def drained(self) -> None:
        """Wait until all messages are gone.

        The emulator gives a message even to a poll whose caller has hung up, where it stays until its visibility
        timeout is over; hence the patience.
        """
        await until(self.is_empty, within=40)

    async def dead_letters(self) -> list[tuple[str, dict[str, str]]]:
        url = (await self._sqs.get_queue_url(QueueName=self._dead))["QueueUrl"]
        found = await self._sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=0, MessageAttributeNames=["All"]
        )
        return [
            (
                message["Body"],
                {name: value["StringValue"] for name, value in message.get("MessageAttributes", {}).items()},
            )
            for message in found.get("Messages", [])
        ]


@pytest.fixture
async def queue(stack: DeployedStack) -> AsyncIterator[Queue]:
    async with stack.aws.client("sqs") as sqs:
        yield Queue(stack, sqs)


@asynccontextmanager
async def archiver(
    lake: Lake, *, settings: ArchiverSettings = QUICK, port: LakePort | None = None
) -> AsyncIterator[Lifecycle]:
    """A running archiver; more than one may run."""
    life = Lifecycle(drain_seconds=settings.drain_seconds)
    try:
        if port is None:
            port = await life.enter(LakeThread(lambda: LakeWriter(lake.table())))
        await build(settings, life, aws=lake.stack.aws, lake=port)
        yield life
    finally:
        await life.close()


async def hot_temperatures(lake: Lake, device: str = "truck-1") -> list[int]:
    async with lake.stack.aws.client("dynamodb") as dynamodb:
        found = await HotStore(dynamodb, lake.stack.names).read("acme", device, start=0, end=10**13 - 1)
    return found["temperature"].ts if found else []


def seconds(lake: Lake) -> list[int]:
    return [(key.ts - T0) // 1000 for key in lake.stored()]


async def test_readings_reach_both_stores_and_the_devices_and_then_the_message_goes(lake: Lake, queue: Queue) -> None:
    await queue.send(*(batch(reading(i), reading(i, 60.0, metric="humidity", unit="%RH")) for i in range(7)))
    async with archiver(lake) as life:
        await queue.drained()
        value = partial(life.registry.get_sample_value)
        assert value("sensorcast_archiver_readings_total") == 14
        assert value("sensorcast_archiver_lake_rows_total") == 14
        assert value("sensorcast_archiver_lag_seconds_count", {"store": "lake"}) == 7
        assert (value("sensorcast_archiver_write_units_total", {"table": "readings"}) or 0) >= 1
        assert await life.health.unready() == {}
    assert seconds(lake) == [0, 1, 2, 3, 4, 5, 6] * 2
    assert await hot_temperatures(lake) == [T0 + i * 1000 for i in range(7)]
    async with lake.stack.aws.client("dynamodb") as dynamodb:
        device = await DevicesTable(dynamodb, lake.stack.names).get("acme", "truck-1")
    assert device is not None
    assert {name: state.unit for name, state in device.metrics.items()} == {"temperature": "Cel", "humidity": "%RH"}


async def test_the_message_stays_until_the_lake_has_it(lake: Lake, queue: Queue) -> None:
    slow = QUICK.model_copy(update={"lake_commit_seconds": 600.0})
    await queue.send(batch(reading()))
    async with archiver(lake, settings=slow):
        await until(lambda: hot_is_there(lake))
        assert await queue.depth() == (0, 1)
        assert lake.stored() == []
    # Stopping commits what is held, and only then deletes.
    assert await queue.is_empty()
    assert seconds(lake) == [0]


async def hot_is_there(lake: Lake) -> bool:
    return bool(await hot_temperatures(lake))


async def test_a_batch_that_comes_again_adds_nothing(lake: Lake, queue: Queue) -> None:
    one = batch(*(reading(i) for i in range(10)))
    await queue.send(one, one)
    async with archiver(lake):
        await queue.drained()
        await queue.send(one)
        await queue.drained()
    assert seconds(lake) == list(range(10))
    assert len(await hot_temperatures(lake)) == 10


async def test_a_death_between_commit_and_delete_adds_nothing(lake: Lake, queue: Queue) -> None:
    await queue.send(*(batch(reading(i)) for i in range(5)))
    dying = DyingLake(await LakeThread(lambda: LakeWriter(lake.table())).__aenter__())
    hasty = QUICK.model_copy(update={"drain_seconds": 0.2})
    async with archiver(lake, settings=hasty, port=dying):
        await asyncio.wait_for(dying.committed.wait(), 10)
    assert sum(await queue.depth()) == 5
    async with archiver(lake):
        await queue.drained()
    assert seconds(lake) == list(range(5))


async def test_marked_copies_add_nothing_in_either_order(lake: Lake, queue: Queue) -> None:
    rows = [reading(i) for i in range(10)]
    async with archiver(lake) as life:
        await queue.send(batch(*rows[:5]))
        await queue.drained()
        await queue.send(batch(*marked(rows)))
        await queue.drained()
        await queue.send(batch(*rows[5:]))
        await queue.drained()
        assert life.registry.get_sample_value("sensorcast_archiver_duplicate_rows_total") == 10
    assert seconds(lake) == list(range(10))


async def test_two_replicas_share_the_work_and_add_nothing_twice(lake: Lake, queue: Queue) -> None:
    async with archiver(lake), archiver(lake):
        for start in range(0, 60, 10):
            batches = [batch(reading(start + i)) for i in range(10)]
            await queue.send(*batches, *batches[:3])
        await queue.drained()
    assert seconds(lake) == list(range(60))


async def test_bad_messages_are_set_aside_with_the_reason_and_good_ones_go_on(lake: Lake, queue: Queue) -> None:
    unknown = batch(reading()).encode().replace('"schema_version":1', '"schema_version":99')
    nameless = batch(reading(device="#"))
    await queue.send("not an envelope", unknown, batch(reading(1)), nameless, batch(reading(2)))
    async with archiver(lake):
        await queue.drained()
    assert seconds(lake) == [1, 2]
    letters = [letter for _ in range(3) for letter in await queue.dead_letters()]
    reasons = sorted(" ".join(attributes.values()) for _, attributes in letters)
    assert len(letters) == 3
    for reason, words in zip(reasons, ("device: '#' is not", "message: ", "schema_version: 99"), strict=False):
        assert any(words in one for one in reasons), (reason, reasons)
