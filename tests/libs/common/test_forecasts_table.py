"""The table of forecasts keeps, replaces and finds forecasts."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from tests.servers.aws import DeployedStack

from sensorcast_common.clock import to_millis
from sensorcast_common.forecast import Forecast, LimitRisk
from sensorcast_common.reading import SeriesKey
from sensorcast_common.tables.forecasts import ForecastsTable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from types_aiobotocore_dynamodb import DynamoDBClient

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
SERIES = SeriesKey("acme", "truck-1", "temperature")


def forecast(*, series: SeriesKey = SERIES, known_at: datetime = NOON, median: float = 4.0) -> Forecast:
    return Forecast(
        tenant=series.tenant,
        device=series.device,
        metric=series.metric,
        unit="Cel",
        known_at=known_at,
        last_value=4.1,
        step_seconds=60,
        start=known_at + timedelta(minutes=1),
        q10=[3.5] * 60,
        q50=[median] * 60,
        q90=[4.5] * 60,
        risks=[LimitRisk(rule_id="too-warm", side="above", threshold=8, probability=0.25)],
        model="builtin/1:analogs",
        trained_from=known_at - timedelta(days=1),
        trained_to=known_at,
    )


@pytest.fixture
async def client(stack: DeployedStack) -> "AsyncIterator[DynamoDBClient]":
    async with stack.aws.client("dynamodb") as client:
        yield client


async def test_latest_is_the_newest_of_the_series(client: "DynamoDBClient", stack: DeployedStack) -> None:
    table = ForecastsTable(client, stack.names)
    newest = forecast(known_at=NOON + timedelta(minutes=5))
    other = forecast(series=SERIES._replace(device="truck-10"), known_at=NOON + timedelta(minutes=10))
    await table.put([forecast(), newest, other])

    assert await table.latest(SERIES) == newest
    assert await table.latest(SERIES._replace(metric="humidity")) is None


async def test_known_at_or_before_tells_what_was_known_then(client: "DynamoDBClient", stack: DeployedStack) -> None:
    table = ForecastsTable(client, stack.names)
    first, second = forecast(), forecast(known_at=NOON + timedelta(minutes=5))
    await table.put([first, second])

    at_noon = to_millis(NOON)
    assert await table.known_at_or_before(SERIES, at_noon - 1) is None
    assert await table.known_at_or_before(SERIES, at_noon) == first
    assert await table.known_at_or_before(SERIES, at_noon + 299_999) == first
    assert await table.known_at_or_before(SERIES, at_noon + 300_000) == second


async def test_repeated_put_replaces(client: "DynamoDBClient", stack: DeployedStack) -> None:
    table = ForecastsTable(client, stack.names)
    await table.put([forecast(median=4.0), forecast(median=4.2)])
    await table.put([forecast(median=4.4)])

    answer = await client.scan(TableName=stack.names.table_forecasts)
    assert answer["Count"] == 1
    latest = await table.latest(SERIES)
    assert latest is not None
    assert latest.q50[0] == 4.4


async def test_more_than_one_batch_is_written_and_found(client: "DynamoDBClient", stack: DeployedStack) -> None:
    table = ForecastsTable(client, stack.names)
    keys = [SERIES._replace(device=f"truck-{number}") for number in range(60)]
    await table.put(forecast(series=key) for key in keys)

    found = await table.latest_many([*keys, SERIES._replace(device="unknown"), keys[0]])
    assert set(found) == set(keys)
    assert all(found[key].series == key for key in keys)


async def test_item_is_small_and_expires(client: "DynamoDBClient", stack: DeployedStack) -> None:
    table = ForecastsTable(client, stack.names, ttl_seconds=3600)
    await table.put([forecast()])

    (item,) = (await client.scan(TableName=stack.names.table_forecasts))["Items"]
    assert item["expires_at"]["N"] == str(to_millis(NOON) // 1000 + 3600)
    assert item["risk"]["N"] == "0.25"
    assert len(item["body"]["B"]) < 900


async def test_unknown_format_is_refused_by_name(client: "DynamoDBClient", stack: DeployedStack) -> None:
    table = ForecastsTable(client, stack.names)
    await table.put([forecast()])
    (item,) = (await client.scan(TableName=stack.names.table_forecasts))["Items"]
    await client.put_item(TableName=stack.names.table_forecasts, Item={**item, "v": {"N": "9"}})

    with pytest.raises(ValueError, match=r"acme#truck-1#temperature.*v: format 9"):
        await table.latest(SERIES)


def test_lifetime_must_be_positive(client: "DynamoDBClient", stack: DeployedStack) -> None:
    with pytest.raises(ValueError, match="ttl_seconds"):
        ForecastsTable(client, stack.names, ttl_seconds=0)
