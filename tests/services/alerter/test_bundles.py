"""Notices of a group wait for one another; a vehicle's do not wait, and a line takes no more than it has room for."""

import asyncio

from tests.services.alerter.observations import MIDNIGHT
from tests.services.alerter.test_sms_text import incident

from sensorcast_alerter.notify.bundles import Bundles
from sensorcast_alerter.notify.message import Errand
from sensorcast_common.clock import from_millis
from sensorcast_common.notice import Channel, Notice, Occasion

HOUR = 3600.0


def errand(*, channel: Channel = Channel.SMS, group: str | None = "north") -> Errand:
    notice = Notice(
        occasion=Occasion.OPENED,
        channel=channel,
        recipient="+4915112345678",
        group=group,
        text="",
        created_at=from_millis(MIDNIGHT),
    )
    return Errand(incident(), notice)


async def test_a_bundle_stays_open_for_its_group_and_no_longer_once_the_service_stops() -> None:
    bundles = Bundles([Channel.SMS, Channel.MQTT], wait=HOUR, backlog=10)
    one, other, apart, vehicle = errand(), errand(), errand(group=None), errand(channel=Channel.MQTT)
    for each in (one, apart, vehicle, one):
        bundles.add(each)
    assert await bundles.next(Channel.SMS) == [apart]
    assert await bundles.next(Channel.MQTT) == [vehicle]
    bundles.add(other)
    late = asyncio.create_task(bundles.next(Channel.SMS))
    await asyncio.sleep(0)
    assert not late.done()
    draining = asyncio.create_task(bundles.drained())
    assert await late == [one, other]
    for channel, bundle in ((Channel.SMS, [apart]), (Channel.MQTT, [vehicle]), (Channel.SMS, [one, other])):
        bundles.done(channel, bundle)
    await draining
    assert bundles.waiting == 0


async def test_a_line_takes_no_more_than_it_has_room_for() -> None:
    bundles = Bundles([Channel.SMS], wait=0.0, backlog=2)
    for each in [errand() for _ in range(3)]:
        bundles.add(each)
    bundles.add(errand(channel=Channel.EMAIL))
    assert bundles.waiting == 2
