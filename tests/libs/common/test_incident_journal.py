"""What people do with incidents is kept, and the first who acknowledges stands."""

import asyncio

import pytest
from tests.libs.common.test_incidents_table import T0, incident, resolved
from tests.servers.aws import DeployedStack

from sensorcast_common.clock import from_millis
from sensorcast_common.incident import IncidentState
from sensorcast_common.stored_incident import AlreadyOpen
from sensorcast_common.tables.incident_journal import IncidentJournal, NotLive, entry_of
from sensorcast_common.tables.incidents import IncidentsTable


async def test_of_many_who_acknowledge_one_stands_and_the_history_tells_all(stack: DeployedStack) -> None:
    async with stack.aws.client("dynamodb") as client:
        table, journal = IncidentsTable(client, stack.names), IncidentJournal(client, stack.names)
        one = incident()
        stored = await table.open(one, entry=entry_of(one, "opened", now=T0, reason="outside"))
        answers = await asyncio.gather(
            *(
                journal.acknowledge("acme", one.incident_id, by=f"key-{number}", note=None, now=T0 + number)
                for number in range(4)
            )
        )
        assert len({each.acknowledged_by for each in answers}) == 1
        assert {each.state for each in answers} == {IncidentState.ACKNOWLEDGED}
        comment = await journal.comment("acme", one.incident_id, by="driver", note="Door was open", now=T0 + 10)
        again = await table.load("acme", one.incident_id)
        assert again is not None
        assert again.revision == stored.revision + 1
        over = resolved(again.incident, at=T0 + 20)
        await table.change(again, over, entry=entry_of(over, "resolved", now=T0 + 20, reason="back_inside"))
        history = await journal.history("acme", one.incident_id)
        assert [each.transition for each in history] == ["opened", "acknowledged", "commented", "resolved"]
        assert history[1].by == answers[0].acknowledged_by
        assert history[2] == comment
        assert history[2].at == from_millis(T0 + 10)
        with pytest.raises(NotLive, match="state: the incident is resolved"):
            await journal.acknowledge("acme", one.incident_id, by="late", note=None, now=T0 + 30)
        for missing in (
            journal.history("other", one.incident_id),
            journal.comment("other", one.incident_id, by="x", note="y", now=T0),
        ):
            with pytest.raises(KeyError):
                await missing


async def test_pending_incidents_and_those_that_passed_are_shown_only_where_asked_for(stack: DeployedStack) -> None:
    async with stack.aws.client("dynamodb") as client:
        table = IncidentsTable(client, stack.names)
        pending = incident().model_copy(update={"state": IncidentState.PENDING})
        stored = await table.open(pending)
        assert await table.list("acme") == ([], None)
        assert (await table.list("acme", states=[IncidentState.PENDING]))[0] == [pending]
        await table.change(stored, resolved(pending, at=T0 + 1).model_copy(update={"passed": True}))
        assert await table.list("acme") == ([], None)
        assert await table.list("acme", states=[IncidentState.RESOLVED]) == ([], None)
        with pytest.raises(NotLive):
            await IncidentJournal(client, stack.names).acknowledge(
                "acme", pending.incident_id, by="x", note=None, now=T0
            )


async def test_what_late_readings_tell_of_is_added_once(stack: DeployedStack) -> None:
    async with stack.aws.client("dynamodb") as client:
        table = IncidentsTable(client, stack.names)
        one = resolved(incident(), at=T0 + 1)
        entry = entry_of(one, "resolved", now=T0 + 5, reason="late")
        added = await asyncio.gather(table.add_over(one, entry=entry), table.add_over(one, entry=entry))
        assert sorted(added) == [False, True]
        assert (await table.list("acme"))[0] == [one]
        assert [stored async for stored in table.live()] == []


async def test_of_many_alerters_that_see_a_breach_at_once_one_opens_the_incident(stack: DeployedStack) -> None:
    async with stack.aws.client("dynamodb") as client:
        table = IncidentsTable(client, stack.names)

        async def open_one() -> str | None:
            one = incident()
            try:
                await table.open(one, entry=entry_of(one, "opened", now=T0, reason="outside"))
            except AlreadyOpen:
                return None
            return one.incident_id

        opened = [each for each in await asyncio.gather(*(open_one() for _ in range(8))) if each]
        assert [stored.incident.incident_id async for stored in table.live()] == opened
        assert len(await IncidentJournal(client, stack.names).history("acme", opened[0])) == 1
