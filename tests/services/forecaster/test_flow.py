"""From a tick to forecasts in the table and on the queue `watch`, against the emulator."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import pytest
from tests.servers.aws import DeployedStack
from tests.services.forecaster.cold_chain import MINUTE_MS, START, truck

from sensorcast_common.clock import from_millis, rfc3339
from sensorcast_common.device import MetricState, Sighting
from sensorcast_common.envelope import Envelope
from sensorcast_common.forecast import Forecast, ForecastBatch
from sensorcast_common.lifecycle import Lifecycle
from sensorcast_common.reading import Reading, SeriesKey
from sensorcast_common.rule import LimitCondition, Rule
from sensorcast_common.tables.devices import DevicesTable
from sensorcast_common.tables.forecasts import ForecastsTable
from sensorcast_common.tables.hot_chunk import pack, sort_key
from sensorcast_common.tables.hot_store import HotStore
from sensorcast_common.tables.rules import RulesTable
from sensorcast_forecaster.app import build
from sensorcast_forecaster.builtin import BuiltinEngine
from sensorcast_forecaster.engine import Engine
from sensorcast_forecaster.jobs import ForecastJob, JobDevice
from sensorcast_forecaster.settings import ForecasterSettings
from sensorcast_forecaster.window import Refused, SeriesWindow

if TYPE_CHECKING:
    from types_aiobotocore_dynamodb import DynamoDBClient
    from types_aiobotocore_sqs import SQSClient

T = TypeVar("T")

HOURS = 6
NOW = START + HOURS * 60 * MINUTE_MS
TENANT = "acme"
TICK = f'{{"scheduled_at": "{rfc3339(from_millis(NOW))}"}}'


async def eventually(look: Callable[[], Awaitable[T | None]], *, seconds: float = 60) -> T:
    """What `look` finds, as soon as it finds something."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = await look()
        if found is not None:
            return found
        await asyncio.sleep(0.05)
    raise AssertionError(f"nothing within {seconds} s")


class FailingOnce(Engine):
    """Fails as a whole the first time it is asked."""

    def __init__(self) -> None:
        self.calls = 0
        self.real = BuiltinEngine()

    async def forecast(
        self, windows: Sequence[SeriesWindow], *, horizon_seconds: int, known_at: int
    ) -> list[Forecast | Refused]:
        self.calls += 1
        if self.calls == 1:
            raise ConnectionError("the engine is away")
        return await self.real.forecast(windows, horizon_seconds=horizon_seconds, known_at=known_at)


@dataclass
class Bench:
    """A deployed stack and clients to fill it and look at it."""

    stack: DeployedStack
    dynamodb: "DynamoDBClient"
    sqs: "SQSClient"

    async def start(self, life: Lifecycle, *, engine: Engine | None = None, now: int = NOW + 2000) -> None:
        """Start the service; `life.close()` stops it."""
        settings = ForecasterSettings(series_per_job=2, drain_seconds=5)
        await build(settings, life, aws=self.stack.aws, engine=engine, clock=lambda: now)

    async def add_device(self, device: str, *, seed: int, metrics: Sequence[str] = ("temperature",)) -> None:
        """A device with six hours of readings, one a minute."""
        readings = []
        for offset, metric in enumerate(metrics):
            ts, values = truck(seed=seed + offset, hours=HOURS, every_seconds=60)
            readings += [
                Reading(TENANT, device, metric, int(at), float(value), "Cel", int(at))
                for at, value in zip(ts, values, strict=True)
            ]
        await HotStore(self.dynamodb, self.stack.names).append(pack(readings))
        state = MetricState(unit="Cel", last_ts=from_millis(NOW - MINUTE_MS), last_value=4)
        sighting = Sighting(TENANT, device, dict.fromkeys(metrics, state), START, NOW - MINUTE_MS)
        await DevicesTable(self.dynamodb, self.stack.names).record([sighting])

    async def send(self, queue: str, text: str) -> None:
        """Put a message into a queue."""
        url = (await self.sqs.get_queue_url(QueueName=queue))["QueueUrl"]
        await self.sqs.send_message(QueueUrl=url, MessageBody=text)

    async def latest(self, device: str, metric: str = "temperature") -> Forecast | None:
        """The newest forecast of a series."""
        return await ForecastsTable(self.dynamodb, self.stack.names).latest(SeriesKey(TENANT, device, metric))

    async def stored(self) -> int:
        """Items in the table."""
        return (await self.dynamodb.scan(TableName=self.stack.names.table_forecasts, Select="COUNT"))["Count"]

    async def empty(self, queue: str) -> bool | None:
        """True once a queue holds nothing, seen or unseen."""
        url = (await self.sqs.get_queue_url(QueueName=queue))["QueueUrl"]
        answer = await self.sqs.get_queue_attributes(
            QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        )
        return True if all(count == "0" for count in answer["Attributes"].values()) else None

    async def watched(self, wanted: int) -> list[Forecast]:
        """Receive forecasts from `watch` until there are as many as wanted."""
        url = (await self.sqs.get_queue_url(QueueName=self.stack.names.queue_watch))["QueueUrl"]
        seen: list[Forecast] = []

        async def receive() -> list[Forecast] | None:
            answer = await self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
            for message in answer.get("Messages", []):
                seen.extend(ForecastBatch.decode(Envelope.parse(message["Body"])).forecasts)
            return seen if len(seen) >= wanted else None

        return await eventually(receive)


@pytest.fixture
async def bench(stack: DeployedStack) -> AsyncIterator[Bench]:
    async with stack.aws.client("dynamodb") as dynamodb, stack.aws.client("sqs") as sqs:
        yield Bench(stack, dynamodb, sqs)


@pytest.fixture
async def life() -> AsyncIterator[Lifecycle]:
    life = Lifecycle(drain_seconds=5)
    yield life
    assert await life.close() == 0


def counted(life: Lifecycle, name: str, **labels: str) -> float:
    return life.registry.get_sample_value(f"sensorcast_forecaster_{name}", labels) or 0.0


async def test_tick_becomes_forecasts_in_the_table_and_on_watch(bench: Bench, life: Lifecycle) -> None:
    await bench.add_device("truck-1", seed=1, metrics=("temperature", "product"))
    await bench.add_device("truck-2", seed=3)
    rule = Rule(tenant=TENANT, rule_id="warm", name="Too warm", condition=LimitCondition(above=8, below=0))
    await RulesTable(bench.dynamodb, bench.stack.names).put(rule)
    await bench.start(life)

    await bench.send(bench.stack.names.queue_forecast_ticks, TICK)

    seen = await bench.watched(3)
    assert {each.series[1:] for each in seen} == {
        ("truck-1", "temperature"),
        ("truck-1", "product"),
        ("truck-2", "temperature"),
    }
    stored = await bench.latest("truck-1")
    assert stored in seen
    assert stored is not None
    assert stored.known_at == from_millis(NOW)
    assert stored.trained_to <= stored.known_at
    assert [(risk.side, risk.threshold) for risk in stored.risks] == [("above", 8), ("below", 0)]
    assert next(each for each in seen if each.metric == "product").risks == []
    assert counted(life, "jobs_made_total") == 2


async def test_redelivered_job_gives_the_same_forecast_once(bench: Bench, life: Lifecycle) -> None:
    await bench.add_device("truck-1", seed=1)
    await bench.start(life)
    job = ForecastJob(known_at=NOW, devices=[JobDevice(tenant=TENANT, device="truck-1", metrics=["temperature"])])

    await bench.send(bench.stack.names.queue_forecast_jobs, job.text())
    (first,) = await bench.watched(1)
    await bench.send(bench.stack.names.queue_forecast_jobs, job.text())
    (second,) = await bench.watched(1)

    assert first == second
    assert await bench.stored() == 1


async def test_bad_series_does_not_fail_its_shard(bench: Bench, life: Lifecycle) -> None:
    await bench.add_device("truck-1", seed=1)
    await bench.dynamodb.put_item(
        TableName=bench.stack.names.table_readings,
        Item={"pk": {"S": f"{TENANT}#broken"}, "sk": {"S": f"{sort_key(NOW - MINUTE_MS)}#x"}, "d": {"B": b"\xff"}},
    )
    await bench.start(life)
    devices = [JobDevice(tenant=TENANT, device=name, metrics=["temperature"]) for name in ("broken", "none", "truck-1")]
    await bench.send(bench.stack.names.queue_forecast_jobs, ForecastJob(known_at=NOW, devices=devices).text())

    (seen,) = await bench.watched(1)
    assert seen.device == "truck-1"
    await eventually(lambda: bench.empty(bench.stack.names.queue_forecast_jobs))
    assert counted(life, "series_total", outcome="failed", models="") == 1
    assert counted(life, "series_total", outcome="no_readings", models="") == 1


async def test_failed_shard_is_tried_again(bench: Bench, life: Lifecycle) -> None:
    await bench.add_device("truck-1", seed=1)
    engine = FailingOnce()
    await bench.start(life, engine=engine)
    job = ForecastJob(known_at=NOW, devices=[JobDevice(tenant=TENANT, device="truck-1", metrics=["temperature"])])
    await bench.send(bench.stack.names.queue_forecast_jobs, job.text())

    assert len(await bench.watched(1)) == 1
    assert engine.calls == 2
    await eventually(lambda: bench.empty(bench.stack.names.queue_forecast_jobs))


async def test_late_tick_and_late_job_are_skipped(bench: Bench, life: Lifecycle) -> None:
    await bench.add_device("truck-1", seed=1)
    await bench.start(life, now=NOW + 11 * MINUTE_MS)
    job = ForecastJob(known_at=NOW, devices=[JobDevice(tenant=TENANT, device="truck-1", metrics=["temperature"])])
    await bench.send(bench.stack.names.queue_forecast_ticks, TICK)
    await bench.send(bench.stack.names.queue_forecast_jobs, job.text())

    async def both_skipped() -> bool | None:
        skipped = counted(life, "ticks_total", outcome="late"), counted(life, "jobs_total", outcome="late")
        return True if skipped == (1, 1) else None

    await eventually(both_skipped)
    await eventually(lambda: bench.empty(bench.stack.names.queue_forecast_ticks))
    assert counted(life, "jobs_made_total") == 0
    assert await bench.stored() == 0


async def test_poison_goes_to_the_dead_letter_queue_at_once(bench: Bench, life: Lifecycle) -> None:
    await bench.start(life)
    await bench.send(bench.stack.names.queue_forecast_jobs, '{"schema_version": 9}')
    dead = bench.stack.names.dead_letter(bench.stack.names.queue_forecast_jobs)
    url = (await bench.sqs.get_queue_url(QueueName=dead))["QueueUrl"]

    async def receive() -> str | None:
        answer = await bench.sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1)
        return next((message["Body"] for message in answer.get("Messages", [])), None)

    assert await eventually(receive) == '{"schema_version": 9}'


async def test_service_is_alive_and_ready(bench: Bench, life: Lifecycle) -> None:
    await bench.start(life)
    assert life.health.dead() == {}
    assert await life.health.unready() == {}
