"""One limit of one rule, compiled for the comparison that every reading goes through."""

from dataclasses import dataclass
from typing import Self

from sensorcast_common.condition import Side
from sensorcast_common.rule import ForecastCondition, LimitCondition, Rule


@dataclass(frozen=True, slots=True)
class Limit:
    """One side of a rule's condition.

    Attributes:
        rule: The rule.
        side: Which way out.
        threshold: A value beyond it is outside; the threshold itself is inside.
        clear_at: How far a value must come back before an observed incident resolves.
        hold: How long a breach must last before it counts, in milliseconds of event time.
        forecast: When a forecast alone is reason enough to warn.
    """

    rule: Rule
    side: Side
    threshold: float
    clear_at: float
    hold: int = 0
    forecast: ForecastCondition | None = None

    @classmethod
    def of(cls, rule: Rule) -> tuple[Self, ...]:
        """The limits of a rule."""
        condition = rule.condition
        if not isinstance(condition, LimitCondition):
            return ()
        margin = condition.clear_margin
        return tuple(
            cls(
                rule,
                side,
                threshold,
                threshold - margin if side == "above" else threshold + margin,
                condition.hold_seconds * 1000,
                condition.forecast,
            )
            for side, threshold in condition.limits()
        )

    @property
    def key(self) -> tuple[str, str]:
        """What tells the limits of a series apart."""
        return self.rule.rule_id, self.side

    def outside(self, value: float) -> bool:
        """Whether `value` breaks the limit."""
        return value > self.threshold if self.side != "below" else value < self.threshold

    def cleared(self, value: float) -> bool:
        """Whether `value` is far enough inside to resolve what the limit has opened."""
        return value <= self.clear_at if self.side != "below" else value >= self.clear_at

    def worse(self, value: float, than: float | None) -> float:
        """The one of the two that is further outside."""
        if than is None:
            return value
        return max(value, than) if self.side != "below" else min(value, than)
