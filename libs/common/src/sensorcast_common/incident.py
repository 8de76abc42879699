"""Incidents: a series that broke a rule, or is about to."""

from enum import StrEnum
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from sensorcast_common.clock import UtcDatetime
from sensorcast_common.condition import Kind, Side
from sensorcast_common.reading import SeriesKey


class IncidentState(StrEnum):
    """Where an incident is in its life."""

    PENDING = "pending"
    """The condition is broken, but not for as long as the rule asks; nobody is told."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    """Somebody said that they see to it; it goes on until it resolves."""

    RESOLVED = "resolved"


LIVE_STATES: Final = frozenset({IncidentState.OPEN, IncidentState.ACKNOWLEDGED})
"""The states of an incident that people have been told of and that is not over."""


class Basis(StrEnum):
    """What an incident rests on."""

    PREDICTED = "predicted"
    OBSERVED = "observed"


class Excursion(BaseModel):
    """How much of a product's budgets is used up.

    Attributes:
        product: The profile's id.
        product_version: The profile's version.
        minutes: How long this excursion has lasted, as of the latest reading.
        consecutive_budget: How long it may last, in minutes; absent where the profile has no such budget.
        cumulative_minutes: How long all excursions beyond this limit within the window have lasted together.
        cumulative_budget: How long they may.
        foreseen_minutes: How long this excursion will have lasted at the end of the newest forecast's horizon, by its
            median; absent without a forecast.
        foreseen_cumulative_minutes: The same of all excursions within the window.
        mean_kinetic: Mean kinetic temperature over the window, in degrees Celsius.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    product: str
    product_version: int
    minutes: float = 0.0
    consecutive_budget: float | None = None
    cumulative_minutes: float = 0.0
    cumulative_budget: float | None = None
    foreseen_minutes: float | None = None
    foreseen_cumulative_minutes: float | None = None
    mean_kinetic: float | None = None


class IncidentEntry(BaseModel):
    """One line of an incident's history: a transition, or a comment.

    Attributes:
        entry_id: A time-ordered UUID.
        at: When it was stored.
        transition: `pending`, `opened`, `observed`, `confirmed`, `acknowledged`, `revised`, `resolved` or `commented`.
        state: The incident's state after it.
        basis: What the incident rests on after it.
        reason: Why.
        value: The value that caused it.
        as_of: Event time of that value.
        probability: As the forecast that caused it had it.
        expected_at: When that forecast expected the breach.
        forecast_known_at: Which forecast caused it; absent where a reading or a person did.
        rule_version: The rule's version that it was decided by.
        by: Who acknowledged or commented.
        note: What they wrote.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    entry_id: str
    at: UtcDatetime
    transition: str
    state: IncidentState
    basis: Basis
    reason: str
    value: float
    as_of: UtcDatetime | None = None
    probability: float | None = None
    expected_at: UtcDatetime | None = None
    forecast_known_at: UtcDatetime | None = None
    rule_version: int
    by: str | None = None
    note: str | None = None


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
        kind: Of the rule's condition.
        state: `pending`, `open`, `acknowledged` or `resolved`.
        basis: `predicted` until a reading is outside the limit, then `observed`.
        side: Which limit was left, or which other way the condition was broken.
        threshold: That limit, in `unit`; for a rate in `unit` per minute, for silence and a stuck sensor in minutes,
            for mean kinetic temperature in degrees Celsius.
        opened_at: Event time: the first reading outside, or the time the forecast was known at.
        value: The latest value that this rests on.
        as_of: Event time of `value`: nothing older changes this incident.
        worst: What was furthest outside so far, in the terms of `threshold`, written at most once a minute while it
            grows; absent while only predicted.
        probability: Of leaving the limit, as the opening forecast had it.
        expected_at: When the breach was expected, as the opening forecast had it.
        observed_at: When the first reading outside was measured.
        forecast_known_at: Which forecast opened it.
        expires_at: When a predicted breach that has not happened counts as a false alarm; a forecast that still
            predicts it moves this on.
        resolved_at: Event time of its end.
        late: Whether the readings that opened it came too late to warn of it; nobody was told at its opening.
        confirmed_at: Event time of the reading in time that showed a late incident to go on; people were told then.
        passed: Whether it ended while still pending; lists leave it out.
        withdrawn: Whether readings that came late show that it never was; it is resolved.
        acknowledged_by: Who said that they see to it.
        acknowledged_at: When.
        note: What they wrote with it.
        excursion: How much of the product's budgets is used up, where the rule is about a product.
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
    kind: Kind = "limit"
    state: IncidentState
    basis: Basis
    side: Side
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
    late: bool = False
    confirmed_at: UtcDatetime | None = None
    passed: bool = False
    withdrawn: bool = False
    acknowledged_by: str | None = None
    acknowledged_at: UtcDatetime | None = None
    note: str | None = None
    excursion: Excursion | None = None
    reason: str
    notified_at: UtcDatetime | None = None
    message: str | None = None

    @property
    def series(self) -> SeriesKey:
        """The series this incident is about."""
        return SeriesKey(self.tenant, self.device, self.metric)

    @property
    def over(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state is IncidentState.RESOLVED
