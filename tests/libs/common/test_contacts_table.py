"""The table of contacts keeps recipients, escalations and silences apart, with versions in order."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from tests.servers.aws import AwsAccount
from tests.servers.tables import table_in

from sensorcast_common.escalation import Escalation
from sensorcast_common.names import Names
from sensorcast_common.recipient import Recipient
from sensorcast_common.tables.contact_items import ContactConflict
from sensorcast_common.tables.contacts import ContactsTable

NAMES = Names()


@pytest.fixture
async def table(any_account: AwsAccount) -> AsyncIterator[ContactsTable]:
    async with table_in(any_account, NAMES.table_contacts) as client:
        yield ContactsTable(client, NAMES)


def recipient(recipient_id: str = "anna", *, tenant: str = "acme", name: str = "Anna", version: int = 1) -> Recipient:
    return Recipient(
        tenant=tenant, recipient_id=recipient_id, name=name, roles=["driver"], email="a@example.com", version=version
    )


async def test_what_is_put_is_read_by_kind_and_tenant(table: ContactsTable) -> None:
    await asyncio.gather(
        table.recipients.put(recipient("b")),
        table.recipients.put(recipient("a")),
        table.recipients.put(recipient(tenant="other")),
        table.escalations.put(Escalation(tenant="acme", escalation_id="a")),
    )
    assert [each.recipient_id for each in await table.recipients.list("acme")] == ["a", "b"]
    assert await table.recipients.get("acme", "a") == recipient("a")
    assert await table.silences.list("acme") == []
    every = await table.every()
    assert (len(every.recipients), len(every.escalations), len(every.silences)) == (3, 1, 0)
    assert await table.recipients.delete("acme", "a")
    assert not await table.recipients.delete("acme", "a")
    assert await table.escalations.get("acme", "a") is not None


async def test_a_change_must_be_of_the_version_that_is_there(table: ContactsTable) -> None:
    with pytest.raises(ContactConflict):
        await table.recipients.put(recipient(version=2))
    await table.recipients.put(recipient())
    with pytest.raises(ContactConflict, match="version: recipient 'anna' of 'acme' is not at version 0"):
        await table.recipients.put(recipient(name="Berta"))
    assert (await table.recipients.apply(recipient())).version == 1
    applied = await asyncio.gather(*(table.recipients.apply(recipient(name=name)) for name in ("B", "C", "D")))
    assert sorted(each.version for each in applied) == [2, 3, 4]
