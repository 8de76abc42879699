"""What a decision is: a reason, what is remembered, and what becomes of the incident."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sensorcast_common.incident import Incident
from sensorcast_rules.measure import Memory


class Reason(StrEnum):
    """Why something was done or left; a metric label and a log field."""

    INSIDE = "inside"
    PASSED = "passed"
    HOLDING = "holding"
    OUTSIDE = "outside"
    ONGOING = "ongoing"
    WORSENED = "worsened"
    NOT_CLEAR = "not_clear"
    BACK_INSIDE = "back_inside"
    LATE = "late"
    STILL_OUTSIDE = "still_outside"
    NOT_ENOUGH = "not_enough"
    SILENT = "silent"
    HEARD = "heard"
    OUT_OF_ORDER = "out_of_order"
    NO_RISK = "no_risk"
    UNLIKELY = "unlikely"
    NOT_YET = "not_yet"
    TOO_FAR = "too_far"
    PREDICTED = "predicted"
    STILL_PREDICTED = "still_predicted"
    ALREADY_OUTSIDE = "already_outside"
    STALE_FORECAST = "stale_forecast"
    FORECAST_CLEARED = "forecast_cleared"
    FALSE_ALARM = "false_alarm"
    RULE_REMOVED = "rule_removed"
    ALREADY_OVER = "already_over"
    REVISED = "revised"
    WITHDRAWN = "withdrawn"


class Transition(StrEnum):
    """What happens to an incident."""

    PENDING = "pending"
    OPENED = "opened"
    OBSERVED = "observed"
    CONFIRMED = "confirmed"
    """An incident that late readings opened is still going on; people are told now."""

    ACKNOWLEDGED = "acknowledged"
    UPDATED = "updated"
    """Its values moved on; no line of its history."""

    REVISED = "revised"
    """Late readings show that it began or ended at another time, or never was."""

    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Progress:
    """What one limit on one series remembers between observations.

    Attributes:
        breach_since: Event time of the first of the latest readings that are all outside; absent while inside.
        worst: The value furthest outside since then.
        likely: How many of the latest forecasts, in a row, predicted the breach.
        unlikely: How many of the latest forecasts, in a row, did not.
        memory: What the limit's measure remembers; it outlives incidents.
    """

    breach_since: int | None = None
    worst: float | None = None
    likely: int = 0
    unlikely: int = 0
    memory: Memory | None = None

    def over(self) -> "Progress":
        """What is left once a breach is over."""
        return Progress(memory=self.memory)


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What the forecast says that a decision rests on.

    Attributes:
        known_at: Which forecast.
        probability: Of leaving the limit within the horizon.
        expected_at: When it is expected to leave.
    """

    known_at: datetime
    probability: float
    expected_at: datetime | None


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do about one observation under one limit.

    Attributes:
        reason: Why.
        progress: What to remember, once `incident` is stored.
        transition: What happens to the incident; `None` where nothing is stored.
        incident: The incident as it is to be stored.
        foreseen: The forecast behind it; absent where a reading or time alone is.
    """

    reason: Reason
    progress: Progress
    transition: Transition | None = None
    incident: Incident | None = None
    foreseen: Foreseen | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How old an observation may be and still be news, in milliseconds.

    Attributes:
        late_after: A reading older than this warns nobody: what it opens is marked late.
        forecast_period: Time between two forecasts of a series; one known for more than two periods opens nothing.
        save_worst_every: A worst value that keeps growing is stored this often, in event time.
        settle_after: When the hot store is expected to hold a reading, counted from when it came here.
        longest_pending: A pending incident of which nothing is heard for longer is over.
    """

    late_after: int = 600_000
    forecast_period: int = 300_000
    save_worst_every: int = 60_000
    settle_after: int = 30_000
    longest_pending: int = 86_400_000
