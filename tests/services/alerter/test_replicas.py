"""Two alerters share the readings of a series and come to one result."""

import pytest
from tests.services.alerter.observations import forecast, limit_rule, reading
from tests.services.alerter.room import Room, opened_room, spans

from sensorcast_common.rule import ForecastCondition, Rule


async def pair(*rules: Rule) -> tuple[Room, Room]:
    one = await opened_room(*rules)
    other = Room(tables=one.tables, telephone=one.telephone)
    await other.sweep()
    return one, other


async def test_what_one_opened_the_other_resolves_after_its_next_sweep() -> None:
    one, other = await pair(limit_rule())
    await one.take(reading("00:01", 9))
    await other.take(reading("00:02", 5))
    assert spans(one.incidents) == [("00:01:00", "open", None)]
    await other.sweep("00:02:15")
    await other.take(reading("00:03", 5))
    assert spans(one.incidents) == [("00:01:00", "resolved", "00:03:00")]


async def test_what_the_other_resolved_opens_anew_after_the_next_sweep() -> None:
    one, other = await pair(limit_rule())
    await one.take(reading("00:01", 9))
    await other.sweep("00:01:15")
    await other.take(reading("00:02", 5))
    await one.sweep("00:02:15")
    await one.take(reading("00:03", 9))
    assert spans(one.incidents) == [("00:01:00", "resolved", "00:02:00"), ("00:03:00", "open", None)]
    assert len(one.sms) == 2


async def test_a_breach_from_before_the_last_end_does_not_hide_a_new_one() -> None:
    one, other = await pair(limit_rule())
    await one.play(reading("00:01", 9), reading("00:03", 5))
    await other.take(reading("00:02", 9))
    await other.take(reading("00:04", 9))
    assert spans(one.incidents) == [("00:01:00", "resolved", "00:03:00"), ("00:04:00", "open", None)]


async def test_of_two_values_at_one_time_the_first_to_come_counts() -> None:
    room = await opened_room(limit_rule())
    await room.take(reading("00:01", 5))
    await room.take(reading("00:01", 9))
    assert room.incidents == []


async def test_a_forecast_that_comes_again_after_a_failure_counts_once() -> None:
    wary = ForecastCondition(min_probability=0.7, min_consecutive=3)
    quick = ForecastCondition(min_probability=0.7)
    room = await opened_room(limit_rule(forecast=wary), limit_rule(rule_id="other", forecast=quick))
    both = forecast("00:05", 0.9)
    both = both.model_copy(update={"risks": [*both.risks, both.risks[0].model_copy(update={"rule_id": "other"})]})
    room.tables.away = True
    for _ in range(3):
        with pytest.raises(ConnectionError):
            await room.take(both)
    room.tables.away = False
    await room.play(both, forecast("00:10", 0.9))
    assert [incident.rule_id for incident in room.incidents] == ["other"]
    await room.take(forecast("00:15", 0.9))
    assert {incident.rule_id for incident in room.incidents} == {"other", "chilled"}


async def test_a_rule_that_one_has_not_read_yet_keeps_its_incident() -> None:
    one, other = await pair()
    one.tables.rules.append(limit_rule())
    await one.sweep("00:00:30")
    await one.take(reading("00:01", 9))
    await other.sweep("00:01:01")
    assert spans(one.incidents) == [("00:01:00", "open", None)]


async def test_what_a_killed_alerter_had_still_to_revise_is_revised_by_another() -> None:
    killed = await opened_room(limit_rule())
    await killed.play(*[reading(f"00:{minute:02}", 5) for minute in (0, 1, 2, 6, 7)])
    late = [reading(f"00:{minute:02}", value, received="00:07:10") for minute, value in ((3, 9), (4, 9.5), (5, 5))]
    await killed.take(*late, when="00:07:10")
    assert killed.incidents == []
    other = Room(tables=killed.tables)
    await other.sweep("00:08:00")
    assert other.incidents == []  # whoever set the mark may still be at it
    await other.sweep("00:13:30")
    assert spans(other.incidents) == [("00:03:00", "resolved", "00:05:00")]
    assert (other.only.late, other.sms) == (True, [])
    assert other.tables.marks.items == {}


async def test_an_alerter_that_lives_takes_its_marks_away() -> None:
    room = await opened_room(limit_rule())
    await room.play(reading("00:00", 5), reading("00:05", 5))
    await room.take(reading("00:03", 9, received="00:05:10"), when="00:05:10")
    assert len(room.tables.marks.items) == 1
    await room.sweep("00:06:00")
    assert room.tables.marks.items == {}
    assert spans(room.incidents) == [("00:03:00", "resolved", "00:05:00")]
