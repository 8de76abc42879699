"""Each notice is sent once, whatever fails in between."""

import asyncio

from tests.servers.waiting import until
from tests.services.alerter.memory import Telephone
from tests.services.alerter.observations import at, limit_rule, reading
from tests.services.alerter.room import Room, opened_room

from sensorcast_alerter.notify.message import Message
from sensorcast_alerter.ports import Refused
from sensorcast_common.errors import Retryable
from sensorcast_common.notice import Channel, Notice


async def hot_room() -> Room:
    """An alerter whose telephone is away when the breach comes."""
    room = await opened_room(limit_rule())
    room.telephone.raises = Retryable("SNS is away")
    await room.take(reading("00:01", 9))
    assert room.sms == []
    return room


def outbox(room: Room) -> list[Notice]:
    return [notice for stored in room.tables.items.values() for notice in stored.outbox.values()]


async def test_an_sms_is_sent_once_the_channel_is_back() -> None:
    room = await hot_room()
    await room.sweep("00:01:01")
    assert room.sms == []
    room.telephone.raises = None
    await room.sweep("00:01:10")
    await room.sweep("00:10")
    assert len(room.sms) == 1


async def test_failures_are_tried_again_after_longer_and_longer() -> None:
    room = await hot_room()
    tries: list[int] = []
    for second in range(600):
        before = sum(notice.attempts for notice in outbox(room))
        room.now = at("00:01") + second * 1000
        await room.sweep()
        if sum(notice.attempts for notice in outbox(room)) > before:
            tries.append(second)
    assert tries == sorted(tries)
    assert 5 <= len(tries) <= 10
    assert tries[-1] - tries[-2] > 100


async def test_a_channel_that_is_away_does_not_hold_up_the_other() -> None:
    room = await hot_room()
    assert len(room.vehicle.got) == 1
    room.vehicle.raises = Retryable("the broker is away")
    room.telephone.raises = None
    await room.take(reading("00:02", 5))
    await room.take(reading("00:03", 9))
    assert len(room.sms) == 1  # of the same truck: the other one waits for its turn
    await room.sweep("00:05:01")
    assert len(room.sms) == 2
    room.vehicle.raises = None
    await room.sweep("01:00")
    assert len(room.vehicle.got) == 3


async def test_a_number_that_is_none_is_not_tried_again_and_says_why() -> None:
    room = await opened_room(limit_rule())
    room.telephone.raises = Refused("InvalidParameter: not a number")
    await room.take(reading("00:01", 9))
    room.telephone.raises = None
    await room.sweep("01:00")
    assert room.sms == []
    assert [each.refused for each in outbox(room) if each.channel is Channel.SMS] == ["InvalidParameter: not a number"]


async def test_a_message_whose_mark_failed_is_marked_and_not_sent_again() -> None:
    room = await opened_room(limit_rule())
    room.tables.settling_fails = 3
    await room.take(reading("00:01", 9))
    assert len(room.sms) == 1
    for minute in range(3, 8):
        await room.sweep(f"00:{minute:02}")
    assert len(room.sms) == 1
    assert all(each.sent_at is not None for each in outbox(room))


async def test_another_alerter_sends_what_one_left_behind() -> None:
    room = await hot_room()
    other = Room(tables=room.tables, telephone=Telephone())
    await other.sweep("00:20")
    assert len(other.sms) == 1


async def test_a_notice_in_hand_is_not_sent_by_another() -> None:
    room = await opened_room(limit_rule())
    gate = asyncio.Event()

    class Slow(Telephone):
        async def send(self, message: Message) -> None:
            await gate.wait()
            await super().send(message)

    slow = Room(tables=room.tables, telephone=Slow())
    await slow.sweep()
    taking = asyncio.create_task(slow.take(reading("00:01", 9)))
    await until(lambda: any(each.attempts for each in outbox(slow)), every=0.001)
    await room.sweep("00:01:30")
    assert room.sms == []
    gate.set()
    await taking
    await room.sweep("00:20")
    assert (len(slow.sms), len(room.sms)) == (1, 0)


async def test_what_finds_no_room_in_memory_is_found_in_the_table() -> None:
    room = Room(limit_rule(), backlog=1)
    await room.sweep()
    await room.take(*(reading("00:01", 9, device=f"truck-{number}") for number in range(5)))
    assert 1 <= len(room.sms) < 5
    for minute in range(2, 8):
        await room.sweep(f"00:{minute:02}")
    assert len(room.sms) == 5
