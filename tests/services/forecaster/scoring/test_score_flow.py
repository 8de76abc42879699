"""From a scoring tick to the figures of an hour in the table, against the emulator."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest
from tests.servers.aws import DeployedStack
from tests.services.forecaster.scoring.said import HOUR, MINUTE, said
from tests.services.forecaster.test_flow import eventually

from sensorcast_common.clock import from_millis, rfc3339, system_clock
from sensorcast_common.device import MetricState, Sighting
from sensorcast_common.lifecycle import Lifecycle
from sensorcast_common.reading import Reading
from sensorcast_common.skill import Tally
from sensorcast_common.tables.devices import DevicesTable
from sensorcast_common.tables.forecasts import ForecastsTable
from sensorcast_common.tables.hot_chunk import pack
from sensorcast_common.tables.hot_store import HotStore
from sensorcast_common.tables.skill import HourSkill, SkillTable
from sensorcast_forecaster.app import build
from sensorcast_forecaster.settings import ForecasterSettings

if TYPE_CHECKING:
    from types_aiobotocore_dynamodb import DynamoDBClient

SCORED = system_clock() // HOUR * HOUR - 3 * HOUR
"""An hour whose forecasts have met their horizon, lately: what is written of it does not expire meanwhile."""


@pytest.fixture
async def dynamodb(stack: DeployedStack) -> AsyncIterator["DynamoDBClient"]:
    async with stack.aws.client("dynamodb") as client:
        yield client


async def fill(stack: DeployedStack, dynamodb: "DynamoDBClient", device: str) -> None:
    """A fridge that leaves its limit 32 minutes into the hour, of which forecasts warn from 20 minutes on."""
    minutes = range(-60, 180)
    readings = [
        Reading("acme", device, "temperature", ts, 4.0 if at < 32 else 9.0, "Cel", ts)
        for at in minutes
        if (ts := SCORED + at * MINUTE)
    ]
    await HotStore(dynamodb, stack.names).append(pack(readings))
    seen = SCORED + minutes[-1] * MINUTE
    state = MetricState(unit="Cel", last_ts=from_millis(seen), last_value=9)
    sighting = Sighting("acme", device, {"temperature": state}, SCORED - HOUR, seen)
    await DevicesTable(dynamodb, stack.names).record([sighting])
    await ForecastsTable(dynamodb, stack.names).put(
        said(SCORED + at * MINUTE, device=device, probability=0.9 if at >= 20 else 0.1) for at in range(-30, 45, 5)
    )


async def test_an_hour_of_forecasts_is_scored_once_however_often_it_is_asked_for(
    stack: DeployedStack, dynamodb: "DynamoDBClient"
) -> None:
    for device in ("fridge-1", "fridge-2", "fridge-3"):
        await fill(stack, dynamodb, device)
    await dynamodb.put_item(
        TableName=stack.names.table_forecasts,
        Item={"pk": {"S": "acme#fridge-3#temperature"}, "sk": {"S": f"{SCORED:015d}"}, "v": {"N": "9"}},
    )
    table = SkillTable(dynamodb, stack.names)
    life = Lifecycle(drain_seconds=5)
    await build(ForecasterSettings(drain_seconds=5), life, aws=stack.aws)
    jobs = {"outcome": "done"}

    async def scored(times: float) -> list[HourSkill] | None:
        done = life.registry.get_sample_value("sensorcast_forecaster_score_jobs_total", jobs) or 0.0
        return await table.between("acme", start=SCORED, end=SCORED + HOUR) if done >= times else None

    try:
        async with stack.aws.client("sqs") as sqs:
            url = (await sqs.get_queue_url(QueueName=stack.names.queue_forecast_ticks))["QueueUrl"]
            tick = f'{{"score": 1, "scheduled_at": "{rfc3339(from_millis(SCORED + 2 * HOUR + 20 * MINUTE))}"}}'
            await sqs.send_message(QueueUrl=url, MessageBody=tick)
            once = await eventually(lambda: scored(3))
            await sqs.send_message(QueueUrl=url, MessageBody=tick)
            found = await eventually(lambda: scored(6))
        assert found == once
        tally = Tally.total(tally for each in found for tally in each.models.values())
        # Of the third fridge one forecast is unreadable; the other two are scored all the same.
        assert (tally.forecasts, tally.unobserved) == (18, 0)
        assert (tally.warnings, tally.true_warnings) == (2, 2)
        assert (tally.breaches, tally.foreseen) == (2, 2)
        assert tally.leads == {25: 2}
        assert await table.between("acme", start=SCORED - 24 * HOUR, end=SCORED) == []
        failed = life.registry.get_sample_value("sensorcast_forecaster_scored_series_failed_total")
        assert failed == 2, "each delivery that could not read a series says so"
        labels = {"tenant": "acme", "metric": "temperature", "foreseen": "true"}
        counted = life.registry.get_sample_value("sensorcast_forecaster_scored_breaches_total", labels)
        assert counted == 2, "a job that is delivered again counts once"
    finally:
        assert await life.close() == 0
