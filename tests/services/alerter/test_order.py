"""What holds whatever the order in which readings come, and however often they come: the incidents in the end.

A reading that comes after a newer one decides nothing when it comes, so that it neither opens, ends nor tells anything.
Once the hot store has it, the readings around it are gone through again, and what incidents had been missed, cut or
wrongly dated is put right, without a word to anybody.
"""

import asyncio
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.services.alerter.memory import MemoryTables, Telephone
from tests.services.alerter.observations import MIDNIGHT, limit_rule, reading
from tests.services.alerter.room import Room

from sensorcast_common.clock import from_millis
from sensorcast_common.escalation import Escalation
from sensorcast_common.incident import Incident, IncidentState
from sensorcast_common.product import ProductProfile
from sensorcast_common.reading import Reading
from sensorcast_common.rule import ProductCondition, RateCondition, Rule, StuckCondition

SLOW = limit_rule(above=8, below=2, hold_seconds=2, clear_margin=1)
PLAIN = limit_rule(above=8, below=2)
VACCINE = ProductProfile(
    tenant="acme", product_id="vaccine", name="Vaccine", above=8, below=2, consecutive_minutes=4, cumulative_minutes=7
)
RULES = [
    PLAIN.model_copy(update={"rule_id": "plain"}),
    limit_rule(rule_id="slow", above=8, below=2, hold_seconds=150, clear_margin=1),
    PLAIN.model_copy(
        update={"rule_id": "rate", "condition": RateCondition(rising=2, falling=2, window_minutes=2, hold_seconds=60)}
    ),
    PLAIN.model_copy(update={"rule_id": "stuck", "condition": StuckCondition(after_minutes=2)}),
    PLAIN.model_copy(
        update={"rule_id": "product", "condition": ProductCondition(product="vaccine"), "profile": VACCINE}
    ),
]

values = st.sampled_from([0.0, 1.5, 2.5, 5.0, 7.5, 8.5, 10.0])
in_order = st.lists(values, min_size=1, max_size=25).map(
    lambda found: [reading(MIDNIGHT + second * 1000, value) for second, value in enumerate(found)]
)
by_minute = st.lists(values, min_size=1, max_size=12).map(
    lambda found: [reading(MIDNIGHT + minute * 60_000, value) for minute, value in enumerate(found)]
)
examples = settings(max_examples=60)


def outcome(incidents: list[Incident]) -> list[tuple[object, ...]]:
    return [
        (each.opened_at, each.side, each.state, each.basis, each.observed_at, each.resolved_at, each.worst)
        for each in incidents
    ]


EACH = Escalation(tenant="acme", escalation_id="each", group_by=None)
"""Each incident has a message of its own, so that messages can be counted."""


async def ungrouped_room(*rules: Rule) -> Room:
    room = Room(*rules)
    room.tables.book.contacts.escalations.append(EACH)
    await room.sweep()
    return room


async def run(batches: list[list[Reading]], *, plain: bool = False) -> Room:
    room = await ungrouped_room(PLAIN if plain else SLOW)
    for batch in batches:
        if batch:
            await room.take(*batch)
    return room


@examples
@given(in_order, st.data())
def test_repetition_changes_nothing(stream: list[Reading], data: st.DataObject) -> None:
    repeated: list[Reading] = []
    for at, each in enumerate(stream):
        repeated.append(each)
        repeated += data.draw(st.lists(st.sampled_from(stream[: at + 1]), max_size=3))
    once = asyncio.run(run([[each] for each in stream]))
    again = asyncio.run(run([[each] for each in repeated]))
    assert outcome(once.incidents) == outcome(again.incidents)
    assert len(once.sms) == len(again.sms) == len(once.incidents)


@examples
@given(in_order, st.data())
def test_order_inside_a_batch_changes_nothing(stream: list[Reading], data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(0, len(stream)), max_size=4)) | {0, len(stream)})
    batches = [stream[start:end] for start, end in pairwise(cuts)]
    shuffled = [data.draw(st.permutations(batch)) for batch in batches]
    one_by_one = asyncio.run(run([[each] for each in stream]))
    assert outcome(one_by_one.incidents) == outcome(asyncio.run(run(batches)).incidents)
    assert outcome(one_by_one.incidents) == outcome(asyncio.run(run(shuffled)).incidents)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.rule_id)
@settings(max_examples=40)
@given(by_minute.flatmap(lambda stream: st.permutations(stream + stream[::3])))
def test_any_order_ends_in_the_incidents_of_the_readings_in_order(rule: Rule, arrival: list[Reading]) -> None:
    ordered, given_order = asyncio.run(end_of(rule, sorted(arrival))), asyncio.run(end_of(rule, arrival))
    assert outcome(ordered.incidents) == outcome(given_order.incidents)
    assert len(given_order.sms) <= len(given_order.incidents) + given_order.withdrawn


@pytest.mark.parametrize(
    ("rule_id", "arrival"),
    [
        ("slow", [(0, 8.5), (1, 8.5), (2, 8.5), (4, 7.5), (3, 8.5)]),
        ("rate", [(0, 0), (1, 0), (5, 8.5), (3, 0), (10, 5), (2, 0), *((at, 0) for at in (6, 7, 8, 9, 4)), (11, 5)]),
    ],
)
def test_what_ended_out_of_order_does_not_stand_in_the_way_of_what_goes_on(
    rule_id: str, arrival: list[tuple[int, float]]
) -> None:
    rule = next(each for each in RULES if each.rule_id == rule_id)
    readings = [reading(MIDNIGHT + minute * 60_000, value) for minute, value in arrival]
    ordered, given_order = asyncio.run(end_of(rule, sorted(readings))), asyncio.run(end_of(rule, readings))
    assert [each.state for each in given_order.incidents] == [IncidentState.OPEN]
    assert outcome(ordered.incidents) == outcome(given_order.incidents)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.rule_id)
@settings(max_examples=15)
@given(by_minute, st.data())
def test_alerters_that_are_killed_end_in_the_incidents_of_the_readings_in_order(
    rule: Rule, stream: list[Reading], data: st.DataObject
) -> None:
    async def killed() -> Room:
        tables, telephone = MemoryTables(), Telephone()
        tables.book.contacts.escalations.append(EACH)
        room = Room(rule, tables=tables, telephone=telephone)
        await room.sweep()
        queue = list(stream)
        while queue:
            each = queue.pop(data.draw(st.integers(0, min(2, len(queue) - 1))))
            await room.take(each)
            then = data.draw(st.sampled_from(["acknowledged", "acknowledged", "killed", "swept"]))
            if then == "killed":
                queue.insert(data.draw(st.integers(0, len(queue))), each)
                room, now = Room(tables=tables, telephone=telephone), room.now
                room.now = now
            if then != "acknowledged":
                await room.sweep()
        room.now += 600_000
        await room.sweep()
        return room

    ordered, room = asyncio.run(end_of(rule, stream)), asyncio.run(killed())
    # How far outside a pending incident has been is only in memory.
    assert [each[:-1] for each in outcome(ordered.incidents)] == [each[:-1] for each in outcome(room.incidents)]


async def test_what_the_hot_store_lacks_is_not_withdrawn() -> None:
    room = await ungrouped_room(PLAIN)
    for when, value in [("00:00", 9.0), ("00:02", 5.0), ("00:01", 9.0)]:
        await room.take(reading(when, value))
    newest = reading("00:03", 9.0)
    await room.take(newest)
    del room.past.values[newest.series][newest.ts]
    await room.sweep("00:03:01")
    assert [each.opened_at for each in room.incidents] == [from_millis(MIDNIGHT + minute * 60_000) for minute in (0, 3)]
    assert room.withdrawn == 0
    await room.take(reading("00:04", 9.0))
    assert [each.state for each in room.incidents] == [IncidentState.RESOLVED, IncidentState.OPEN]


async def end_of(rule: Rule, arrival: list[Reading]) -> Room:
    """After the readings have come one by one, and late ones have been looked at again."""
    room = await ungrouped_room(rule)
    for each in arrival:
        await room.take(each)
    room.now += 120_000
    await room.sweep()
    return room


@examples
@given(in_order.flatmap(lambda stream: st.permutations(stream + stream)))
def test_the_newest_reading_alone_decides_what_is_open_in_the_end(arrival: list[Reading]) -> None:
    room = asyncio.run(run([[each] for each in arrival], plain=True))
    value = max(arrival, key=lambda each: each.ts).value
    expected = ["above"] if value > 8 else ["below"] if value < 2 else []
    assert [each.side for each in room.incidents if each.state is IncidentState.OPEN] == expected


@examples
@given(in_order, st.data())
def test_failing_tables_and_redelivery_change_nothing(stream: list[Reading], data: st.DataObject) -> None:
    async def shaken() -> Room:
        room = await ungrouped_room(SLOW)
        owed: list[Reading] = []
        for each in stream:
            away: bool = data.draw(st.booleans())
            room.tables.away = away
            try:
                await room.take(each)
            except ConnectionError:
                owed.append(each)
            comes_again: bool = data.draw(st.booleans())
            if owed and comes_again:
                room.tables.away = False
                await room.take(owed.pop(data.draw(st.integers(0, len(owed) - 1))))
        room.tables.away = False
        for each in owed:
            await room.take(each)
        room.now += 120_000
        await room.sweep()
        return room

    smooth, room = asyncio.run(run([[each] for each in stream])), asyncio.run(shaken())
    assert outcome(smooth.incidents) == outcome(room.incidents)
    assert len(room.sms) == len(room.incidents)


@examples
@given(in_order, st.data())
def test_two_alerters_make_one_incident_at_a_time_and_one_sms_each(stream: list[Reading], data: st.DataObject) -> None:
    async def both() -> Room:
        tables, telephone = MemoryTables(), Telephone()
        tables.book.contacts.escalations.append(EACH)
        rooms = [Room(PLAIN, tables=tables, telephone=telephone), Room(tables=tables, telephone=telephone)]
        for room in rooms:
            await room.sweep()
        for each in stream:
            takers: list[int] = data.draw(st.sampled_from([[0], [1], [0, 1]]))
            await asyncio.gather(*(rooms[taker].take(each) for taker in takers))
            if data.draw(st.booleans()):
                await asyncio.gather(*(room.sweep() for room in rooms))
        return rooms[0]

    room = asyncio.run(both())
    for side in ("above", "below"):
        spans = [each for each in room.incidents if each.side == side]
        for before, after in pairwise(spans):
            assert before.resolved_at is not None
            assert before.resolved_at < after.opened_at
    assert len(room.sms) == len(room.incidents)
