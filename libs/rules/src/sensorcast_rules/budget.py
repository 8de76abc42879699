"""How much of a product's budgets is used up: minutes outside a limit, and the mean kinetic temperature.

Between two readings the value is taken to go in a straight line. What falls out of the window is forgotten in steps of
a 24th of it, so that the memory of a series does not grow; until then it counts, which is the safe side.
"""

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Self

from sensorcast_common.condition import LimitSide
from sensorcast_common.incident import Excursion
from sensorcast_common.product import ProductProfile
from sensorcast_rules.measure import MINUTE_MS, Memory, Point

GAS_CONSTANT_KJ: Final = 8.314_472e-3
"""R in kJ/(mol K), as USP <1079.2> has it."""

_KELVIN: Final = 273.15
_HOUR_MS: Final = 3_600_000
_BUCKETS: Final = 24


@dataclass(frozen=True, slots=True)
class BudgetMemory:
    """What an excursion remembers.

    Attributes:
        ts: Event time of the newest reading.
        measured: Its value: the limit compares the value itself.
        minutes: How long the excursion that the newest reading is in has lasted; 0 while inside.
        spent: Minutes outside by bucket of the window, oldest first; at most 25.
    """

    ts: int
    measured: float
    minutes: float = 0.0
    spent: tuple[tuple[int, float], ...] = ()

    @property
    def cumulative(self) -> float:
        """Minutes outside within the window."""
        return math.fsum(minutes for _, minutes in self.spent)


@dataclass(frozen=True, slots=True)
class Budget:
    """The budgets of one limit of a product.

    Attributes:
        profile: The product.
        side: Which limit.
        threshold: That limit.
    """

    profile: ProductProfile
    side: LimitSide
    threshold: float

    @property
    def window(self) -> int:
        """How far back readings matter, in milliseconds."""
        return self.profile.window_hours * _HOUR_MS

    def step(self, memory: Memory | None, reading: Point) -> BudgetMemory:
        """What is remembered after a reading that is newer than those before."""
        if not isinstance(memory, BudgetMemory):
            return BudgetMemory(reading.ts, reading.value)
        if reading.ts <= memory.ts:
            return memory
        outside = minutes_outside(Point(memory.ts, memory.measured), reading, side=self.side, threshold=self.threshold)
        bucket = reading.ts * _BUCKETS // self.window
        spent = tuple((at, minutes) for at, minutes in memory.spent if bucket - _BUCKETS <= at < bucket)
        same = math.fsum(minutes for at, minutes in memory.spent if at == bucket)
        if same + outside > 0:
            spent = (*spent, (bucket, same + outside))
        goes_on = beyond(reading.value, side=self.side, threshold=self.threshold)
        return BudgetMemory(reading.ts, reading.value, memory.minutes + outside if goes_on else 0.0, spent)

    def used_up(self, minutes: float, cumulative: float) -> bool:
        """Whether an excursion of so many minutes, with so many within the window, is more than the product stands."""
        one, together = self.profile.consecutive_minutes, self.profile.cumulative_minutes
        if one is None and together is None:
            return True
        return (one is not None and minutes > one) or (together is not None and cumulative > together)

    def excursion(self, memory: Memory | None, before: Excursion | None) -> Excursion:
        """What an incident shows of it; what `before` foresaw stays until the next forecast."""
        used = memory if isinstance(memory, BudgetMemory) else BudgetMemory(-1, 0.0)
        return Excursion(
            product=self.profile.product_id,
            product_version=self.profile.version,
            # An incident whose excursion is over keeps the minutes it had.
            minutes=used.minutes if used.minutes or before is None else before.minutes,
            consecutive_budget=self.profile.consecutive_minutes,
            cumulative_minutes=used.cumulative,
            cumulative_budget=self.profile.cumulative_minutes,
            foreseen_minutes=before.foreseen_minutes if before else None,
            foreseen_cumulative_minutes=before.foreseen_cumulative_minutes if before else None,
        )


@dataclass(frozen=True, slots=True)
class KineticMemory:
    """What a mean kinetic temperature remembers.

    Attributes:
        ts: Event time of the newest reading.
        value: Its value.
        measured: Mean kinetic temperature in degrees Celsius; `None` before a bucket's worth of readings.
        sums: By bucket of the window milliseconds, and the integral of exp(-dH / RT) over them; at most 25.
    """

    ts: int
    value: float
    measured: float | None = None
    sums: tuple[tuple[int, float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Kinetic:
    """The mean kinetic temperature over a window: the one temperature that does as much harm as the real ones did.

    Haynes, J. D. (1971), J. Pharm. Sci. 60(6), 927-929; USP <1079.2>: T_K = (dH / R) / -ln(mean of exp(-dH / (R T_i))),
    with T in kelvin, and dH = 83.144 kJ/mol where that of the product is not known. The mean is taken over time, by the
    trapezoidal rule; between readings that are further apart than a bucket nothing is known and nothing counts.

    Attributes:
        profile: The product.
    """

    profile: ProductProfile

    @property
    def window(self) -> int:
        """How far back readings matter, in milliseconds."""
        return self.profile.window_hours * _HOUR_MS

    def step(self, memory: Memory | None, reading: Point) -> KineticMemory:
        """What is remembered after a reading that is newer than those before."""
        if not isinstance(memory, KineticMemory):
            return KineticMemory(reading.ts, reading.value)
        if reading.ts <= memory.ts:
            return memory
        elapsed = reading.ts - memory.ts
        width = self.window // _BUCKETS
        bucket = reading.ts // width
        sums = tuple(each for each in memory.sums if bucket - _BUCKETS <= each[0] < bucket)
        weight, harm = next(((each[1], each[2]) for each in memory.sums if each[0] == bucket), (0.0, 0.0))
        if elapsed <= width:
            weight += elapsed
            harm += elapsed * (self._harm(memory.value) + self._harm(reading.value)) / 2
        if weight > 0:
            sums = (*sums, (bucket, weight, harm))
        total = math.fsum(each[1] for each in sums)
        measured = None
        if total >= width:
            mean = math.fsum(each[2] for each in sums) / total
            measured = self._ratio / -math.log(mean) - _KELVIN
        return KineticMemory(reading.ts, reading.value, measured, sums)

    def excursion(self, memory: Memory | None, before: Excursion | None) -> Excursion:
        """What an incident shows of it."""
        known = memory.measured if memory is not None else None
        return Excursion(
            product=self.profile.product_id,
            product_version=self.profile.version,
            mean_kinetic=known if known is not None or before is None else before.mean_kinetic,
        )

    @property
    def _ratio(self) -> float:
        return self.profile.activation_kj_per_mol / GAS_CONSTANT_KJ

    def _harm(self, celsius: float) -> float:
        return math.exp(-self._ratio / max(celsius + _KELVIN, 1.0))


@dataclass(frozen=True, slots=True)
class Outlook:
    """What the median path of a forecast means for a budget.

    Attributes:
        minutes: How long the excursion that the series is in, or else the first one ahead, will have lasted.
        cumulative: Minutes outside within the window, with those ahead.
        used_up_at: When the budgets are used up, in milliseconds since 1970 UTC; `None` where they are not.
    """

    minutes: float
    cumulative: float
    used_up_at: int | None

    @classmethod
    def of(cls, budget: Budget, path: list[Point], *, minutes: float, cumulative: float) -> Self:
        """Follow a path from now on.

        Args:
            budget: The budgets.
            path: The latest value and the points ahead, oldest first.
            minutes: How long the excursion that the series is in has lasted.
            cumulative: Minutes outside within the window so far.
        """
        longest, running, used_up_at = minutes, minutes, None
        for before, after in pairwise(path):
            outside = minutes_outside(before, after, side=budget.side, threshold=budget.threshold)
            running += outside
            cumulative += outside
            longest = max(longest, running)
            if used_up_at is None and outside and budget.used_up(running, cumulative):
                used_up_at = after.ts
            if not beyond(after.value, side=budget.side, threshold=budget.threshold):
                running = 0.0
        return cls(longest, cumulative, used_up_at)


def beyond(value: float, *, side: LimitSide, threshold: float) -> bool:
    """Whether a value is outside a limit."""
    return value > threshold if side == "above" else value < threshold


def minutes_outside(before: Point, after: Point, *, side: LimitSide, threshold: float) -> float:
    """How long a straight line between two points is outside a limit, in minutes."""
    minutes = (after.ts - before.ts) / MINUTE_MS
    outside = [beyond(point.value, side=side, threshold=threshold) for point in (before, after)]
    if outside[0] == outside[1]:
        return minutes if outside[0] else 0.0
    before_crossing = (threshold - before.value) / (after.value - before.value)
    return minutes * (before_crossing if outside[0] else 1 - before_crossing)
