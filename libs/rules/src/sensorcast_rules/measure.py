"""What a condition compares with its threshold where that is not the value itself: a rate, a time without change.

A measure goes through the readings of one series in event time and remembers a bounded number of them.
"""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

from sensorcast_common.reading import Reading

MINUTE_MS = 60_000
_SPACINGS = 8
"""Readings that a rate keeps per window; between two of them lies at least an eighth of it."""


class Point(NamedTuple):
    """A reading that is remembered; `ts` in milliseconds since 1970 UTC."""

    ts: int
    value: float


class Memory(Protocol):
    """What a measure remembers; the same reading again changes nothing."""

    @property
    def ts(self) -> int:
        """Event time of the newest reading, in milliseconds."""
        ...

    @property
    def measured(self) -> float | None:
        """What is compared with the threshold; `None` where the readings do not say enough."""
        ...


class Measure(Protocol):
    """Goes through the readings of a series."""

    @property
    def window(self) -> int:
        """How far back readings matter, in milliseconds."""
        ...

    def step(self, memory: Memory | None, reading: Point) -> Memory:
        """What is remembered after a reading that is newer than those before."""
        ...


@dataclass(frozen=True, slots=True)
class RateMemory:
    """What a rate remembers.

    Attributes:
        ts: Event time of the newest reading.
        measured: Change per minute over the window.
        points: Readings of the past two windows, oldest first; at most 17.
    """

    ts: int
    measured: float | None
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Rate:
    """The change per minute between a reading and the one about a window before it.

    That one is the newest that is at least a window old; where there is none, the oldest, if it is at least half a
    window old. What is older than two windows says nothing.

    Attributes:
        span: The window, in milliseconds.
        sign: 1 for a rise, -1 for a fall.
    """

    span: int
    sign: int

    @property
    def window(self) -> int:
        """How far back readings matter, in milliseconds."""
        return 2 * self.span

    def step(self, memory: Memory | None, reading: Point) -> RateMemory:
        """What is remembered after a reading that is newer than those before."""
        before = memory if isinstance(memory, RateMemory) else RateMemory(-1, None, ())
        if reading.ts <= before.ts:
            return before
        points = tuple(point for point in before.points if point.ts >= reading.ts - self.window)
        rate = self._rate(points, reading)
        if not points or reading.ts - points[-1].ts >= self.span // _SPACINGS:
            points = (*points, reading)
        return RateMemory(reading.ts, rate, points)

    def _rate(self, points: tuple[Point, ...], reading: Point) -> float | None:
        old = [point for point in points if point.ts <= reading.ts - self.span]
        anchor = old[-1] if old else points[0] if points else None
        if anchor is None or reading.ts - anchor.ts < self.span / 2:
            return None
        return self.sign * (reading.value - anchor.value) * MINUTE_MS / (reading.ts - anchor.ts)


@dataclass(frozen=True, slots=True)
class StuckMemory:
    """What a stuck sensor remembers.

    Attributes:
        ts: Event time of the newest reading.
        measured: Minutes since the first reading of the same value.
        first: That reading.
    """

    ts: int
    measured: float
    first: Point


@dataclass(frozen=True, slots=True)
class Stuck:
    """Minutes for which the value has stayed the same while readings kept coming.

    Attributes:
        span: How long it may stay the same, in milliseconds; a gap of more than half of it begins anew.
        tolerance: Values this close to the first of them are the same.
    """

    span: int
    tolerance: float

    @property
    def window(self) -> int:
        """How far back readings matter, in milliseconds."""
        return 2 * self.span

    def step(self, memory: Memory | None, reading: Point) -> StuckMemory:
        """What is remembered after a reading that is newer than those before."""
        if not isinstance(memory, StuckMemory):
            return StuckMemory(reading.ts, 0.0, reading)
        if reading.ts <= memory.ts:
            return memory
        same = abs(reading.value - memory.first.value) <= self.tolerance
        if not same or reading.ts - memory.ts > self.span / 2:
            return StuckMemory(reading.ts, 0.0, reading)
        return StuckMemory(reading.ts, (reading.ts - memory.first.ts) / MINUTE_MS, memory.first)


def point_of(reading: Reading) -> Point:
    """What a measure needs of a reading."""
    return Point(reading.ts, reading.value)
