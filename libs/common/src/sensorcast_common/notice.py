"""Notices: what people and vehicles are told of an incident, by which way, and what became of it."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from sensorcast_common.clock import UtcDatetime


class Channel(StrEnum):
    """By which way people and vehicles are told."""

    SMS = "sms"
    EMAIL = "email"
    WEBHOOK = "webhook"
    SLACK = "slack"
    MQTT = "mqtt"


class Occasion(StrEnum):
    """What they are told of."""

    OPENED = "opened"
    OBSERVED = "observed"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"
    ESCALATED = "escalated"
    REPEATED = "repeated"


class Notice(BaseModel):
    """One message to one recipient: stored in the same write as the transition it tells of, then sent.

    Attributes:
        occasion: The transition, or what time alone brought: the next step of the escalation, or the same again.
        step: Which step of the escalation, or which repetition, from 1; 0 for a transition.
        channel: By which way.
        recipient: A telephone number, a mail address, an MQTT topic, or the recipient's id for a webhook.
        recipient_id: Who that is; absent for a number that a rule names and for a vehicle.
        language: Of the text.
        timezone: Of the times in the text; absent for the alerter's own.
        group: What it may share a message with: notices alike in this, the way, the recipient and the occasion.
        group_interval: After a message of the group, the next one waits this many seconds.
        text: What is sent; people's texts are written when they are sent.
        created_at: When the transition was stored.
        ready_at: When the readings or the forecast behind it were received, from which its delay is measured.
        sent_at: When the channel accepted it.
        together: How many incidents that message told of.
        refused: Why the channel never will; it is not tried again.
        withheld: Why it is not sent: a silence, a cap, a country that is not allowed.
        postponed: Why it waits until `held_until`: quiet hours, or nobody on duty.
        held_until: Nobody else tries before this: a sender has it, or waits after a failure.
        counted: The day on whose caps it counts.
        attempts: How often it was tried.
        trace: Traceparent of the transition, where that is recorded: sending it goes on from there.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    occasion: Occasion
    step: int = 0
    channel: Channel
    recipient: str
    recipient_id: str | None = None
    language: str = "en"
    timezone: str | None = None
    group: str | None = None
    group_interval: int = 0
    text: str
    created_at: UtcDatetime
    ready_at: UtcDatetime | None = None
    sent_at: UtcDatetime | None = None
    together: int = 1
    refused: str | None = None
    withheld: str | None = None
    postponed: str | None = None
    held_until: UtcDatetime | None = None
    counted: str | None = None
    attempts: int = 0
    trace: str | None = None

    @property
    def key(self) -> str:
        """What makes it one notice: a transition stored twice tells nobody twice."""
        occasion = f"{self.occasion}.{self.step}" if self.step else self.occasion
        return f"{occasion}#{self.channel}#{self.recipient}"

    @property
    def pending(self) -> bool:
        """Whether it is still to be sent."""
        return self.sent_at is None and self.refused is None and self.withheld is None
