"""Incidents: a series that broke a rule, or is about to."""

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict

from sensorcast_common.clock import UtcDatetime
from sensorcast_common.reading import SeriesKey


class IncidentState(StrEnum):
    """Where an incident is in its life."""

    OPEN = "open"
    RESOLVED = "resolved"


class Basis(StrEnum):
    """What an incident rests on."""

    PREDICTED = "predicted"
    OBSERVED = "observed"


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

    @property
    def key(self) -> str:
        """What makes it one notice: a transition stored twice tells nobody twice."""
        occasion = f"{self.occasion}.{self.step}" if self.step else self.occasion
        return f"{occasion}#{self.channel}#{self.recipient}"

    @property
    def pending(self) -> bool:
        """Whether it is still to be sent."""
        return self.sent_at is None and self.refused is None and self.withheld is None


class Incident(BaseModel):
    """One breach of one rule by one series, from its opening to its end.

    Attributes:
        tenant: Whose incident.
        incident_id: A time-ordered UUID, unique within the tenant.
        rule_id: The rule that was broken.
        rule_version: The rule's version at the opening.
        rule_name: What people call the rule.
        severity: As in the rule.
        device: The device.
        metric: The metric.
        unit: SenML unit of all values.
        state: `open` or `resolved`.
        basis: `predicted` until a reading is outside the limit, then `observed`.
        side: Which limit was left.
        threshold: That limit.
        opened_at: Event time: the first reading outside, or the time the forecast was known at.
        value: The latest value that this rests on.
        as_of: Event time of `value`: nothing older changes this incident.
        worst: The value furthest outside so far, written at most once a minute while it grows; absent while only
            predicted.
        probability: Of leaving the limit, as the opening forecast had it.
        expected_at: When the breach was expected, as the opening forecast had it.
        observed_at: When the first reading outside was measured.
        forecast_known_at: Which forecast opened it.
        expires_at: When a predicted breach that has not happened counts as a false alarm; a forecast that still
            predicts it moves this on.
        resolved_at: Event time of its end.
        reason: Why it is in this state.
        notified_at: When its first SMS was accepted by the sender; absent where nobody was to be told, or not yet.
        message: The text of that SMS.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    tenant: str
    incident_id: str
    rule_id: str
    rule_version: int
    rule_name: str
    severity: Literal["info", "warning", "critical"]
    device: str
    metric: str
    unit: str
    state: IncidentState
    basis: Basis
    side: Literal["above", "below"]
    threshold: float
    opened_at: UtcDatetime
    value: float
    as_of: UtcDatetime | None = None
    worst: float | None = None
    probability: float | None = None
    expected_at: UtcDatetime | None = None
    observed_at: UtcDatetime | None = None
    forecast_known_at: UtcDatetime | None = None
    expires_at: UtcDatetime | None = None
    resolved_at: UtcDatetime | None = None
    reason: str
    notified_at: UtcDatetime | None = None
    message: str | None = None

    @property
    def series(self) -> SeriesKey:
        """The series this incident is about."""
        return SeriesKey(self.tenant, self.device, self.metric)
