"""A compressor that fails: its cooling fades until the box drifts over its limit, later it is put right.

The fade is timed backwards from the breach, so that whoever starts the simulation sees the drift when it has begun and
is not over. All times are seconds since 1970 UTC.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from sensorcast_local.fleet.truck import STEP, Influence, Traits, at_rest, step

LIMIT: Final = 8.0  # degC, upper limit of chilled goods
FADES_OVER: Final = 60 * 60  # s from full cooling to what is left
LEFT: Final = 0.02  # share of the cooling power that is left in the end
RECURS_EVERY: Final = 8 * 3600  # s
LONGEST_DRIFT: Final = 5 * 3600  # s before the breach that a fade may begin


@dataclass(frozen=True, slots=True)
class FaultTimes:
    """When a failure comes to its breach, and when somebody resets the unit.

    Attributes:
        breach_after: Seconds from going live to the breach.
        right_again_after: Seconds from the breach to the reset.
    """

    breach_after: int = 32 * 60
    right_again_after: int = 75 * 60

    def __post_init__(self) -> None:
        """Check.

        Raises:
            ValueError: The failures would overlap.
        """
        if self.breach_after < 0 or self.right_again_after < 0:
            raise ValueError("breach_after, right_again_after: must not be negative")
        if self.breach_after + self.right_again_after > RECURS_EVERY - LONGEST_DRIFT:
            longest = (RECURS_EVERY - LONGEST_DRIFT) // 60
            raise ValueError(f"breach_after, right_again_after: at most {longest} minutes together")


USUAL: Final = FaultTimes()


@dataclass(frozen=True, slots=True)
class Episode:
    """One failure: cooling fades from `begins` and is whole again from `ends`."""

    begins: int
    ends: int

    def cooling_left(self, at: int) -> float:
        """Share of its cooling power that the compressor has, 0 to 1."""
        if not self.begins <= at < self.ends:
            return 1.0
        return max(LEFT, 1.0 - (1.0 - LEFT) * (at - self.begins) / FADES_OVER)


class FailingCompressor:
    """The failures of one truck, the first of them soon after `live_from`, then every eight hours.

    Args:
        live_from: When the simulation first went live; no failure is older.
        traits: The truck's.
        outside: Air temperature by time, degC.
        times: When it breaches, and for how long.
    """

    def __init__(self, *, live_from: int, traits: Traits, outside: Callable[[int], float], times: FaultTimes) -> None:
        self._times = times
        self._live_from = live_from
        self._traits = traits
        self._outside = outside
        self._episode = lru_cache(maxsize=4)(self._time_episode)

    def episode_near(self, at: int) -> Episode:
        """The failure that `at` is in, or the next one."""
        times = self._times
        number = max(0, (at - self._live_from - times.breach_after - times.right_again_after) // RECURS_EVERY + 1)
        return self._episode(number)

    def _time_episode(self, number: int) -> Episode:
        breach = self._live_from + number * RECURS_EVERY + self._times.breach_after
        # The later the fade begins, the later the breach: halve the interval until a step is left.
        early, late = breach - LONGEST_DRIFT, breach
        while late - early > STEP:
            middle = (early + late) // 2
            if self._breached_by(breach, begins=middle):
                early = middle
            else:
                late = middle
        return Episode(begins=early, ends=breach + self._times.right_again_after)

    def _breached_by(self, breach: int, *, begins: int) -> bool:
        episode = Episode(begins=begins, ends=breach + STEP)
        state = at_rest(self._traits)
        for at in range(begins - 1800, breach, STEP):
            influence = Influence(self._outside(at), False, False, episode.cooling_left(at))
            state = step(state, self._traits, influence)
            if state.air + self._traits.offset > LIMIT:
                return True
        return False
