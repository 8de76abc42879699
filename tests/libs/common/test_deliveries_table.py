"""The table of deliveries counts each message once, and lets one alerter at a time send to a group."""

from typing import TYPE_CHECKING

import pytest
from tests.libs.common.test_incidents_table import incident, sms
from tests.servers.aws import AwsAccount
from tests.servers.tables import table_in

from sensorcast_common.clock import system_clock
from sensorcast_common.incident import Incident
from sensorcast_common.names import Names
from sensorcast_common.notice import Notice
from sensorcast_common.tables.deliveries import DeliveriesTable
from sensorcast_common.tables.incident_items import incident_item

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from types_aiobotocore_dynamodb import DynamoDBClient

NAMES = Names()
DAY = "2025-01-15"
MINUTE = 60_000


@pytest.fixture
async def client(any_account: AwsAccount) -> "AsyncIterator[DynamoDBClient]":
    async with (
        table_in(any_account, NAMES.table_deliveries) as client,
        table_in(any_account, NAMES.table_incidents),
    ):
        yield client


async def stored(client: "DynamoDBClient") -> tuple[Incident, Notice]:
    made = incident()
    await client.put_item(TableName=NAMES.table_incidents, Item=incident_item(made, 1, {sms().key: sms()}))
    return made, sms()


async def test_messages_count_once_and_no_more_than_the_caps(client: "DynamoDBClient") -> None:
    table = DeliveriesTable(client, NAMES, owner="one")
    errands = [await stored(client) for _ in range(6)]

    async def count(errand: tuple[Incident, Notice], per_tenant: int = 100) -> str | None:
        return await table.count(*errand, day=DAY, per_number=4, per_tenant=per_tenant, now=system_clock())

    assert [await count(errand) for errand in (*errands[:2], *errands[:2])] == [None] * 4
    assert await table.counted("acme", day=DAY, number=sms().recipient) == 2
    assert await count(errands[2], per_tenant=2) == "tenant"
    assert [await count(errand) for errand in errands[2:]] == [None, None, "number", "number"]
    assert await table.counted("acme", day=DAY) == 4
    assert await table.counted("other", day=DAY) == 0


async def test_one_sends_to_a_group_at_a_time_and_the_next_waits_for_the_interval(client: "DynamoDBClient") -> None:
    holder, waiter = (DeliveriesTable(client, NAMES, owner=owner) for owner in ("one", "other"))
    now = system_clock()

    async def enter(table: DeliveriesTable, at: int, severity: str = "warning") -> bool:
        return await table.enter(
            "acme",
            "sms#north",
            now=now + at,
            until=now + at + MINUTE,
            interval=5 * MINUTE,
            severity=severity,  # type: ignore[arg-type] # one of the severities
        )

    assert await enter(holder, 0)
    assert not await enter(waiter, MINUTE - 1)
    await waiter.leave("acme", "sms#north", sent_at=now, severity="critical")  # it has nothing to give back
    await holder.leave("acme", "sms#north", sent_at=now, severity="warning")
    assert not await enter(waiter, 5 * MINUTE - 1)
    assert await enter(waiter, 1, "critical")
    await waiter.leave("acme", "sms#north", sent_at=None, severity="critical")
    assert await enter(holder, 5 * MINUTE)
    assert await enter(waiter, 6 * MINUTE)  # whoever had it died
