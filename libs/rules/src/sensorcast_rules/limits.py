"""One limit of one rule, compiled for the comparison that every reading goes through."""

from dataclasses import dataclass
from typing import Self

from sensorcast_common.condition import Side
from sensorcast_common.incident import Excursion
from sensorcast_common.product import ProductProfile
from sensorcast_common.rule import (
    ForecastCondition,
    LimitCondition,
    ProductCondition,
    RateCondition,
    Rule,
    SilenceCondition,
    StuckCondition,
)
from sensorcast_rules.budget import Budget, BudgetMemory, Kinetic
from sensorcast_rules.measure import MINUTE_MS, Measure, Memory, Rate, Stuck


@dataclass(frozen=True, slots=True)
class Limit:
    """One side of a rule's condition.

    Attributes:
        rule: The rule.
        side: Which way out.
        threshold: What is compared is outside beyond it; the threshold itself is inside.
        clear_at: How far it must come back before an observed incident resolves.
        hold: How long a breach must last before it counts, in milliseconds of event time.
        forecast: When a forecast alone is reason enough to warn.
        measure: Works out what is compared; `None` where that is the value itself.
    """

    rule: Rule
    side: Side
    threshold: float
    clear_at: float
    hold: int = 0
    forecast: ForecastCondition | None = None
    measure: Measure | None = None

    @classmethod
    def of(cls, rule: Rule) -> tuple[Self, ...]:
        """The limits of a rule; none where it is about a product that has no profile."""
        match rule.condition:
            case LimitCondition() as condition:
                hold = condition.hold_seconds * 1000
                return tuple(
                    cls(rule, side, threshold, _back(side, threshold, condition.clear_margin), hold, condition.forecast)
                    for side, threshold in condition.limits()
                )
            case SilenceCondition() as condition:
                return (cls(rule, "silent", condition.after_minutes, condition.after_minutes),)
            case RateCondition() as condition:
                return cls._rates(rule, condition)
            case StuckCondition() as condition:
                after = condition.after_minutes
                return (cls(rule, "stuck", after, after, measure=Stuck(round(after * MINUTE_MS), condition.tolerance)),)
            case ProductCondition() as condition:
                return () if rule.profile is None else cls._product(rule, condition, rule.profile)

    @classmethod
    def _rates(cls, rule: Rule, condition: RateCondition) -> tuple[Self, ...]:
        window, hold = round(condition.window_minutes * MINUTE_MS), condition.hold_seconds * 1000
        wanted: tuple[tuple[Side, float | None, int], ...] = (
            ("rising", condition.rising, 1),
            ("falling", condition.falling, -1),
        )
        return tuple(
            cls(rule, side, fastest, fastest - condition.clear_margin, hold, measure=Rate(window, sign))
            for side, fastest, sign in wanted
            if fastest is not None
        )

    @classmethod
    def _product(cls, rule: Rule, condition: ProductCondition, profile: ProductProfile) -> tuple[Self, ...]:
        limits = tuple(
            cls(
                rule,
                side,
                threshold,
                _back(side, threshold, condition.clear_margin),
                forecast=condition.forecast,
                measure=Budget(profile, side, threshold),
            )
            for side, threshold in profile.limits()
        )
        highest = profile.mean_kinetic_above
        if highest is None:
            return limits
        return (*limits, cls(rule, "kinetic", highest, highest, measure=Kinetic(profile)))

    @property
    def key(self) -> tuple[str, str]:
        """What tells the limits of a series apart."""
        return self.rule.rule_id, self.side

    @property
    def budget(self) -> Budget | None:
        """How long the value may be outside, where the rule is about a product."""
        return self.measure if isinstance(self.measure, Budget) else None

    def counts(self, memory: Memory | None, *, lasted: int) -> bool:
        """Whether a breach that has lasted so many milliseconds counts."""
        if isinstance(self.measure, Budget) and isinstance(memory, BudgetMemory):
            return self.measure.used_up(memory.minutes, memory.cumulative)
        return lasted >= self.hold

    def excursion(self, memory: Memory | None, before: Excursion | None) -> Excursion | None:
        """What an incident shows of a product's budgets."""
        return self.measure.excursion(memory, before) if isinstance(self.measure, Budget | Kinetic) else None

    def outside(self, measured: float) -> bool:
        """Whether what is compared breaks the limit."""
        return measured > self.threshold if self.side != "below" else measured < self.threshold

    def cleared(self, measured: float) -> bool:
        """Whether it is far enough inside to resolve what the limit has opened."""
        return measured <= self.clear_at if self.side != "below" else measured >= self.clear_at

    def worse(self, measured: float, than: float | None) -> float:
        """The one of the two that is further outside."""
        if than is None:
            return measured
        return max(measured, than) if self.side != "below" else min(measured, than)


def _back(side: Side, threshold: float, margin: float) -> float:
    return threshold + margin if side == "below" else threshold - margin
