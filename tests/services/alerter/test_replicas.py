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
