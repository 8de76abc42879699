"""From a training tick to a promoted model that makes the next forecast, against the emulator."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest
from tests.servers.aws import DeployedStack
from tests.servers.lake import open_table
from tests.services.forecaster.boosting.door_openings import events
from tests.services.forecaster.test_flow import eventually
from tests.services.forecaster.training.fridges import DAY_MS, END, STEP_MS

from sensorcast_common.clock import from_millis, rfc3339
from sensorcast_common.device import MetricState, Sighting
from sensorcast_common.forecast import Forecast
from sensorcast_common.lifecycle import Lifecycle
from sensorcast_common.reading import Reading, SeriesKey
from sensorcast_common.tables.devices import DevicesTable
from sensorcast_common.tables.forecasts import ForecastsTable
from sensorcast_common.tables.hot_chunk import pack
from sensorcast_common.tables.hot_store import HotStore
from sensorcast_forecaster.app import build
from sensorcast_forecaster.settings import ForecasterSettings
from sensorcast_forecaster.training.history import LakeHistory
from sensorcast_forecaster.training.record import ModelKey, ModelRecord
from sensorcast_forecaster.training.registry import ArtefactMissing, ModelRegistry
from sensorcast_forecaster.training.watch import InUse

if TYPE_CHECKING:
    from types_aiobotocore_dynamodb import DynamoDBClient
    from types_aiobotocore_s3 import S3Client

TENANT = "acme"
DEVICES = ("room-1", "room-2", "room-3", "room-4")
KEY = ModelKey(TENANT, "temperature", 300)


def readings(device: str, seed: int, *, days: float = 6) -> list[Reading]:
    values = events(seed=seed, days=days)
    times = END - STEP_MS * np.arange(len(values) - 1, -1, -1)
    return [
        Reading(TENANT, device, "temperature", int(ts), float(value), "Cel", int(ts))
        for ts, value in zip(times, values, strict=True)
    ]


@pytest.fixture
async def dynamodb(stack: DeployedStack) -> AsyncIterator["DynamoDBClient"]:
    async with stack.aws.client("dynamodb") as client:
        yield client


@pytest.fixture
async def s3(stack: DeployedStack) -> AsyncIterator["S3Client"]:
    async with stack.aws.client("s3") as client:
        yield client


@pytest.fixture
def registry(stack: DeployedStack, dynamodb: "DynamoDBClient", s3: "S3Client") -> ModelRegistry:
    return ModelRegistry(dynamodb, s3, stack.names, bucket=stack.outputs["ModelsBucketName"])


async def send(stack: DeployedStack, text: str) -> None:
    async with stack.aws.client("sqs") as sqs:
        url = (await sqs.get_queue_url(QueueName=stack.names.queue_forecast_ticks))["QueueUrl"]
        await sqs.send_message(QueueUrl=url, MessageBody=text)


async def test_a_training_tick_ends_in_forecasts_of_the_promoted_model(
    stack: DeployedStack, dynamodb: "DynamoDBClient", registry: ModelRegistry
) -> None:
    store, devices = HotStore(dynamodb, stack.names), DevicesTable(dynamodb, stack.names)
    for seed, device in enumerate(DEVICES):
        await store.append(pack(readings(device, seed)))
        state = MetricState(unit="Cel", last_ts=from_millis(END), last_value=4)
        await devices.record([Sighting(TENANT, device, {"temperature": state}, END - 6 * DAY_MS, END)])
    life = Lifecycle(drain_seconds=5)
    now = [END + 2000]
    settings = ForecasterSettings(boosted=True, train_rows=15_000, model_refresh_seconds=0, drain_seconds=5)
    await build(settings, life, aws=stack.aws, clock=lambda: now[0])
    try:
        await send(stack, f'{{"train": 1, "scheduled_at": "{rfc3339(from_millis(END))}"}}')

        async def promoted() -> ModelRecord | None:
            return await registry.in_use(KEY)

        record = await eventually(promoted, seconds=60)
        assert (record.promoted, record.reason, record.parent, record.horizon) == (True, "first", None, 12)
        assert record.validation.relative_loss < 0.9
        assert record.validation.series == len(DEVICES)
        assert len(record.validation.windows) == 5
        assert record.trained_from < record.trained_to < record.validated_to == from_millis(END)
        assert await registry.artefact(record)

        await send(stack, f'{{"scheduled_at": "{rfc3339(from_millis(END))}"}}')
        table = ForecastsTable(dynamodb, stack.names)

        async def forecasts() -> list[Forecast] | None:
            told = await table.latest_many([SeriesKey(TENANT, device, "temperature") for device in DEVICES])
            return list(told.values()) if len(told) == len(DEVICES) else None

        told = await eventually(forecasts)
        # Series that their own past serves better keep to it.
        assert any(each.model.endswith(f"@{record.model_id}") for each in told), [each.model for each in told]

        # The next day's training compares with this one, in the same windows.
        now[0] += 3_600_000
        await send(stack, f'{{"train": 1, "scheduled_at": "{rfc3339(from_millis(END + 3_600_000))}"}}')

        async def second() -> list[ModelRecord] | None:
            trained = await registry.trained(TENANT, "temperature")
            return trained if len(trained) == 2 else None

        later = (await eventually(second, seconds=60))[1]
        assert later.parent == record.model_id
        assert later.parent_validation is not None
        assert later.promoted == (later.validation.relative_loss <= later.parent_validation.relative_loss)
    finally:
        assert await life.close() == 0


def example(model_id: str, *, promoted: bool, sha256: str = "") -> ModelRecord:
    return ModelRecord.model_validate(
        {
            "model_id": model_id,
            "tenant": TENANT,
            "metric": "temperature",
            "step_seconds": 300,
            "horizon": 12,
            "trained_from": from_millis(END),
            "trained_to": from_millis(END),
            "validated_to": from_millis(END),
            "rows": 1,
            "code_version": "1",
            "validation": {"relative_loss": 0.5, "windows": [0.5] * 5, "coverage": 0.8, "origins": 9, "series": 1},
            "artefact": f"{TENANT}/temperature/300/{model_id}",
            "sha256": sha256,
            "promoted": promoted,
            "reason": "first",
        }
    )


async def test_a_rejected_or_late_older_model_does_not_take_over(registry: ModelRegistry) -> None:
    await registry.add(example("20260102", promoted=True), b"x")
    await registry.add(example("20260103", promoted=False), b"x")
    await registry.add(example("20260101", promoted=True), b"x")
    in_use = await registry.in_use(KEY)
    assert in_use is not None
    assert in_use.model_id == "20260102"
    assert [each.model_id for each in await registry.all_in_use(TENANT)] == ["20260102"]
    assert len(await registry.trained(TENANT, "temperature")) == 3


async def test_only_the_model_that_failed_is_taken_out_of_use_until_the_next_is_promoted(
    registry: ModelRegistry,
) -> None:
    await registry.add(example("20260101", promoted=True), b"x")
    await registry.distrust(TENANT, "temperature", "20251231", reason="old")
    assert [each.unhealthy for each in await registry.all_in_use(TENANT)] == [None]
    await registry.distrust(TENANT, "temperature", "20260101", reason="covers too little")
    assert [each.unhealthy for each in await registry.all_in_use(TENANT)] == ["covers too little"]
    await registry.add(example("20260102", promoted=False), b"x")
    assert await registry.watched(TENANT) == [InUse("temperature", "20260101", "20260102")]
    await registry.add(example("20260103", promoted=True), b"x")
    assert [each.unhealthy for each in await registry.all_in_use(TENANT)] == [None]


async def test_another_artefact_than_was_trained_is_refused(registry: ModelRegistry) -> None:
    await registry.add(example("1", promoted=True, sha256="0" * 64), b"x")
    with pytest.raises(ArtefactMissing, match="not the one"):
        await registry.artefact(example("1", promoted=True, sha256="0" * 64))
    with pytest.raises(ArtefactMissing, match="not there"):
        await registry.artefact(example("2", promoted=True))


async def test_the_lake_gives_minute_means_of_the_devices_asked_for(stack: DeployedStack, s3: "S3Client") -> None:
    table = await asyncio.to_thread(open_table, stack, "readings")
    start = 1_772_323_200_000
    rows = [
        (tenant, device, metric, start + second * 1000, float(second))
        for tenant, device, metric in [
            (TENANT, "it's", "temperature"),
            (TENANT, "other", "temperature"),
            (TENANT, "it's", "humidity"),
            ("else", "it's", "temperature"),
        ]
        for second in range(0, 300, 20)
    ]
    columns = list(zip(*rows, strict=True))
    times = [datetime.fromtimestamp(ts / 1000, UTC) for ts in columns[3]]
    content = {
        "tenant": list(columns[0]),
        "device": list(columns[1]),
        "metric": list(columns[2]),
        "ts": times,
        "value": list(columns[4]),
        "unit": ["Cel"] * len(rows),
        "received_at": times,
        "ts_source": ["device"] * len(rows),
    }
    await asyncio.to_thread(table.append, pa.table(content, schema=table.schema().as_arrow()))
    async with stack.aws.client("athena") as athena:
        history = LakeHistory(athena, s3, stack.names)
        found = await history.read(TENANT, "temperature", ["it's", "absent"], start=start, end=start + 240_000)
    (series,) = found
    assert (series.series, series.unit) == (SeriesKey(TENANT, "it's", "temperature"), "Cel")
    assert series.ts.tolist() == [start + second * 1000 for second in (40, 100, 160, 220)]
    assert series.values.tolist() == [20.0, 80.0, 140.0, 200.0]


async def test_the_lake_gives_the_devices_that_report_rarely(stack: DeployedStack, s3: "S3Client") -> None:
    table = await asyncio.to_thread(open_table, stack, "readings")
    start = 1_772_323_200_000
    spacing = {"often": 20, "rarely": 600}
    rows = [(device, second) for device, apart in spacing.items() for second in range(0, 3600, apart)]
    times = [datetime.fromtimestamp(start / 1000 + second, UTC) for _, second in rows]
    content = {
        "tenant": [TENANT] * len(rows),
        "device": [device for device, _ in rows],
        "metric": ["temperature"] * len(rows),
        "ts": times,
        "value": [float(second) for _, second in rows],
        "unit": ["Cel"] * len(rows),
        "received_at": times,
        "ts_source": ["device"] * len(rows),
    }
    await asyncio.to_thread(table.append, pa.table(content, schema=table.schema().as_arrow()))
    async with stack.aws.client("athena") as athena:
        history = LakeHistory(athena, s3, stack.names)
        (series,) = await history.read_rare(TENANT, "temperature", start=start, end=start + 3_600_000, most=24)
    assert series.series == SeriesKey(TENANT, "rarely", "temperature")
    assert series.values.tolist() == [0.0, 600.0, 1200.0, 1800.0, 2400.0, 3000.0]
