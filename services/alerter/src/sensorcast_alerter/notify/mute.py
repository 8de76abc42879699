"""Keeps back what would reach somebody off duty or in quiet hours, until they can be reached."""

from collections.abc import Sequence

from sensorcast_alerter.notify.draft import Draft, Held, Hold, Sifted
from sensorcast_common.clock import from_millis
from sensorcast_common.notice import Channel

_WAKING = frozenset({Channel.SMS, Channel.SLACK, Channel.EMAIL})
"""A webhook is a program, and never asleep."""


def mute(drafts: Sequence[Draft], now: int) -> Sifted:
    """Hand on what its recipient wants at this time; a rule's own numbers have no hours."""
    moment = from_millis(now)
    remaining, held = [], []
    for draft in drafts:
        recipient = draft.recipient
        if recipient is None or draft.channel not in _WAKING:
            remaining.append(draft)
        elif not recipient.on_duty(moment):
            held.append(Hold(draft, Held.OFF_DUTY, f"{recipient.recipient_id} by the schedule"))
        elif recipient.is_quiet(moment) and not (
            recipient.critical_overrides and draft.incident.severity == "critical"
        ):
            quiet = recipient.quiet_hours
            until = f" until {quiet.end} {recipient.timezone}" if quiet else ""
            held.append(Hold(draft, Held.QUIET_HOURS, f"{recipient.recipient_id}{until}"))
        else:
            remaining.append(draft)
    return Sifted(remaining, held)
