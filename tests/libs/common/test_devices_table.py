"""The table of devices: many writers, any order, and times only move forward."""

import asyncio
from typing import TYPE_CHECKING

import pytest
from tests.servers.aws import AwsAccount
from tests.servers.tables import table_in

from sensorcast_common.clock import from_millis, to_millis
from sensorcast_common.device import REFRESH_MS, MetricState, Sighting
from sensorcast_common.names import Names
from sensorcast_common.tables.devices import DevicesTable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from types_aiobotocore_dynamodb import DynamoDBClient

T0 = 1_767_225_600_000


def sighting(
    at: int, *, device: str = "truck-1", tenant: str = "acme", value: float = 4.0, metric: str = "temperature"
) -> Sighting:
    metrics = {metric: MetricState(unit="Cel", last_ts=from_millis(at), last_value=value)}
    return Sighting(tenant, device, metrics, first_received=at, last_received=at)


@pytest.fixture
async def dynamodb(account: AwsAccount) -> "AsyncIterator[DynamoDBClient]":
    async with table_in(account, Names().table_devices) as client:
        yield client


@pytest.fixture
async def any_dynamodb(any_account: AwsAccount) -> "AsyncIterator[DynamoDBClient]":
    async with table_in(any_account, Names().table_devices) as client:
        yield client


@pytest.fixture
def table(dynamodb: "DynamoDBClient") -> DevicesTable:
    return DevicesTable(dynamodb, Names())


async def test_a_device_is_known_once_it_was_seen(any_dynamodb: "DynamoDBClient") -> None:
    table = DevicesTable(any_dynamodb, Names())
    assert await table.get("acme", "truck-1") is None
    recorded = await table.record([sighting(T0, value=-0.1 - 0.2)])
    assert recorded.written == 1
    assert recorded.write_units > 0
    device = await table.get("acme", "truck-1")
    assert device is not None
    assert device.metrics["temperature"].unit == "Cel"
    assert device.metrics["temperature"].last_value == -0.1 - 0.2
    assert to_millis(device.first_seen) == to_millis(device.last_seen) == T0
    assert await table.get("other", "truck-1") is None


@pytest.mark.parametrize("value", [1.7976931348623157e308, 5e-324, -0.0])
async def test_a_value_beyond_what_a_dynamodb_number_holds_comes_back(table: DevicesTable, value: float) -> None:
    await table.record([sighting(T0, value=value)])
    device = await table.get("acme", "truck-1")
    assert device is not None
    assert repr(device.metrics["temperature"].last_value) == repr(value)


async def test_nothing_new_is_not_written(table: DevicesTable) -> None:
    await table.record([sighting(T0)])
    assert await table.record([sighting(T0 + REFRESH_MS - 1)]) == (0, 0.0)
    assert (await table.record([sighting(T0 + REFRESH_MS)])).written == 1
    assert (await table.record([sighting(T0 + REFRESH_MS + 1, metric="humidity")])).written == 1
    device = await table.get("acme", "truck-1")
    assert device is not None
    assert set(device.metrics) == {"temperature", "humidity"}


async def test_an_older_sighting_moves_nothing_back(table: DevicesTable) -> None:
    await table.record([sighting(T0, value=5.0)])
    older = sighting(T0 - 1000, value=1.0)
    new_metric = sighting(T0 - 1000, metric="humidity").metrics
    await table.record([older._replace(metrics={**older.metrics, **new_metric})])
    device = await table.get("acme", "truck-1")
    assert device is not None
    assert device.metrics["temperature"].last_value == 5.0
    assert to_millis(device.metrics["temperature"].last_ts) == T0
    assert to_millis(device.last_seen) == T0
    assert to_millis(device.first_seen) == T0 - 1000


async def test_several_writers_at_once_lose_nothing(dynamodb: "DynamoDBClient") -> None:
    tables = [DevicesTable(dynamodb, Names()) for _ in range(4)]
    await asyncio.gather(
        *(table.record([sighting(T0 + place, metric=f"m{place}")]) for place, table in enumerate(tables))
    )
    device = await tables[0].get("acme", "truck-1")
    assert device is not None
    assert set(device.metrics) == {"m0", "m1", "m2", "m3"}
    assert to_millis(device.last_seen) == T0 + 3


async def test_labels_stay_and_a_labelled_device_without_readings_is_none(
    table: DevicesTable, dynamodb: "DynamoDBClient"
) -> None:
    key = {"pk": {"S": "acme"}, "sk": {"S": "truck-1"}}
    await dynamodb.put_item(TableName=Names().table_devices, Item={**key, "labels": {"M": {"site": {"S": "Ulm"}}}})
    assert await table.get("acme", "truck-1") is None
    assert await table.list("acme") == ([], None)
    await table.record([sighting(T0)])
    await table.record([sighting(T0 + REFRESH_MS)])
    device = await table.get("acme", "truck-1")
    assert device is not None
    assert device.labels == {"site": "Ulm"}


async def test_a_tenants_devices_are_listed_page_by_page(table: DevicesTable) -> None:
    names = [f"truck-{place:03d}" for place in range(23)]
    await table.record([sighting(T0, device=name) for name in names] + [sighting(T0, device="other", tenant="beta")])
    found, cursor = await table.list("acme", limit=10)
    pages = [len(found)]
    while cursor is not None:
        more, cursor = await table.list("acme", limit=10, cursor=cursor)
        found += more
        pages.append(len(more))
    assert [device.device for device in found] == names
    assert pages == [10, 10, 3]
    assert (await table.list("acme", limit=23))[1] is None


async def test_bad_arguments_are_named(table: DevicesTable) -> None:
    with pytest.raises(ValueError, match="cursor: not one of ours"):
        await table.list("acme", cursor="%%%")
    with pytest.raises(ValueError, match="limit: 0 is not between"):
        await table.list("acme", limit=0)


async def test_active_devices_are_those_heard_of_lately(table: DevicesTable) -> None:
    now = T0 + 3_600_000
    await table.record([sighting(T0, device="silent"), sighting(now, device="live"), sighting(now, tenant="beta")])
    active = [(device.tenant, device.device) async for device in table.active(now - 60_000)]
    assert sorted(active) == [("acme", "live"), ("beta", "truck-1")]
