"""Scripted timelines of notification: who is told, when, and what is kept back; with a fake clock."""

from collections.abc import Mapping

import pytest
from tests.services.alerter.memory import Telephone
from tests.services.alerter.observations import NUMBER, forecast, limit_rule, reading
from tests.services.alerter.room import Room

from sensorcast_alerter.deliver import Caps
from sensorcast_common.errors import Retryable
from sensorcast_common.escalation import Escalation
from sensorcast_common.notice import Channel, Notice
from sensorcast_common.recipient import Recipient
from sensorcast_common.rule import ForecastCondition, Rule
from sensorcast_common.silence import Silence

DRIVER, MANAGER = "+4915111111111", "+4915122222222"
SECRET = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"


def recipient(recipient_id: str, **fields: object) -> Recipient:
    given = {"tenant": "acme", "recipient_id": recipient_id, "name": recipient_id, "roles": [recipient_id], **fields}
    return Recipient.model_validate(given)


def escalation(**fields: object) -> Escalation:
    return Escalation.model_validate({"tenant": "acme", "escalation_id": "only", **fields})


def silence(start: str, end: str, **fields: object) -> Silence:
    given = {"tenant": "acme", "silence_id": "defrost", "created_by": "anna", "reason": "defrosting", **fields}
    return Silence.model_validate({**given, "start": f"2025-01-15T{start}Z", "end": f"2025-01-15T{end}Z"})


async def room_with(
    *contacts: Recipient | Escalation | Silence,
    rule: Rule | None = None,
    labels: Mapping[str, str] | None = None,
    **options: object,
) -> Room:
    """An alerter whose rule names no number, with these contacts; every truck is at `labels`."""
    room = Room(rule or limit_rule(sms=[]), **options)  # type: ignore[arg-type] # checked by Room
    for each in contacts:
        book = room.tables.book.contacts
        {Recipient: book.recipients, Escalation: book.escalations, Silence: book.silences}[type(each)].append(each)  # type: ignore[attr-defined] # of its own kind
    room.tables.labels = {("acme", f"truck-{number}"): labels or {} for number in range(10)}
    await room.sweep()
    return room


async def sweeps(room: Room, *times: str) -> None:
    for when in times:
        await room.sweep(when)


def told(room: Room) -> list[str]:
    return [message.address for message in room.telephone.got]


def kept_back(room: Room) -> list[str | None]:
    return [each.withheld or each.postponed for each in notices(room) if each.withheld or each.postponed]


def notices(room: Room) -> list[Notice]:
    return [notice for stored in room.tables.items.values() for notice in stored.outbox.values()]


STEPS = escalation(steps=[{"roles": ["driver"]}, {"after_minutes": 10, "roles": ["manager"]}], repeat_minutes=30)


async def test_the_driver_is_told_at_once_the_manager_after_ten_minutes_and_both_again() -> None:
    room = await room_with(recipient("driver", sms=DRIVER), recipient("manager", sms=MANAGER), STEPS)
    await room.take(reading("00:01", 9))
    assert told(room) == [DRIVER]
    await sweeps(room, "00:10:45")
    assert told(room) == [DRIVER]
    await sweeps(room, "00:11:15", "00:11:30", "00:40")
    assert told(room) == [DRIVER, MANAGER]
    assert room.sms[1].startswith("WARNING unanswered Chilled goods: truck-1 temperature 9 C, above limit 8 C")
    await sweeps(room, "00:41:15", "00:41:30")
    assert sorted(told(room)[2:]) == [DRIVER, MANAGER]
    await sweeps(room, "01:11:15")
    assert len(told(room)) == 6


async def test_nobody_is_reminded_of_what_is_over() -> None:
    room = await room_with(recipient("driver", sms=DRIVER), recipient("manager", sms=MANAGER), STEPS)
    await room.play(reading("00:01", 9), reading("00:09", 5))
    await sweeps(room, "00:12", "00:45")
    assert told(room) == [DRIVER]


async def test_once_somebody_acknowledges_nobody_else_is_woken_and_whoever_knew_hears_of_it() -> None:
    room = await room_with(
        recipient("driver", sms=DRIVER, email="driver@example.com"), recipient("manager", sms=MANAGER), STEPS
    )
    await room.take(reading("00:01", 9))
    room.now += 60_000
    room.acknowledge(room.only, by="driver", note="on my way")
    await sweeps(room, "00:02:30", "00:12", "00:45", "02:00")
    assert told(room) == [DRIVER]
    assert [message.subject.partition(" Chilled")[0] for message in room.mailbox.got] == [
        "WARNING",
        "WARNING acknowledged",
    ]


async def test_after_an_outage_every_missed_step_is_taken_and_one_repetition() -> None:
    room = await room_with(recipient("driver", sms=DRIVER), recipient("manager", sms=MANAGER), STEPS)
    await room.take(reading("00:01", 9))
    await sweeps(room, "02:30", "02:30:15")
    assert sorted(told(room)) == [DRIVER, DRIVER, MANAGER]
    await sweeps(room, "02:41:15")
    assert sorted(told(room)) == [DRIVER, DRIVER, DRIVER, MANAGER, MANAGER]


async def test_of_two_alerters_one_escalates() -> None:
    room = await room_with(recipient("driver", sms=DRIVER), recipient("manager", sms=MANAGER), STEPS)
    other = Room(tables=room.tables, telephone=room.telephone)
    await room.take(reading("00:01", 9))
    for minute in range(11, 20):
        await sweeps(room, f"00:{minute}")
        await sweeps(other, f"00:{minute}:05")
    assert told(room) == [DRIVER, MANAGER]


async def test_an_alerter_that_starts_later_escalates_what_another_opened() -> None:
    room = await room_with(recipient("driver", sms=DRIVER), recipient("manager", sms=MANAGER), STEPS)
    await room.take(reading("00:01", 9))
    other = Room(tables=room.tables, telephone=Telephone())
    await sweeps(other, "00:12")
    assert told(other) == [MANAGER]


async def test_one_telephone_gets_one_message_however_many_roads_lead_to_it() -> None:
    room = await room_with(
        recipient("driver", sms=NUMBER, roles=["driver", "manager"]),
        recipient("manager", sms=NUMBER),
        rule=limit_rule(sms=[NUMBER]),
    )
    await room.take(reading("00:01", 9))
    await sweeps(room, "00:02", "00:10")
    assert told(room) == [NUMBER]


async def test_a_maintenance_window_keeps_everybody_from_being_told_until_it_ends() -> None:
    window = silence("00:00:00", "00:30:00", device="truck-*")
    room = await room_with(recipient("driver", sms=DRIVER), window, rule=limit_rule(sms=[NUMBER]))
    await room.take(reading("00:01", 9))
    await sweeps(room, "00:05", "00:29")
    assert told(room) == []
    assert len(room.vehicle.got) == 1  # the vehicle shows it all the same
    assert kept_back(room) == ["silenced: defrost by anna until 2025-01-15T00:30:00.000Z: defrosting"] * 2
    await sweeps(room, "00:30:01")
    assert sorted(told(room)) == [DRIVER, NUMBER]


async def test_what_began_and_ended_in_a_maintenance_window_is_not_told_and_says_so() -> None:
    room = await room_with(recipient("driver", sms=DRIVER), silence("00:00:00", "00:30:00", device="truck-*"))
    await room.play(reading("00:01", 9), reading("00:10", 5))
    await sweeps(room, "00:11", "00:31")
    assert told(room) == []
    assert kept_back(room) == ["over: the incident is resolved"]


async def test_a_silence_that_is_taken_back_lets_the_message_go() -> None:
    room = await room_with(recipient("driver", sms=DRIVER), silence("00:00:00", "12:00:00", rule="chilled"))
    await room.take(reading("00:01", 9))
    room.tables.book.contacts.silences.clear()
    await sweeps(room, "00:02")
    assert told(room) == [DRIVER]


NIGHT = {"start": "22:00", "end": "06:00"}


async def test_a_warning_waits_for_the_morning_and_a_critical_one_does_not() -> None:
    for severity, wanted in (("warning", []), ("critical", [DRIVER])):
        rule = limit_rule(sms=[]).model_copy(update={"severity": severity})
        room = await room_with(recipient("driver", sms=DRIVER, quiet_hours=NIGHT, timezone="Europe/Berlin"), rule=rule)
        await room.take(reading("00:01", 9))
        await sweeps(room, "04:59")
        assert told(room) == wanted
        await sweeps(room, "05:00:10")  # 06:00 in Berlin
        assert told(room) == [DRIVER]
    assert kept_back(room) == []


async def test_whoever_is_off_duty_is_told_when_the_shift_begins_if_it_still_matters() -> None:
    shift = [{"start": "06:00", "end": "14:00"}]
    room = await room_with(recipient("driver", sms=DRIVER, schedule=shift))
    await room.take(reading("00:01", 9))
    await room.take(reading("00:02", 9, device="truck-2"))
    assert kept_back(room) == ["off_duty: driver by the schedule"] * 2
    await room.take(reading("03:00", 5, device="truck-2"))
    await sweeps(room, "06:00:05")
    assert told(room) == [DRIVER]
    assert sorted(each.withheld or "" for each in notices(room) if each.channel is Channel.SMS) == [
        "",
        "over: the incident is resolved",
    ]


async def test_many_breaches_at_one_site_make_one_message_that_names_their_number() -> None:
    site = escalation(group_by="site", group_interval_seconds=300)
    room = await room_with(recipient("driver", sms=DRIVER), site, labels={"site": "north"}, group_wait=60.0)
    await room.take(*(reading("00:01", 8 + number, device=f"truck-{number}") for number in range(1, 6)))
    assert len(room.sms) == 1
    assert room.sms[0].startswith("WARNING: 5 alerts at north, one truck-")
    await room.take(reading("00:02", 9, device="truck-6"), reading("00:02", 9, device="truck-7"))
    await sweeps(room, "00:04")
    assert len(room.sms) == 1
    await sweeps(room, "00:06:01", "00:12")
    assert [text[:32] for text in room.sms[1:]] == ["WARNING: 2 alerts at north, one "]
    assert all(each.sent_at for each in notices(room))


async def test_something_more_severe_does_not_wait_for_its_group() -> None:
    severe = limit_rule(rule_id="hot", above=20, sms=[]).model_copy(update={"severity": "critical"})
    site = escalation(group_by="site", group_interval_seconds=3600)
    room = await room_with(recipient("driver", sms=DRIVER), site, labels={"site": "north"})
    room.tables.rules.append(severe)
    await room.sweep()
    await room.take(reading("00:01", 9))
    await room.take(reading("00:02", 25, device="truck-2"))
    assert [text[:8] for text in room.sms] == ["WARNING ", "CRITICAL"]


async def test_a_lesser_incident_of_the_same_series_is_not_told_while_the_severe_one_is_open() -> None:
    severe = limit_rule(rule_id="hot", above=20, sms=[]).model_copy(update={"severity": "critical"})
    room = await room_with(recipient("driver", sms=DRIVER), rule=severe)
    await room.take(reading("00:01", 25))
    await sweeps(room, "00:01:45")
    room.tables.rules.append(limit_rule(sms=[]))
    await sweeps(room, "00:02")
    await room.take(reading("00:03", 25))
    assert len(room.incidents) == 2
    assert kept_back(room) == ["inhibited: hot is critical"]
    await room.take(reading("00:10", 15))
    await sweeps(room, "00:10:15")
    assert [text.partition(" ")[0] for text in room.sms] == ["CRITICAL", "WARNING"]


async def test_one_that_is_only_pending_keeps_nobody_from_being_told() -> None:
    severe = limit_rule(rule_id="hot", above=20, sms=[], hold_seconds=3600).model_copy(update={"severity": "critical"})
    room = await room_with(recipient("driver", sms=DRIVER), rule=severe)
    await room.take(reading("00:01", 25))
    room.tables.rules.append(limit_rule(sms=[]))
    await sweeps(room, "00:02")
    await room.take(reading("00:03", 25))
    assert told(room) == [DRIVER]


async def test_a_cap_holds_back_what_is_over_it_until_the_next_day_and_says_so() -> None:
    each = escalation(group_by=None)
    caps = Caps(per_number=2, per_tenant=3)
    people = [recipient("driver", sms=DRIVER), recipient("manager", sms=MANAGER, device="truck-3")]
    room = await room_with(*people, each, caps=caps)
    for number in (1, 2, 3, 4):
        await room.take(reading(f"00:0{number}", 9, device=f"truck-{number}"))
    assert told(room) == [DRIVER, DRIVER, MANAGER]
    assert kept_back(room) == ["cap_number: 2 SMS on 2025-01-15", "cap_number: 2 SMS on 2025-01-15"]
    room.tables.book.contacts.recipients[1] = recipient("manager", sms=MANAGER)
    await sweeps(room, "00:05")
    assert set(kept_back(room)) == {"cap_number: 2 SMS on 2025-01-15", "cap_tenant: 3 SMS on 2025-01-15"}
    assert len(told(room)) == 3


async def test_a_message_that_is_tried_again_counts_once() -> None:
    room = await room_with(recipient("driver", sms=DRIVER), escalation(group_by=None), caps=Caps(per_number=1))
    room.tables.settling_fails = 1
    room.telephone.raises = Retryable("away")
    await room.take(reading("00:01", 9))
    await sweeps(room, "00:01:30")
    room.telephone.raises = None
    await sweeps(room, "00:02", "00:05")
    assert told(room) == [DRIVER]


@pytest.mark.parametrize(("number", "country"), [("+18762345678", "JM"), ("+99912345678", "unknown")])
async def test_a_country_that_is_not_allowed_gets_nothing_and_says_so(number: str, country: str) -> None:
    room = await room_with(
        recipient("driver", sms=DRIVER), recipient("manager", sms=number), countries=("DE", "US", "CA")
    )
    await room.take(reading("00:01", 9))
    assert told(room) == [DRIVER]
    assert kept_back(room) == [f"country: {country} is not allowed"]


async def test_whoever_was_told_by_mail_hears_that_it_came_true_and_that_it_is_over() -> None:
    rule = limit_rule(sms=[], forecast=ForecastCondition(min_probability=0.7))
    room = await room_with(recipient("driver", sms=DRIVER, email="driver@example.com", language="de"), rule=rule)
    await room.play(forecast("00:05", 0.9), reading("00:20", 9), reading("00:40", 5))
    assert len(room.sms) == 1
    assert room.sms[0].startswith("WARNUNG Chilled goods: truck-1 temperature jetzt 7,9 C, 90% wahrscheinlich")
    assert [message.subject for message in room.mailbox.got] == [
        "WARNUNG Chilled goods: truck-1 temperature",
        "WARNUNG Chilled goods: truck-1 temperature",
        "BEENDET Chilled goods: truck-1 temperature",
    ]


async def test_a_prediction_that_nobody_could_be_told_of_in_time_is_not_told_when_it_was_false() -> None:
    rule = limit_rule(sms=[NUMBER], forecast=ForecastCondition(min_probability=0.7))
    room = await room_with(rule=rule)
    room.telephone.raises = Retryable("away")
    await room.play(forecast("00:05", 0.9), forecast("00:10", 0.1), forecast("00:15", 0.1))
    room.telephone.raises = None
    await sweeps(room, "00:20", "00:40")
    assert told(room) == []
    assert kept_back(room) == ["over: the predicted breach did not happen"]


async def test_every_way_is_used_and_a_notice_holds_no_secret() -> None:
    secret_url = "https://hooks.example.com/services/T00/B00/XXXX"
    room = await room_with(
        recipient(
            "office",
            email="office@example.com",
            slack=secret_url,
            webhook={"url": "https://office.example.com/alerts", "secret": SECRET},
        )
    )
    await room.take(reading("00:01", 9))
    assert [len(way.got) for way in (room.mailbox, room.chat, room.hook)] == [1, 1, 1]
    kept = "".join(notice.model_dump_json() for notice in notices(room))
    assert "example.com/" not in kept
    assert SECRET not in kept


async def test_only_those_whom_it_concerns_are_told() -> None:
    room = await room_with(
        recipient("north", sms=DRIVER, labels={"site": "north"}),
        recipient("south", sms=MANAGER, labels={"site": "south"}),
        recipient("severe", sms=NUMBER, min_severity="critical"),
        labels={"site": "north"},
    )
    await room.take(reading("00:01", 9))
    assert told(room) == [DRIVER]
