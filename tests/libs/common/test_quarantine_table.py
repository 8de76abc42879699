"""The table of what could not be accepted: by tenant, newest first, payloads only where asked for."""

import hashlib

import pytest
from tests.servers.aws import AwsAccount
from tests.servers.tables import table_in

from sensorcast_common.clock import from_millis, system_clock
from sensorcast_common.names import Names
from sensorcast_common.quarantine import Quarantined
from sensorcast_common.tables.quarantine import QuarantineTable


def message(number: int, tenant: str = "acme") -> Quarantined:
    payload = bytes([number, 255])
    return Quarantined(
        reason="not_utf8",
        detail="payload: byte 1",
        topic=f"dt/{tenant}/truck-1/readings",
        received_at=from_millis(1_780_000_000_000 + number),
        payload=payload,
        size=2,
        sha256=hashlib.sha256(payload).hexdigest(),
    )


async def test_messages_are_paged_counted_and_forgotten_per_tenant(any_account: AwsAccount) -> None:
    names, now = Names(), system_clock()
    async with table_in(any_account, names.table_quarantine) as client:
        table = QuarantineTable(client, names)
        for number in (0, 1, 2, 1):
            await table.put(message(number), now=now)
        await table.put(message(3, tenant="other"), now=now)
        first, cursor = await table.list("acme", limit=2, cursor=None)
        rest, end = await table.list("acme", limit=2, cursor=cursor)
        assert [each.message_id for each in first + rest] == [message(number).message_id for number in (2, 1, 0)]
        assert end is None
        assert first[0].payload == b""
        assert await table.get("acme", first[0].message_id) == message(2)
        assert await table.get("other", first[0].message_id) is None
        assert not await table.delete("other", first[0].message_id)
        assert await table.delete("acme", first[0].message_id)
        assert (await table.count("acme"), await table.count("other")) == (2, 1)
        with pytest.raises(ValueError, match="cursor"):
            await table.list("acme", limit=2, cursor="dt#")
