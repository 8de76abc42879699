"""Archivers that are killed at every step of a write lose nothing, and leave no second row in the lake."""

import asyncio
import json
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.faults.dying_archiver import Step
from tests.servers.aws import DeployedStack
from tests.servers.lake import open_table
from tests.servers.process import ServerProcess
from tests.servers.waiting import until

from sensorcast_common.batch import ReadingBatch
from sensorcast_common.clock import system_clock
from sensorcast_common.identity import new_id
from sensorcast_common.reading import Reading
from sensorcast_common.tables.hot_store import HotStore
from sensorcast_local.command import Command

if TYPE_CHECKING:
    from types_aiobotocore_sqs import SQSClient

DEVICES = 4
BATCHES_EACH = 8
READINGS = 25  # per batch
BATCHES = BATCHES_EACH * (len(Step) + 1)

T0 = 1_772_323_200_000  # 2026-03-01


def archiver(stack: DeployedStack, log: Path, *, dies: Step | None) -> ServerProcess:
    env = {
        **stack.env,
        "SENSORCAST_HOT_FLUSH_SECONDS": "0.2",
        "SENSORCAST_LAKE_COMMIT_SECONDS": "0.5",
        "SENSORCAST_VISIBILITY_SECONDS": "5",
        "SENSORCAST_LOG_FORMAT": "console",
    }
    argv = [str(Path(sys.executable).parent / "sensorcast-archiver")]
    if dies is not None:
        argv = [sys.executable, "-m", "tests.faults.dying_archiver", dies.value]

    def started() -> bool:
        return log.exists() and b"started" in log.read_bytes()

    return ServerProcess(name="archiver", command=Command(argv=tuple(argv), env=env), ready=started, log=log)


@contextmanager
def stopped_at_the_end() -> Iterator[list[ServerProcess]]:
    """The archivers that a test starts; what still runs at the end is stopped."""
    started: list[ServerProcess] = []
    try:
        yield started
    finally:
        for process in started:
            process.stop()


def batch(number: int) -> ReadingBatch:
    rows = [
        Reading(
            "acme",
            f"truck-{number % DEVICES}",
            "temperature",
            T0 + (number * READINGS + i) * 1000,
            i / 10,
            "Cel",
            system_clock(),
        )
        for i in range(READINGS)
    ]
    return ReadingBatch(new_id(), system_clock(), rows)


async def depth(sqs: "SQSClient", url: str) -> tuple[int, int]:
    attributes = (await sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"]))["Attributes"]
    return int(attributes["ApproximateNumberOfMessages"]), int(attributes["ApproximateNumberOfMessagesNotVisible"])


async def feed(sqs: "SQSClient", url: str, numbers: range) -> None:
    for number in numbers:
        await sqs.send_message(QueueUrl=url, MessageBody=batch(number).encode())


async def bear_more_receives(sqs: "SQSClient", url: str, dead: str) -> None:
    """One message may meet more archivers that die than a message usually meets before it is a dead letter."""
    attributes = (await sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"]))["Attributes"]
    policy = {"deadLetterTargetArn": attributes["QueueArn"], "maxReceiveCount": 3 * len(Step)}
    await sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": json.dumps(policy)})


@pytest.mark.timeout(400)
async def test_killed_archivers_lose_nothing_and_double_nothing(stack: DeployedStack, tmp_path: Path) -> None:
    async with stack.aws.client("sqs") as sqs:
        url = (await sqs.get_queue_url(QueueName=stack.names.queue_archive))["QueueUrl"]
        dead = (await sqs.get_queue_url(QueueName=stack.names.dead_letter(stack.names.queue_archive)))["QueueUrl"]
        await bear_more_receives(sqs, url, dead)
        with stopped_at_the_end() as processes:
            for turn, step in enumerate([*Step, None]):
                process = archiver(stack, tmp_path / f"archiver-{turn}.log", dies=step)
                processes.append(process)
                await asyncio.to_thread(process.start)
                await feed(sqs, url, range(turn * BATCHES_EACH, (turn + 1) * BATCHES_EACH))
                if step is not None:
                    await until(lambda process=process: process.exit_code == -signal.SIGKILL, within=60)  # type: ignore[misc]

            async def is_empty() -> bool:
                return await depth(sqs, url) == (0, 0)

            await until(is_empty, within=90)
            await asyncio.to_thread(process.stop)
        assert await depth(sqs, dead) == (0, 0)

    wanted = {(f"truck-{n % DEVICES}", T0 + (n * READINGS + i) * 1000) for n in range(BATCHES) for i in range(READINGS)}
    rows = open_table(stack, "readings").scan().to_arrow().to_pylist()
    in_lake = Counter((row["device"], round(row["ts"].timestamp() * 1000)) for row in rows)
    assert in_lake == Counter(wanted)

    async with stack.aws.client("dynamodb") as dynamodb:
        store = HotStore(dynamodb, stack.names)
        in_hot_store = {
            (device, ts)
            for device in (f"truck-{n}" for n in range(DEVICES))
            for ts in (await store.read("acme", device, start=T0, end=T0 + 10**9))["temperature"].ts
        }
    assert in_hot_store == wanted
