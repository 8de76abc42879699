"""The compiled rules answer as the rules themselves, and what is remembered is bounded."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.services.alerter.observations import limit_rule, reading
from tests.services.alerter.room import opened_room

from sensorcast_common.reading import SeriesKey
from sensorcast_rules.rules_index import RulesIndex
from sensorcast_rules.series_state import SeriesStates

patterns = st.from_regex(r"[ab.:*?-]{1,5}", fullmatch=True)
names = st.from_regex(r"[ab][ab.:-]{0,4}", fullmatch=True)


@given(st.lists(st.tuples(patterns, patterns, st.booleans(), st.sampled_from(["acme", "other"])), max_size=6), names)
def test_the_index_finds_the_rules_that_apply(found: list[tuple[str, str, bool, str]], device: str) -> None:
    rules = [
        limit_rule(rule_id=f"rule-{at}").model_copy(
            update={"device": pattern, "metric": metric, "enabled": enabled, "tenant": tenant}
        )
        for at, (pattern, metric, enabled, tenant) in enumerate(found)
    ]
    series = SeriesKey("acme", device, device[::-1] if device[::-1][0] in "ab" else device)
    expected = sorted(rule.rule_id for rule in rules if rule.applies_to(series))
    assert [limit.rule.rule_id for limit in RulesIndex(rules).limits_of(series)] == expected


def test_the_series_unseen_for_longest_is_forgotten() -> None:
    states = SeriesStates(capacity=2)
    one, two, three = (SeriesKey("acme", f"truck-{number}", "temperature") for number in (1, 2, 3))
    first = states.of(one)
    states.of(two)
    assert states.of(one) is first
    states.of(three)
    assert [state.key for state in states] == [one, three]
    with pytest.raises(ValueError, match="capacity"):
        SeriesStates(capacity=0)


async def test_a_series_with_an_open_incident_is_not_forgotten() -> None:
    room = await opened_room(limit_rule())
    hot = [reading("00:01", 9, device=f"hot-{number}") for number in range(3)]
    room.tables.rules[:] = [limit_rule(device="hot-*")]
    await room.sweep()
    await room.take(*hot)
    for number in range(500):
        await room.take(reading("00:02", 5, device=f"truck-{number}"), when="00:02")
    assert len(room.states) == 100
    await room.take(*(reading("00:03", 5, device=f"hot-{number}") for number in range(3)))
    assert {incident.state for incident in room.incidents} == {"resolved"}


async def test_a_rule_that_stays_the_same_keeps_its_hold_times() -> None:
    room = await opened_room(limit_rule(hold_seconds=300))
    await room.take(reading("00:00", 9))
    room.tables.rules.append(limit_rule(rule_id="another", above=20))
    await room.sweep("00:02")
    await room.take(reading("00:05", 9))
    assert [incident.rule_id for incident in room.incidents] == ["chilled"]
