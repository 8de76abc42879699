"""What people and vehicles are told, minute by minute."""

import json

import pytest
from tests.services.alerter.observations import at, forecast, limit_rule, reading
from tests.services.alerter.room import Room, opened_room, spans

from sensorcast_common.clock import from_millis
from sensorcast_common.incident import Basis, IncidentState
from sensorcast_common.rule import ForecastCondition

PREDICTING = limit_rule(forecast=ForecastCondition(min_probability=0.7))


async def test_a_likely_breach_is_told_once_before_it_happens() -> None:
    room = await opened_room(PREDICTING)
    await room.take(reading("00:00", 7.9))
    assert room.sms == []
    await room.take(forecast("00:05", 0.9, expected="00:35"))
    assert room.sms == [
        "WARNING Chilled goods: truck-1 temperature now 7.9 C, 90% likely above limit 8 C about 15 Jan 00:35 UTC"
    ]
    assert room.bases == [Basis.PREDICTED]
    await room.play(forecast("00:10", 0.95), reading("00:30", 8.4), reading("00:31", 8.6))
    assert len(room.sms) == 1
    assert room.bases == [Basis.OBSERVED]
    assert room.only.observed_at == from_millis(at("00:30"))
    assert room.only.opened_at == from_millis(at("00:05"))
    await room.take(reading("00:50", 7.5))
    assert spans(room.incidents) == [("00:05:00", "resolved", "00:50:00")]
    assert room.only.worst == 8.6
    assert len(room.sms) == 1
    assert [json.loads(alert.text)["occasion"] for alert in room.vehicle.got] == ["opened", "observed", "resolved"]
    assert {alert.address for alert in room.vehicle.got} == {"alerts/acme/truck-1"}


async def test_an_observed_breach_is_told_once_with_value_limit_and_time() -> None:
    room = await opened_room(limit_rule())
    await room.play(reading("00:00", 7.9), reading("00:01", 9.25), reading("00:02", 9.5))
    assert room.sms == ["WARNING Chilled goods: truck-1 temperature 9.25 C, above limit 8 C since 15 Jan 00:01 UTC"]
    await room.play(reading("00:03", 8.0), reading("00:04", 8.1))
    assert spans(room.incidents) == [("00:01:00", "resolved", "00:03:00"), ("00:04:00", "open", None)]
    assert len(room.sms) == 2


async def test_the_limit_itself_is_inside() -> None:
    room = await opened_room(limit_rule(above=8, below=2))
    await room.play(reading("00:00", 8.0), reading("00:01", 2.0))
    assert room.incidents == []


async def test_each_side_has_its_own_incident() -> None:
    room = await opened_room(limit_rule(above=8, below=2))
    await room.play(reading("00:00", 9), reading("00:01", 1), reading("00:02", 5))
    assert [(each.side, each.threshold, each.worst) for each in room.incidents] == [("above", 8, 9), ("below", 2, 1)]
    assert all(each.state is IncidentState.RESOLVED for each in room.incidents)


async def test_a_breach_counts_after_its_hold_time_and_began_with_its_first_reading() -> None:
    room = await opened_room(limit_rule(hold_seconds=300))
    await room.play(reading("00:00", 9), reading("00:04", 9), reading("00:04:30", 7), reading("00:05", 9))
    assert room.incidents == []
    assert [each.opened_at for each in room.pending] == [from_millis(at("00:05"))]
    await room.play(reading("00:09:59", 9.5))
    assert room.incidents == []
    assert room.vehicle.got == []
    await room.take(reading("00:10", 9))
    assert spans(room.incidents) == [("00:05:00", "open", None)]
    assert room.only.worst == 9.5
    assert room.history(room.only) == ["pending", "opened"]
    passed = next(stored.incident for stored in room.tables.items.values() if stored.incident.passed)
    assert room.history(passed) == ["pending", "resolved"]


async def test_a_restarted_alerter_goes_on_counting_a_hold_time() -> None:
    room = await opened_room(limit_rule(hold_seconds=300))
    await room.play(reading("00:00", 9), reading("00:02", 9))
    after = Room(tables=room.tables, telephone=room.telephone)
    await after.sweep("00:03")
    await after.take(reading("00:05", 9))
    assert spans(after.incidents) == [("00:00:00", "open", None)]


async def test_a_pending_breach_of_which_nothing_is_heard_passes_after_a_day() -> None:
    room = await opened_room(limit_rule(hold_seconds=300))
    await room.take(reading("00:00", 9))
    await room.sweep("24:00")
    assert len(room.pending) == 1
    await room.sweep("24:01")
    assert (room.pending, room.incidents) == ([], [])


async def test_an_acknowledged_incident_stays_so_until_it_resolves_and_the_vehicle_hears_of_it() -> None:
    room = await opened_room(PREDICTING)
    await room.take(forecast("00:05", 0.9))
    room.acknowledge(room.only, by="dispatch", note="on my way")
    await room.play(reading("00:06", 7.9))
    await room.sweep("00:06:15")
    await room.sweep("00:06:30")
    await room.play(reading("00:30", 9))
    assert (room.only.state, room.only.basis, room.only.acknowledged_by) == ("acknowledged", "observed", "dispatch")
    await room.play(reading("00:31", 9), reading("00:40", 5))
    assert room.history(room.only) == ["opened", "acknowledged", "observed", "resolved"]
    told = [json.loads(alert.text) for alert in room.vehicle.got]
    assert [each["occasion"] for each in told] == ["opened", "acknowledged", "observed", "resolved"]
    assert told[1]["acknowledged_by"] == "dispatch"
    assert len(room.sms) == 1


async def test_the_history_says_which_values_forecast_and_version_of_the_rule_did_it() -> None:
    room = await opened_room(PREDICTING)
    await room.take(forecast("00:05", 0.9, expected="00:35"))
    room.tables.rules[:] = [PREDICTING.model_copy(update={"version": 2})]
    await room.sweep("00:06")
    await room.play(reading("00:30", 8.4))
    foreseen, happened = room.tables.history[room.only.incident_id]
    assert (foreseen.probability, foreseen.forecast_known_at) == (0.9, from_millis(at("00:05")))
    assert (foreseen.expected_at, foreseen.rule_version) == (from_millis(at("00:35")), 1)
    assert (happened.value, happened.as_of, happened.probability) == (8.4, from_millis(at("00:30")), None)
    assert happened.rule_version == 2


async def test_what_became_of_predictions_is_counted() -> None:
    room = await opened_room(PREDICTING)
    await room.play(forecast("00:05", 0.9), reading("00:30", 9), reading("00:31", 5))
    await room.play(forecast("01:05", 0.9), forecast("01:10", 0.1), forecast("01:15", 0.1))
    await room.take(forecast("02:05", 0.9))
    await room.sweep("03:30")
    assert {outcome: room.predictions(outcome) for outcome in ("came_true", "forecast_cleared", "false_alarm")} == {
        "came_true": 1,
        "forecast_cleared": 1,
        "false_alarm": 1,
    }


async def test_a_breach_that_is_expected_too_far_ahead_is_not_told_yet() -> None:
    room = await opened_room(limit_rule(forecast=ForecastCondition(max_lead_minutes=20)))
    await room.take(forecast("00:05", 0.9, expected="00:40"))
    assert (room.incidents, room.decided("too_far")) == ([], 1)
    await room.take(forecast("00:20", 0.9, expected="00:40"))
    assert room.bases == [Basis.PREDICTED]


async def test_an_incident_resolves_only_beyond_the_clear_margin() -> None:
    room = await opened_room(limit_rule(clear_margin=1))
    await room.play(reading("00:00", 9), reading("00:01", 7.5), reading("00:02", 8.5), reading("00:03", 7.01))
    assert spans(room.incidents) == [("00:00:00", "open", None)]
    await room.take(reading("00:04", 7.0))
    assert spans(room.incidents) == [("00:00:00", "resolved", "00:04:00")]
    assert len(room.sms) == 1


async def test_what_a_truck_kept_through_a_dead_zone_is_dated_marked_late_and_tells_nobody() -> None:
    room = await opened_room(limit_rule(hold_seconds=120))
    await room.take(reading("00:00", 5))
    warm = {10: 9, 11: 9, 12: 9.5, 13: 9, 14: 7}
    await room.take(*(reading(f"00:{minute:02}", warm.get(minute, 5), received="01:00") for minute in range(1, 50)))
    assert spans(room.incidents) == [("00:10:00", "resolved", "00:14:00")]
    assert (room.only.late, room.only.worst) == (True, 9.5)
    assert room.sms == []
    assert {json.loads(alert.text)["late"] for alert in room.vehicle.got} == {True}


async def test_a_breach_of_which_only_late_readings_tell_warns_nobody_until_one_in_time_does() -> None:
    room = await opened_room(limit_rule())
    await room.take(*(reading(f"00:{minute:02}", 12, received="01:00") for minute in range(49)))
    assert (room.only.late, room.only.state, room.sms) == (True, IncidentState.OPEN, [])
    await room.take(reading("01:01", 12))
    assert len(room.sms) == 1
    assert room.only.confirmed_at == from_millis(at("01:01"))
    await room.play(reading("01:02", 12), reading("01:03", 5))
    assert room.history(room.only) == ["opened", "confirmed", "resolved"]
    assert len(room.sms) == 1


async def test_a_device_whose_clock_is_wrong_raises_no_alarm() -> None:
    room = await opened_room(limit_rule())
    day = 86_400_000
    await room.take(*(reading(at("00:00") - day + minute * 60_000, 12, received="01:00") for minute in range(30)))
    assert room.sms == []
    assert room.only.late


async def test_a_breach_that_began_late_and_lasts_is_dated_by_its_beginning() -> None:
    room = await opened_room(limit_rule())
    await room.take(*(reading(f"00:{minute:02}", 9, received="01:00") for minute in range(40, 52)))
    assert spans(room.incidents) == [("00:40:00", "open", None)]


async def test_late_readings_of_the_past_end_no_breach_of_the_present() -> None:
    room = await opened_room(limit_rule())
    await room.take(reading("01:00", 9))
    await room.take(*(reading(f"00:{minute:02}", 5, received="01:01") for minute in range(59)))
    assert spans(room.incidents) == [("01:00:00", "open", None)]


async def test_a_reading_out_of_order_neither_reopens_nor_resolves() -> None:
    room = await opened_room(limit_rule())
    await room.play(reading("00:01", 9), reading("00:03", 7))
    await room.take(reading("00:02", 10), when="00:04")
    assert spans(room.incidents) == [("00:01:00", "resolved", "00:03:00")]
    await room.play(reading("00:05", 9))
    await room.take(reading("00:04", 5), when="00:06")
    assert room.incidents[-1].state is IncidentState.OPEN
    assert room.decided("out_of_order") == 2


async def test_an_unlikely_breach_is_not_told() -> None:
    room = await opened_room(PREDICTING)
    await room.play(forecast("00:05", 0.69), forecast("00:10", 0.1))
    assert room.incidents == []
    assert room.decided("unlikely") == 2


async def test_a_rule_may_want_several_forecasts_in_a_row() -> None:
    room = await opened_room(limit_rule(forecast=ForecastCondition(min_probability=0.7, min_consecutive=3)))
    doubtful = [forecast("00:05", 0.9), forecast("00:10", 0.9), forecast("00:15", 0.5)]
    await room.play(*doubtful, *doubtful, forecast("00:20", 0.9), forecast("00:25", 0.9), forecast("00:25", 0.9))
    assert room.incidents == []
    await room.take(forecast("00:30", 0.9))
    assert spans(room.incidents) == [("00:30:00", "open", None)]


async def test_a_forecast_known_for_more_than_two_periods_opens_nothing() -> None:
    room = await opened_room(PREDICTING)
    await room.take(forecast("00:05", 0.9), when="00:15:01")
    assert room.incidents == []
    assert room.decided("stale_forecast") == 1


async def test_a_forecast_of_another_threshold_or_rule_opens_nothing() -> None:
    room = await opened_room(PREDICTING)
    await room.play(forecast("00:05", 0.9, threshold=7), forecast("00:10", 0.9, rule_id="other"))
    await room.take(forecast("00:15", 0.9, side="below"))
    assert room.incidents == []


async def test_a_forecast_does_not_shorten_the_hold_time_of_a_breach() -> None:
    room = await opened_room(limit_rule(hold_seconds=600, forecast=ForecastCondition()))
    await room.play(reading("00:01", 9), forecast("00:05", 1.0, last_value=9))
    assert room.incidents == []
    await room.take(forecast("00:10", 1.0, last_value=9))
    assert room.incidents == []
    await room.take(reading("00:11", 9))
    assert room.bases == [Basis.OBSERVED]


async def test_a_prediction_that_is_not_repeated_resolves_after_enough_forecasts() -> None:
    room = await opened_room(PREDICTING)
    await room.play(forecast("00:05", 0.9), forecast("00:10", 0.3), forecast("00:15", 0.4), forecast("00:20", 0.3))
    assert room.only.state is IncidentState.OPEN
    await room.take(forecast("00:25", 0.2))
    assert spans(room.incidents) == [("00:05:00", "resolved", "00:25:00")]
    assert room.only.reason == "forecast_cleared"
    assert len(room.sms) == 1


async def test_a_prediction_that_does_not_come_true_is_a_false_alarm() -> None:
    room = await opened_room(PREDICTING)
    await room.play(forecast("00:05", 0.9), reading("00:30", 7.9))
    await room.sweep("01:09")
    assert room.only.state is IncidentState.OPEN
    await room.sweep("01:10")
    assert spans(room.incidents) == [("00:05:00", "resolved", "01:05:00")]
    assert room.only.reason == "false_alarm"


async def test_a_prediction_that_is_repeated_lasts_longer() -> None:
    room = await opened_room(PREDICTING)
    await room.play(forecast("00:05", 0.9), forecast("00:10", 0.8), forecast("00:15", 0.4))
    await room.sweep("01:15")
    assert room.only.state is IncidentState.OPEN
    await room.sweep("01:20")
    assert room.only.reason == "false_alarm"
    assert len(room.sms) == 1


async def test_a_reading_with_a_slow_clock_still_makes_a_prediction_come_true() -> None:
    room = await opened_room(PREDICTING)
    await room.play(forecast("00:05", 0.9), forecast("00:10", 0.9), forecast("00:15", 0.9))
    await room.take(reading("00:12", 9, received="00:16"))
    assert room.bases == [Basis.OBSERVED]


async def test_a_worst_value_that_grows_is_stored_now_and_then() -> None:
    room = await opened_room(limit_rule())
    await room.play(*(reading(at("00:00") + second * 1000, 9 + second / 100) for second in range(121)))
    assert room.only.worst == 10.2
    assert room.tables.writes == 3


async def test_removing_a_rule_ends_its_incidents() -> None:
    room = await opened_room(limit_rule())
    await room.take(reading("00:01", 9))
    room.tables.rules.clear()
    await room.sweep("00:02")
    assert room.only.reason == "rule_removed"
    assert json.loads(room.vehicle.got[-1].text)["occasion"] == "resolved"


async def test_a_changed_limit_is_in_force_after_the_next_sweep() -> None:
    room = await opened_room(limit_rule())
    await room.take(reading("00:01", 7))
    room.tables.rules[:] = [limit_rule(above=5)]
    await room.take(reading("00:02", 7))
    assert room.incidents == []
    await room.sweep("00:03")
    await room.take(reading("00:04", 7))
    assert room.only.threshold == 5


async def test_numbers_that_are_there_twice_get_one_sms() -> None:
    room = await opened_room(limit_rule(sms=["+4915112345678", "+4915112345678", "+4915187654321"]))
    await room.take(reading("00:01", 9))
    assert sorted(notice.address for notice in room.telephone.got) == ["+4915112345678", "+4915187654321"]


@pytest.mark.parametrize("value", [float("1e300"), 8.0000001])
async def test_any_value_outside_opens(value: float) -> None:
    room = await opened_room(limit_rule())
    await room.take(reading("00:01", value))
    assert room.only.value == value


async def test_a_restarted_alerter_goes_on_with_what_is_open() -> None:
    room = await opened_room(limit_rule())
    await room.take(reading("00:01", 9))
    after = Room(tables=room.tables, telephone=room.telephone)
    await after.sweep("00:02")
    await after.take(reading("00:00", 5), when="00:02")
    assert after.only.state is IncidentState.OPEN
    await after.play(reading("00:03", 9), reading("00:04", 5))
    assert spans(after.incidents) == [("00:01:00", "resolved", "00:04:00")]
    assert len(after.sms) == 1


async def test_a_restarted_alerter_does_not_reopen_what_is_over() -> None:
    room = await opened_room(limit_rule())
    await room.play(reading("00:01", 9), reading("00:02", 5))
    after = Room(tables=room.tables, telephone=room.telephone)
    await after.sweep("00:03")
    await after.take(reading("00:01", 9), when="00:03")
    assert spans(after.incidents) == [("00:01:00", "resolved", "00:02:00")]
    assert len(after.sms) == 1
