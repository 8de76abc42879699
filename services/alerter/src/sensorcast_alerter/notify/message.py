"""A message as a channel takes it, written from what it is about."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from sensorcast_alerter.notify.text import sms_text
from sensorcast_alerter.notify.words import Words, words
from sensorcast_common.clock import from_millis, rfc3339
from sensorcast_common.incident import Incident
from sensorcast_common.notice import Channel, Notice

SCHEMA_VERSION: Final = 1
MOST_LISTED: Final = 50
"""Incidents of one message that a mail or a chat lists one by one; the message names how many there are."""


class Errand(NamedTuple):
    """A notice and the incident it is about."""

    incident: Incident
    notice: Notice

    @property
    def key(self) -> tuple[str, str]:
        """What makes it one errand."""
        return self.incident.incident_id, self.notice.key


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What is handed to a channel.

    Attributes:
        message_id: The same at every try, by which a receiver knows a repetition.
        tenant: Whose message.
        address: A telephone number, a mail address, an MQTT topic, or a recipient's id.
        subject: Of a mail.
        text: What is sent.
    """

    message_id: str
    tenant: str
    address: str
    subject: str = ""
    text: str


class Writer:
    """Writes messages when they are sent, so that they tell of the incident as it is then.

    Args:
        timezone: In which times are written for somebody who has named none.
        public_url: Where people reach the page; `None` leaves links out.
    """

    def __init__(self, *, timezone: tzinfo, public_url: str | None = None) -> None:
        self._timezone = timezone
        self._public_url = public_url.rstrip("/") if public_url else None

    def write(self, errands: Sequence[Errand], *, now: int) -> Message:
        """One message about all errands, which are alike but for their incidents; the most severe stands first."""
        notice = errands[0].notice
        incidents = [errand.incident for errand in errands]
        timezone = ZoneInfo(notice.timezone) if notice.timezone else self._timezone
        subject = ""
        if notice.channel is Channel.MQTT:
            text = notice.text
        elif notice.channel is Channel.SMS:
            text = sms_text(
                incidents,
                occasion=notice.occasion,
                timezone=timezone,
                language=notice.language,
                group=notice.group,
                link=self._link(incidents[0]) if len(incidents) == 1 else None,
            )
        elif notice.channel is Channel.EMAIL:
            subject, text = self._mail(words(notice.language), incidents, notice, timezone)
        elif notice.channel is Channel.SLACK:
            text = self._chat(words(notice.language), incidents, notice, timezone)
        else:
            text = _json(_message_id(errands), incidents, notice, now)
        return Message(
            message_id=_message_id(errands),
            tenant=incidents[0].tenant,
            address=notice.recipient,
            subject=subject,
            text=text,
        )

    def _mail(self, told: Words, incidents: Sequence[Incident], notice: Notice, timezone: tzinfo) -> tuple[str, str]:
        subject = told.email["subject" if len(incidents) == 1 else "subject_many"].format_map(
            _fields(told, incidents, notice, timezone)
        )
        parts = [told.email[notice.occasion]] if notice.occasion in told.email else []
        for incident in incidents[:MOST_LISTED]:
            lines = [told.email["line"].format_map(_fields(told, [incident], notice, timezone))]
            link = self._link(incident)
            if link is not None:
                lines.append(told.email["link"].format(link=link))
            parts.append("\n".join(lines))
        parts.append(told.email["foot"].format(tenant=incidents[0].tenant))
        return " ".join(subject.split()), "\n\n".join(parts) + "\n"

    def _chat(self, told: Words, incidents: Sequence[Incident], notice: Notice, timezone: tzinfo) -> str:
        lines = []
        if len(incidents) > 1:
            lines.append(_escaped(told.slack["many"].format_map(_fields(told, incidents, notice, timezone))))
        for incident in incidents[:MOST_LISTED]:
            line = told.slack["one"].format_map(_fields(told, [incident], notice, timezone))
            link = self._link(incident)
            lines.append(_escaped(line) + (f" <{link}>" if link else ""))
        return "\n".join(lines)

    def _link(self, incident: Incident) -> str | None:
        return f"{self._public_url}/incidents/{incident.incident_id}" if self._public_url else None


def _fields(told: Words, incidents: Sequence[Incident], notice: Notice, timezone: tzinfo) -> dict[str, str]:
    incident = incidents[0]
    return {
        "head": told.head_of(incident, notice.occasion),
        "severity": told.severity[incident.severity],
        "rule": incident.rule_name,
        "device": incident.device,
        "metric": incident.metric,
        "facts": told.facts_of(incident, notice.occasion, timezone),
        "count": str(len(incidents)),
        "group": notice.group or incident.device,
    }


def _escaped(text: str) -> str:
    """As Slack asks for it: these three characters are its markup."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _json(message_id: str, incidents: Sequence[Incident], notice: Notice, now: int) -> str:
    told = {
        "schema_version": SCHEMA_VERSION,
        "message_id": message_id,
        "occasion": notice.occasion,
        "step": notice.step,
        "at": rfc3339(from_millis(now)),
        "tenant": incidents[0].tenant,
        "group": notice.group,
        "incidents": [
            incident.model_dump(mode="json", exclude={"notified_at", "message"}, exclude_none=True)
            for incident in incidents
        ],
    }
    return json.dumps(told, separators=(",", ":"))


def _message_id(errands: Sequence[Errand]) -> str:
    """Of the oldest incident, whose notice leads whatever else joins it."""
    incident_id, key = min(errand.key for errand in errands)
    return f"msg_{hashlib.sha256(f'{incident_id}#{key}'.encode()).hexdigest()[:32]}"


def sorted_for_message(errands: Sequence[Errand]) -> list[Errand]:
    """The most severe first, then the one furthest along, then the oldest."""
    rank = {"critical": 0, "warning": 1, "info": 2}
    return sorted(errands, key=lambda each: (rank[each.incident.severity], each.incident.basis, each.key))
