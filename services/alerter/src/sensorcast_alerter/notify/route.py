"""Finds who is to be told: at a transition, and as time passes without anybody acknowledging."""

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from sensorcast_alerter.notify.address_book import AddressBook
from sensorcast_alerter.notify.draft import Draft
from sensorcast_common.clock import to_millis
from sensorcast_common.escalation import EVERYBODY, Escalation, Step
from sensorcast_common.incident import Incident, IncidentState
from sensorcast_common.notice import Channel, Notice, Occasion
from sensorcast_common.recipient import Recipient

MINUTE_MS: Final = 60_000
_TELLING: Final = frozenset({Occasion.OPENED, Occasion.ESCALATED, Occasion.REPEATED})
_UUID_TIME_SHIFT: Final = 80


class Route:
    """Makes drafts; whom a message concerns is decided here, whether it is sent now by the stages after.

    Args:
        book: Contacts and labels.
    """

    def __init__(self, book: AddressBook) -> None:
        self._book = book

    def opened(self, incident: Incident, *, numbers: Iterable[str]) -> list[Draft]:
        """Who is told when an incident opens: the numbers of its rule, and the first step of its escalation."""
        escalation = self._book.escalation(incident)
        labels = self._book.labels(incident.tenant, incident.device)
        direct = [
            Draft(
                incident=incident,
                labels=labels,
                occasion=Occasion.OPENED,
                channel=Channel.SMS,
                address=number,
                recipient=None,
                escalation=escalation,
            )
            for number in numbers
        ]
        return [*direct, *self._step(incident, escalation, 0)]

    def due(self, incident: Incident, outbox: Mapping[str, Notice], now: int) -> list[Draft]:
        """Who is told because of the time alone: every step whose time has come, and the present repetition.

        Nobody, once the incident is acknowledged or over, and of one that is known late before it shows to go on.
        """
        if incident.state is not IncidentState.OPEN or (incident.late and incident.confirmed_at is None):
            return []
        escalation = self._book.escalation(incident)
        since = announced_at(incident, outbox)
        minutes = (now - since) // MINUTE_MS
        drafts = [
            draft
            for number, step in enumerate(escalation.steps)
            if step.after_minutes <= minutes
            for draft in self._step(incident, escalation, number)
        ]
        repetition = _repetition(escalation, minutes)
        if repetition and escalation.repeat_minutes is not None:
            at = since + (escalation.steps[-1].after_minutes + repetition * escalation.repeat_minutes) * MINUTE_MS
            before = {key: notice for key, notice in outbox.items() if to_millis(notice.created_at) < at}
            drafts += self._again(incident, escalation, before, Occasion.REPEATED, repetition, ways=None)
        return drafts

    def updated(self, incident: Incident, outbox: Mapping[str, Notice], occasion: Occasion) -> list[Draft]:
        """Who is told that a predicted breach came true or that it is over: whoever was told of it, by some ways."""
        escalation = self._book.escalation(incident)
        return list(self._again(incident, escalation, outbox, occasion, 0, ways=escalation.updates))

    def _step(self, incident: Incident, escalation: Escalation, number: int) -> Iterator[Draft]:
        step = escalation.steps[number]
        labels = self._book.labels(incident.tenant, incident.device)
        for recipient in self._book.recipients(incident.tenant):
            if _answers(recipient, step) and recipient.concerns(
                device=incident.device, labels=labels, severity=incident.severity
            ):
                for channel, address in ways_to(recipient):
                    if step.channels is None or channel in step.channels:
                        yield Draft(
                            incident=incident,
                            labels=labels,
                            occasion=Occasion.ESCALATED if number else Occasion.OPENED,
                            step=number,
                            channel=channel,
                            address=address,
                            recipient=recipient,
                            escalation=escalation,
                        )

    def _again(
        self,
        incident: Incident,
        escalation: Escalation,
        outbox: Mapping[str, Notice],
        occasion: Occasion,
        step: int,
        *,
        ways: Sequence[Channel] | None,
    ) -> Iterator[Draft]:
        told = {
            (notice.channel, notice.recipient): notice.recipient_id
            for notice in outbox.values()
            if _has_told(notice) and (ways is None or notice.channel in ways)
        }
        labels = self._book.labels(incident.tenant, incident.device)
        for (channel, address), recipient_id in told.items():
            recipient = self._book.recipient(incident.tenant, recipient_id) if recipient_id else None
            if recipient is not None and recipient.enabled and (channel, address) in ways_to(recipient):
                yield Draft(
                    incident=incident,
                    labels=labels,
                    occasion=occasion,
                    step=step,
                    channel=channel,
                    address=address,
                    recipient=recipient,
                    escalation=escalation,
                )


def ways_to(recipient: Recipient) -> list[tuple[Channel, str]]:
    """The ways to a recipient, each with what a notice keeps of the address; a webhook's is as secret as a password."""
    ways: list[tuple[Channel, str]] = []
    if recipient.sms is not None:
        ways.append((Channel.SMS, recipient.sms))
    if recipient.email is not None:
        ways.append((Channel.EMAIL, recipient.email))
    if recipient.webhook is not None:
        ways.append((Channel.WEBHOOK, recipient.recipient_id))
    if recipient.slack is not None:
        ways.append((Channel.SLACK, recipient.recipient_id))
    return ways


def announced_at(incident: Incident, outbox: Mapping[str, Notice]) -> int:
    """From when on the steps count: when people were first told, or else the vehicle, or else when it was made."""
    opened = [each for each in outbox.values() if each.occasion is Occasion.OPENED]
    people = [each for each in opened if each.channel is not Channel.MQTT]
    return min(
        (to_millis(each.created_at) for each in people or opened),
        default=uuid.UUID(incident.incident_id).int >> _UUID_TIME_SHIFT,
    )


def _answers(recipient: Recipient, step: Step) -> bool:
    return EVERYBODY in step.roles or not set(step.roles).isdisjoint(recipient.roles)


def _repetition(escalation: Escalation, minutes: int) -> int:
    """Which repetition it is time for, counted from 1; 0 for none."""
    if escalation.repeat_minutes is None:
        return 0
    since = minutes - escalation.steps[-1].after_minutes
    return min(max(0, since // escalation.repeat_minutes), escalation.max_repeats)


def _has_told(notice: Notice) -> bool:
    """Whether somebody knows of the incident by this notice, or is about to."""
    waits = notice.pending and notice.postponed is not None
    return notice.occasion in _TELLING and notice.withheld is None and notice.refused is None and not waits
