"""What may be asked of the past, and what the answer consists of."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

MINUTE_MS: Final = 60_000

STANDS_MS: Final = 15 * MINUTE_MS
"""How long a reading stands for what comes after it, where no other comes."""


class Bucket(StrEnum):
    """Length of what is summed up, in UTC."""

    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"

    @property
    def millis(self) -> int:
        """Its length."""
        return {"minute": MINUTE_MS, "hour": 60 * MINUTE_MS, "day": 24 * 60 * MINUTE_MS}[self.value]

    def floor(self, ts: int) -> int:
        """The beginning of the bucket that `ts` (ms) falls into."""
        return ts - ts % self.millis


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Series of one tenant in a range.

    Attributes:
        tenant: From the credential, never from the request.
        devices: Names, at least one.
        metrics: Names, at least one.
        start: First time wanted, in milliseconds since 1970 UTC.
        end: First time no longer wanted.
    """

    tenant: str
    devices: tuple[str, ...]
    metrics: tuple[str, ...]
    start: int
    end: int


class Bounds(NamedTuple):
    """Limits that values should stay within, both included; `None` for none."""

    low: float | None = None
    high: float | None = None

    def hold(self, value: float) -> bool:
        """Whether a value is inside."""
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)


class RowKey(NamedTuple):
    """What orders rows, and tells them apart.

    Attributes:
        device: Whose reading.
        metric: What was measured.
        ts: Milliseconds since 1970 UTC.
        unit: SenML unit; a time that came in two units is two rows.
    """

    device: str
    metric: str
    ts: int
    unit: str


class Row(NamedTuple):
    """One reading."""

    key: RowKey
    value: float


class Aggregate(NamedTuple):
    """One bucket of one series.

    Attributes:
        key: Whose; `ts` is where the bucket begins.
        readings: How many it holds.
        min: Least value.
        max: Greatest value.
        mean: Arithmetic mean of the readings.
        p05: 5th percentile.
        p50: Median.
        p95: 95th percentile.
        inside: Share of the covered time in which the value was within the bounds, 0 to 1; `None` without bounds.
        mkt: Mean kinetic temperature in the unit of the values; `None` where these are no temperatures.
    """

    key: RowKey
    readings: int
    min: float
    max: float
    mean: float
    p05: float
    p50: float
    p95: float
    inside: float | None
    mkt: float | None
