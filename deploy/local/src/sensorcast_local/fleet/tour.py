"""What a day does to a truck: the heat outside, stops with an open door, defrosts. All times are seconds, UTC."""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from sensorcast_local.fleet.noise import Noise

DAY: Final = 86_400  # s
WARMEST: Final = 14 * 3600  # s after midnight
MEAN_OUTSIDE: Final = 24.0  # degC, a summer week
DAILY_SWING: Final = 2.5  # K, half of the difference between the warmest and the coldest hour

TOUR_START: Final = 5 * 3600  # s after midnight
TOUR_END: Final = 19 * 3600  # s after midnight
STOPS: Final = 9  # deliveries in a day

DEFROST_EVERY: Final = 6 * 3600  # s
DEFROST_LASTS: Final = 8 * 60  # s


class Weather:
    """Air temperature around the fleet.

    Args:
        seed: The simulation's seed.
    """

    def __init__(self, *, seed: int) -> None:
        noise = Noise(seed=seed, name="weather")
        # Slow waves of 1.5 to 4 days, as fronts pass.
        self._waves = tuple(
            (noise.between(1.5, 4.0, 3 * i) * DAY, noise.between(0.0, 2 * math.pi, 3 * i + 1), 0.8) for i in range(3)
        )

    def outside(self, at: int) -> float:
        """Temperature in degC at `at`."""
        daily = DAILY_SWING * math.cos(2 * math.pi * (at % DAY - WARMEST) / DAY)
        fronts = sum(height * math.sin(2 * math.pi * at / period + phase) for period, phase, height in self._waves)
        return MEAN_OUTSIDE + daily + fronts


@dataclass(frozen=True, slots=True)
class Stop:
    """One delivery: the door is open from `opens` until `closes`, seconds since 1970."""

    opens: int
    closes: int


class Tour:
    """When one truck drives, opens its door and defrosts.

    Args:
        seed: The simulation's seed.
        device: The truck.
    """

    def __init__(self, *, seed: int, device: str) -> None:
        self._noise = Noise(seed=seed, name=f"{device}/tour")
        self._defrost_phase = int(self._noise.between(0, DEFROST_EVERY, -1))
        self._stops_of = lru_cache(maxsize=4)(self._draw_stops)

    def door_open(self, at: int) -> bool:
        """Whether the door is open."""
        return any(stop.opens <= at < stop.closes for stop in self._stops_of(at // DAY))

    def driving(self, at: int) -> bool:
        """Whether the engine runs and charges the battery."""
        return TOUR_START - 1800 <= at % DAY < TOUR_END + 1800

    def defrosting(self, at: int) -> bool:
        """Whether the evaporator is being defrosted."""
        return (at - self._defrost_phase) % DEFROST_EVERY < DEFROST_LASTS

    def _draw_stops(self, day: int) -> tuple[Stop, ...]:
        slot = (TOUR_END - TOUR_START) / STOPS
        stops = []
        for number in range(STOPS):
            counter = (day * STOPS + number) * 2
            opens = int(day * DAY + TOUR_START + slot * number + self._noise.between(0, slot - 600, counter))
            stops.append(Stop(opens, opens + int(self._noise.between(60, 240, counter + 1))))
        return tuple(stops)
