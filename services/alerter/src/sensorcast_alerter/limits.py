"""One limit of one rule, compiled for the comparison that every reading goes through."""

from dataclasses import dataclass
from typing import Literal, Self

from sensorcast_common.rule import Rule


@dataclass(frozen=True, slots=True)
class Limit:
    """One side of a rule's condition.

    Attributes:
        rule: The rule.
        side: Which way out.
        threshold: A value beyond it is outside; the threshold itself is inside.
        clear_at: How far a value must come back before an observed incident resolves.
    """

    rule: Rule
    side: Literal["above", "below"]
    threshold: float
    clear_at: float

    @classmethod
    def of(cls, rule: Rule) -> tuple[Self, ...]:
        """The limits of a rule, one or two."""
        margin = rule.condition.clear_margin
        return tuple(
            cls(rule, side, threshold, threshold - margin if side == "above" else threshold + margin)
            for side, threshold in rule.condition.limits()
        )

    @property
    def key(self) -> tuple[str, str]:
        """What tells the limits of a series apart."""
        return self.rule.rule_id, self.side

    def outside(self, value: float) -> bool:
        """Whether `value` breaks the limit."""
        return value > self.threshold if self.side == "above" else value < self.threshold

    def cleared(self, value: float) -> bool:
        """Whether `value` is far enough inside to resolve what the limit has opened."""
        return value <= self.clear_at if self.side == "above" else value >= self.clear_at

    def worse(self, value: float, than: float | None) -> float:
        """The one of the two that is further outside."""
        if than is None:
            return value
        return max(value, than) if self.side == "above" else min(value, than)
