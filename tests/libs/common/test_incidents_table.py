"""The table of incidents keeps one open per series, rule and side, and every one for good."""

from collections.abc import AsyncIterator

import pytest
from tests.servers.aws import AwsAccount

from sensorcast_common.clock import from_millis
from sensorcast_common.identity import new_id
from sensorcast_common.incident import Basis, Incident, IncidentState
from sensorcast_common.names import Names
from sensorcast_common.notice import Channel, Notice, Occasion
from sensorcast_common.stored_incident import AlreadyOpen, AlreadyOver, IncidentConflict
from sensorcast_common.tables.incident_outbox import IncidentOutbox
from sensorcast_common.tables.incidents import IncidentsTable

NAMES = Names()
T0 = 1_700_000_000_000
MINUTE = 60_000


class Tables:
    """The table and two senders' views of its outbox."""

    def __init__(self, incidents: IncidentsTable, one: IncidentOutbox, other: IncidentOutbox) -> None:
        self.incidents = incidents
        self.one = one
        self.other = other

    async def live(self) -> set[str]:
        return {stored.incident.incident_id async for stored in self.incidents.live()}


@pytest.fixture
async def tables(any_account: AwsAccount) -> AsyncIterator[Tables]:
    """The table as the template makes it, on two independent implementations of DynamoDB."""
    async with any_account.aws.client("dynamodb") as client:
        await client.create_table(
            TableName=NAMES.table_incidents,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[
                {"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk", "tenant_open", "opened_at")
            ],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            GlobalSecondaryIndexes=[
                {
                    "IndexName": "open",
                    "KeySchema": [
                        {"AttributeName": "tenant_open", "KeyType": "HASH"},
                        {"AttributeName": "opened_at", "KeyType": "RANGE"},
                    ],
                    "Projection": {"ProjectionType": "ALL"},
                }
            ],
        )
        yield Tables(
            IncidentsTable(client, NAMES),
            IncidentOutbox(client, NAMES, owner="one"),
            IncidentOutbox(client, NAMES, owner="other"),
        )


def incident(device: str = "truck-1", *, tenant: str = "acme", opened_at: int = T0) -> Incident:
    return Incident(
        tenant=tenant,
        incident_id=new_id(),
        rule_id="fridge",
        rule_version=3,
        rule_name="Fridge",
        severity="critical",
        device=device,
        metric="temperature",
        unit="Cel",
        state=IncidentState.OPEN,
        basis=Basis.OBSERVED,
        side="above",
        threshold=8.0,
        opened_at=from_millis(opened_at),
        value=8.1 + 1e-13,
        worst=1e300,
        reason="outside",
    )


def resolved(open_one: Incident, *, at: int) -> Incident:
    return open_one.model_copy(
        update={"state": IncidentState.RESOLVED, "resolved_at": from_millis(at), "reason": "back_inside"}
    )


def sms(occasion: Occasion = Occasion.OPENED) -> Notice:
    return Notice(
        occasion=occasion,
        channel=Channel.SMS,
        recipient="+4915112345678",
        text="Fridge: 8.1 Cel",
        created_at=from_millis(T0),
    )


async def test_what_is_opened_is_read_exactly(tables: Tables) -> None:
    one = incident()
    stored = await tables.incidents.open(one, [sms()])
    assert await tables.incidents.get("acme", one.incident_id) == one
    assert await tables.incidents.load("acme", one.incident_id) == stored
    assert await tables.incidents.get("other", one.incident_id) is None
    assert [each async for each in tables.incidents.live()] == [stored]


async def test_a_series_has_one_open_incident_per_rule_and_side(tables: Tables) -> None:
    async def open_one() -> str | None:
        try:
            return (await tables.incidents.open(incident())).incident.incident_id
        except AlreadyOpen:
            return None

    opened = [await open_one() for _ in range(3)]
    assert len([each for each in opened if each]) == 1
    assert len(await tables.live()) == 1
    await tables.incidents.open(incident("truck-2"))
    await tables.incidents.open(incident().model_copy(update={"side": "below"}))
    await tables.incidents.open(incident().model_copy(update={"rule_id": "other"}))
    await tables.incidents.open(incident(tenant="other"))
    assert len(await tables.live()) == 5


async def test_after_resolving_a_later_one_opens_and_an_earlier_one_does_not(tables: Tables) -> None:
    stored = await tables.incidents.open(incident(opened_at=T0))
    await tables.incidents.change(stored, resolved(stored.incident, at=T0 + MINUTE))
    for again in (T0, T0 + MINUTE):
        with pytest.raises(AlreadyOver):
            await tables.incidents.open(incident(opened_at=again))
    later = await tables.incidents.open(incident(opened_at=T0 + MINUTE + 1))
    assert await tables.live() == {later.incident.incident_id}


async def test_a_revised_one_may_begin_before_the_last_one_ended_but_not_beside_an_open_one(tables: Tables) -> None:
    stored = await tables.incidents.open(incident(opened_at=T0))
    await tables.incidents.change(stored, resolved(stored.incident, at=T0 + MINUTE))
    revised = await tables.incidents.open(incident(opened_at=T0), revised=True)
    assert await tables.live() == {revised.incident.incident_id}
    with pytest.raises(AlreadyOpen):
        await tables.incidents.open(incident(opened_at=T0), revised=True)


async def test_a_change_of_an_old_revision_is_refused(tables: Tables) -> None:
    stored = await tables.incidents.open(incident())
    worse = stored.incident.model_copy(update={"worst": 9.0})
    changed = await tables.incidents.change(stored, worse)
    assert changed.revision == 2
    with pytest.raises(IncidentConflict):
        await tables.incidents.change(stored, worse)
    with pytest.raises(IncidentConflict):
        await tables.incidents.change(stored, resolved(stored.incident, at=T0))
    with pytest.raises(AlreadyOpen):
        await tables.incidents.open(incident(opened_at=T0 + 1))
    assert await tables.incidents.get("acme", worse.incident_id) == worse


async def test_a_resolved_incident_stays_and_leaves_the_index_when_all_is_sent(tables: Tables) -> None:
    stored = await tables.incidents.open(incident(), [sms()])
    over = resolved(stored.incident, at=T0 + 1)
    stored = await tables.incidents.change(stored, over, [sms(Occasion.RESOLVED)])
    assert await tables.live() == {over.incident_id}
    await tables.one.settle(over, sms(), now=T0 + 2)
    assert await tables.live() == {over.incident_id}
    await tables.one.settle(over, sms(Occasion.RESOLVED), now=T0 + 3)
    assert await tables.live() == set()
    told = await tables.incidents.get("acme", over.incident_id)
    assert told == over.model_copy(update={"notified_at": from_millis(T0 + 2), "message": "Fridge: 8.1 Cel"})


async def test_one_sender_claims_a_notice_until_its_claim_runs_out(tables: Tables) -> None:
    stored = await tables.incidents.open(incident(), [sms()])
    one = stored.incident
    assert await tables.one.claim(one, sms(), now=T0, until=T0 + 100)
    assert not await tables.other.claim(one, sms(), now=T0 + 99, until=T0 + 200)
    assert await tables.other.claim(one, sms(), now=T0 + 100, until=T0 + 200)
    await tables.one.postpone(one, sms(), until=T0 + 10_000)
    await tables.other.postpone(one, sms(), until=T0 + 150)
    assert await tables.one.claim(one, sms(), now=T0 + 150, until=T0 + 300)
    await tables.one.settle(one, sms(), now=T0 + 160)
    assert not await tables.other.claim(one, sms(), now=T0 + 9_999, until=T0 + 99_999)
    after = await tables.incidents.load("acme", one.incident_id)
    assert after is not None
    assert after.revision == 1
    assert after.outbox[sms().key].attempts == 3
    assert after.outbox[sms().key].sent_at == from_millis(T0 + 160)


async def test_a_transition_keeps_what_its_outbox_has_become(tables: Tables) -> None:
    stored = await tables.incidents.open(incident(), [sms()])
    await tables.one.settle(stored.incident, sms(), now=T0)
    await tables.incidents.change(stored, stored.incident.model_copy(update={"worst": 9.0}), [sms()])
    after = await tables.incidents.load("acme", stored.incident.incident_id)
    assert after is not None
    assert after.outbox[sms().key].sent_at == from_millis(T0)
    assert after.incident.message == "Fridge: 8.1 Cel"


async def test_pages_go_from_newest_to_oldest_and_show_no_marker(tables: Tables) -> None:
    made = [(await tables.incidents.open(incident(f"truck-{at}", opened_at=T0 + at))) for at in range(7)]
    for stored in made[::2]:
        await tables.incidents.change(stored, resolved(stored.incident, at=T0 + MINUTE))
    newest_first = [stored.incident.incident_id for stored in reversed(made)]
    expected: dict[tuple[IncidentState, ...], list[str]] = {
        (): newest_first,
        (IncidentState.OPEN, IncidentState.ACKNOWLEDGED): newest_first[1::2],
        (IncidentState.RESOLVED,): newest_first[::2],
        (IncidentState.OPEN, IncidentState.RESOLVED): newest_first,
    }
    for states, ids in expected.items():
        seen: list[str] = []
        cursor: str | None = None
        pages = 0
        while pages == 0 or cursor:
            page, cursor = await tables.incidents.list("acme", states=states, limit=2, cursor=cursor)
            seen += [each.incident_id for each in page]
            pages += 1
        assert seen == ids
        assert pages == (len(ids) + 1) // 2
    assert await tables.incidents.list("other") == ([], None)


async def test_a_cursor_that_is_none_is_refused_by_name(tables: Tables) -> None:
    for cursor in ("?", "e30", "bnVsbA", "WzFd", "%%%"):
        with pytest.raises(ValueError, match="cursor"):
            await tables.incidents.list("acme", cursor=cursor)
    with pytest.raises(ValueError, match="limit"):
        await tables.incidents.list("acme", limit=0)


async def test_what_time_brings_is_added_once_and_seen_by_the_next_change(tables: Tables) -> None:
    stored = await tables.incidents.open(incident(), [sms()])
    reminder = sms(Occasion.ESCALATED).model_copy(update={"step": 1, "language": "de", "group": "truck-1"})
    kept = sms(Occasion.REPEATED).model_copy(update={"withheld": "country: XX is not allowed"})
    added = await tables.one.add(stored, [reminder, kept])
    with pytest.raises(IncidentConflict):
        await tables.other.add(stored, [reminder])
    with pytest.raises(IncidentConflict):
        await tables.incidents.change(stored, resolved(stored.incident, at=T0 + MINUTE))
    assert await tables.incidents.load("acme", stored.incident.incident_id) == added
    assert not await tables.one.claim(stored.incident, kept, now=T0, until=T0 + 100)
    await tables.one.settle(stored.incident, reminder, now=T0 + 1, text="sent", together=3)
    await tables.one.settle(stored.incident, sms(), now=T0 + 1, withheld="cap_number: 2 SMS on 2025-01-15")
    after = await tables.incidents.load("acme", stored.incident.incident_id)
    assert after is not None
    assert not any(notice.pending for notice in after.outbox.values())
    sent = after.outbox[reminder.key]
    assert (sent.text, sent.together, sent.sent_at) == ("sent", 3, from_millis(T0 + 1))
    assert after.outbox[kept.key] == kept
    assert after.outbox[sms().key].withheld == "cap_number: 2 SMS on 2025-01-15"
