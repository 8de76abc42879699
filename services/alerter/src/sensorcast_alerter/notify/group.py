"""Puts notices together that may share a message: one recipient, one way, one occasion, one device or site."""

from collections.abc import Iterable
from typing import Final

from sensorcast_alerter.notify.message import Errand
from sensorcast_common.notice import Channel
from sensorcast_common.recipient import SEVERITIES, Severity

MOST_TOGETHER: Final = 200
"""Notices of one message: each is claimed and marked by a write of its own."""

BundleKey = tuple[str, ...]


def bundle_key(errand: Errand) -> BundleKey:
    """What notices must have in common to share a message; a notice without a group shares with none."""
    incident, notice = errand
    if notice.group is None or notice.channel is Channel.MQTT:
        return (notice.channel, *errand.key)
    return (notice.channel, incident.tenant, notice.recipient, notice.occasion, str(notice.step), notice.group)


def group_name(errand: Errand) -> str | None:
    """The group's name in the table of deliveries; `None` where there is no group."""
    notice = errand.notice
    if notice.group is None or notice.channel is Channel.MQTT:
        return None
    return "#".join((notice.channel, notice.recipient, notice.occasion, str(notice.step), notice.group))


def worst_severity(errands: Iterable[Errand]) -> Severity:
    """The severity that a shared message has."""
    return max((errand.incident.severity for errand in errands), key=SEVERITIES.index)
