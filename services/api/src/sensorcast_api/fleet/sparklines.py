"""The last hour of a series in sixty points, read from the hot store once and then kept up to date."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Final

from pydantic import BaseModel

from sensorcast_api.ports import Readings
from sensorcast_common.clock import UtcDatetime, from_millis
from sensorcast_common.reading import SeriesKey

POINTS: Final = 60
STEP_MS: Final = 60_000
LATE_MS: Final = 120_000
"""How late a reading may reach the hot store and still be seen at the next look."""

ANEW_MS: Final = 600_000
"""How long what was read is trusted; older readings that arrive late are seen after that."""


class Sparkline(BaseModel):
    """A series at a glance.

    Attributes:
        start: Time of the first point; point `i` is the mean of the minute from `start + i * step_seconds`.
        step_seconds: Distance between two points.
        values: Oldest first; null where nothing was measured.
    """

    start: UtcDatetime
    step_seconds: int
    values: list[float | None]


@dataclass(slots=True)
class Glance:
    """What the hot store has of the last hour of a series.

    Attributes:
        means: Mean value by start of the minute, ms.
        last_ts: Time of the latest reading, ms; `None` where there is none.
        last_value: Its value.
        device_ts: Time of the latest reading of the device, whatever it measures.
        read_to: Where the last look ended.
        read_anew: When all of it was read.
    """

    means: dict[int, float]
    last_ts: int | None = None
    last_value: float = 0.0
    device_ts: int | None = None
    read_to: int = 0
    read_anew: int = 0

    def sparkline(self, now: int) -> Sparkline:
        """The hour that ends at `now`."""
        start = _window_start(now)
        values = [self.means.get(start + at * STEP_MS) for at in range(POINTS)]
        return Sparkline(start=from_millis(start), step_seconds=STEP_MS // 1000, values=values)


class Sparklines:
    """Glances at series, of which only what is new is read.

    Args:
        readings: The hot store.
        capacity: Series that are kept; beyond it the least recently wanted go.
    """

    def __init__(self, readings: Readings, *, capacity: int = 10_000) -> None:
        self._readings = readings
        self._capacity = capacity
        self._kept: OrderedDict[SeriesKey, Glance] = OrderedDict()

    async def look(self, series: SeriesKey, *, now: int) -> Glance:
        """The last hour of a series at `now`, milliseconds since 1970 UTC."""
        glance = self._kept.pop(series, None)
        if glance is None or now - glance.read_anew >= ANEW_MS or now < glance.read_to:
            glance = Glance(means={}, read_anew=now)
        start = _window_start(now)
        if glance.read_to:
            start = max(start, (glance.read_to - LATE_MS) // STEP_MS * STEP_MS)
        found = await self._readings.read(series.tenant, series.device, start=start, end=now + STEP_MS)
        for metric, points in found.items():
            if metric == series.metric:
                _take(glance, points.ts, points.value)
            glance.device_ts = max(glance.device_ts or 0, points.ts[-1])
        window = _window_start(now)
        glance.means = {minute: mean for minute, mean in glance.means.items() if minute >= window}
        glance.read_to = now
        self._kept[series] = glance
        while len(self._kept) > self._capacity:
            self._kept.popitem(last=False)
        return glance


def _take(glance: Glance, times: Sequence[int], values: Sequence[float]) -> None:
    """Replace the minutes that were read again."""
    minutes: dict[int, list[float]] = {}
    for ts, value in zip(times, values, strict=True):
        minutes.setdefault(ts // STEP_MS * STEP_MS, []).append(value)
    glance.means.update({minute: float(f"{fmean(inside):.5g}") for minute, inside in minutes.items()})
    glance.last_ts, glance.last_value = times[-1], values[-1]


def _window_start(now: int) -> int:
    """Start of the first of the minutes, the last of which is the one that runs."""
    return (now // STEP_MS - POINTS + 1) * STEP_MS
