"""Every kind of rule, minute by minute: silence, rate of change, a stuck sensor, labels."""

from tests.services.alerter.observations import at, limit_rule, reading
from tests.services.alerter.room import Room, opened_room, spans

from sensorcast_common.clock import from_millis
from sensorcast_common.device import Device, MetricState
from sensorcast_common.incident import IncidentState
from sensorcast_common.rule import Condition, RateCondition, Rule, SilenceCondition, StuckCondition


def rule(condition: Condition, **changes: object) -> Rule:
    return limit_rule().model_copy(update={"condition": condition, **changes})


def device(name: str = "truck-1", *, seen: str = "00:00", **labels: str) -> Device:
    moment = from_millis(at(seen))
    latest = MetricState(unit="Cel", last_ts=moment, last_value=5.0)
    return Device(
        tenant="acme",
        device=name,
        labels=labels,
        metrics={"temperature": latest},
        first_seen=moment,
        last_seen=moment,
    )


SILENT = rule(SilenceCondition(after_minutes=10))


async def test_silence_opens_when_the_time_is_up_and_ends_with_the_next_reading() -> None:
    room = await opened_room(SILENT)
    await room.take(reading("00:00", 5))
    await room.sweep("00:10")
    assert room.incidents == []
    await room.sweep("00:10:15")
    await room.sweep("00:30")
    assert spans(room.incidents) == [("00:10:00", "open", None)]
    assert (room.only.kind, room.only.side, room.only.value) == ("silence", "silent", 5)
    await room.take(reading("00:40", 6))
    assert spans(room.incidents) == [("00:10:00", "resolved", "00:40:00")]
    assert (room.only.reason, room.only.worst) == ("heard", 40)
    assert len(room.sms) == 1


async def test_silence_is_about_receipt_so_that_a_wrong_clock_is_none() -> None:
    room = await opened_room(SILENT)
    for minute in range(0, 60, 5):
        await room.take(reading(f"00:{minute:02}", 5, received=f"03:{minute:02}"), when=f"03:{minute:02}")
        await room.sweep()
    assert room.incidents == []


async def test_old_readings_that_come_at_last_end_a_silence() -> None:
    room = await opened_room(SILENT)
    await room.take(reading("00:20", 5))
    await room.sweep("00:40")
    await room.take(reading("00:10", 5, received="00:41"), when="00:41")
    assert spans(room.incidents) == [("00:30:00", "resolved", "00:41:00")]


async def test_a_device_that_fell_silent_before_the_alerter_started_is_missed() -> None:
    room = Room(SILENT)
    room.devices.items = [device(seen="00:00"), device("kitchen", seen="00:00")]
    await room.sweep("00:05")
    assert room.incidents == []
    await room.sweep("00:11")
    assert [each.device for each in room.incidents] == ["truck-1"]


async def test_what_another_alerter_heard_is_no_silence() -> None:
    one = await opened_room(SILENT)
    other = Room(tables=one.tables, telephone=one.telephone)
    await other.sweep()
    await one.take(reading("00:00", 5))
    for minute in range(1, 30):
        await other.take(reading(f"00:{minute:02}", 5))
        await one.sweep(f"00:{minute:02}")
    assert one.incidents == []


RISING = rule(RateCondition(rising=0.5, falling=1, window_minutes=4, clear_margin=0.1))


async def test_a_value_that_rises_too_fast_is_told_with_its_rate() -> None:
    room = await opened_room(RISING)
    values = [5, 5.2, 5, 5.1, 5, 6, 7, 8, 8.5, 8.5, 8.5, 8.5]
    await room.play(*(reading(f"00:{minute:02}", value) for minute, value in enumerate(values)))
    assert spans(room.incidents) == [("00:07:00", "resolved", "00:10:00")]
    assert (room.only.side, room.only.threshold, room.only.worst) == ("rising", 0.5, 0.875)
    await room.play(*(reading(f"00:{12 + step}", 8.5 - 2 * step) for step in range(4)))
    assert room.incidents[-1].side == "falling"
    assert room.incidents[-1].worst == 1.5


async def test_readings_too_far_apart_say_nothing_about_a_rate() -> None:
    room = await opened_room(RISING)
    await room.play(reading("00:00", 0), reading("00:09", 100), reading("00:10", 100))
    assert room.incidents == []
    assert room.decided("not_enough") == 6


async def test_a_sensor_that_reports_the_same_value_for_too_long_is_stuck_until_it_moves() -> None:
    room = await opened_room(rule(StuckCondition(after_minutes=5, tolerance=0.05)))
    await room.play(*(reading(f"00:{minute:02}", 5 + 0.01 * (minute % 3)) for minute in range(9)))
    assert spans(room.incidents) == [("00:06:00", "open", None)]
    assert (room.only.side, room.only.threshold) == ("stuck", 5)
    await room.take(reading("00:09", 5.2))
    assert spans(room.incidents) == [("00:06:00", "resolved", "00:09:00")]


async def test_a_gap_is_silence_and_no_stuck_sensor() -> None:
    room = await opened_room(rule(StuckCondition(after_minutes=10)))
    await room.play(reading("00:00", 5), reading("00:04", 5), reading("01:00", 5), reading("01:05", 5))
    assert room.incidents == []


async def test_a_rule_may_be_about_labels() -> None:
    room = Room(limit_rule(device="*").model_copy(update={"labels": {"site": "north*", "product": "fish"}}))
    room.devices.items = [
        device("one", site="north-2", product="fish"),
        device("two", site="south", product="fish"),
        device("three", site="north-1"),
    ]
    await room.sweep("00:00")
    names = ("one", "two", "three", "unknown")
    await room.take(*(reading("00:01", 9, device=name) for name in names))
    assert [each.device for each in room.incidents] == ["one"]
    room.devices.items[1] = device("two", site="north", product="fish")
    await room.sweep("00:02")
    await room.take(*(reading("00:02:30", 9, device=name) for name in names))
    assert {each.device for each in room.incidents} == {"one", "two"}
    room.devices.items[0] = device("one", site="south", product="fish")
    await room.sweep("00:04")
    assert [each.device for each in room.incidents if each.state is IncidentState.OPEN] == ["two"]


async def test_a_restarted_alerter_knows_the_past_that_a_measure_needs() -> None:
    stuck = rule(StuckCondition(after_minutes=5))
    room = await opened_room(stuck)
    await room.play(*(reading(f"00:{minute:02}", 5) for minute in range(5)))
    after = Room(tables=room.tables, telephone=room.telephone)
    await after.sweep("00:05")
    await after.play(reading("00:05", 5), reading("00:06", 5))
    assert spans(after.incidents) == [("00:06:00", "open", None)]
