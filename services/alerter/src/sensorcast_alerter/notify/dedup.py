"""Hands on one draft for each address, occasion and step, and none that the outbox has already."""

from collections.abc import Collection, Sequence

from sensorcast_alerter.notify.draft import Draft
from sensorcast_common.clock import from_millis
from sensorcast_common.notice import Notice


def dedup(drafts: Sequence[Draft], known: Collection[str]) -> list[Draft]:
    """The drafts whose notices would be new.

    Two roles of one person, two recipients with one telephone, a number that a rule names as well: each is one message.

    Args:
        drafts: In order of preference.
        known: Keys of the notices that are there.
    """
    first: dict[str, Draft] = {}
    for draft in drafts:
        key = notice_of(draft, now=0).key
        if key not in known:
            first.setdefault(key, draft)
    return list(first.values())


def notice_of(draft: Draft, *, now: int, ready_at: int | None = None) -> Notice:
    """The notice of a draft, not written yet."""
    group_by = draft.escalation.group_by
    group = draft.incident.device if group_by == "device" else draft.labels.get(group_by) if group_by else None
    recipient = draft.recipient
    return Notice(
        occasion=draft.occasion,
        step=draft.step,
        channel=draft.channel,
        recipient=draft.address,
        recipient_id=None if recipient is None else recipient.recipient_id,
        language="en" if recipient is None else recipient.language,
        timezone=None if recipient is None else recipient.timezone,
        group=group,
        group_interval=draft.escalation.group_interval_seconds,
        text="",
        created_at=from_millis(now),
        ready_at=None if ready_at is None else from_millis(ready_at),
    )
