"""Sorts what a batch of messages brings by series and event time, and leaves out what can change nothing."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sensorcast_common.clock import to_millis
from sensorcast_common.forecast import Forecast
from sensorcast_common.reading import Reading, SeriesKey
from sensorcast_rules.decision import Reason
from sensorcast_rules.series_state import SeriesState

if TYPE_CHECKING:
    from collections import Counter


_MOST_LATE = 256
"""Late readings that are kept of a series until they are in the hot store; of more than that it alone tells."""


@dataclass(slots=True)
class Observations:
    """What one series brings.

    Attributes:
        readings: Oldest first.
        forecasts: Each with when it was published; by `known_at`, oldest first.
    """

    readings: list[Reading] = field(default_factory=list)
    forecasts: list[tuple[Forecast, int]] = field(default_factory=list)


def by_series(readings: Iterable[Reading], forecasts: Iterable[tuple[Forecast, int]]) -> dict[SeriesKey, Observations]:
    """Group by series and sort by event time, so that the order inside a batch of messages does not matter."""
    found: dict[tuple[str, str, str], Observations] = {}
    for reading in readings:
        # The first three fields of a reading are its series: a slice costs a tenth of a SeriesKey.
        key = reading[:3]
        observations = found.get(key)
        if observations is None:
            observations = found[key] = Observations()
        observations.readings.append(reading)
    for forecast, published in forecasts:
        found.setdefault(forecast.series, Observations()).forecasts.append((forecast, published))
    for observations in found.values():
        observations.readings = oldest_first(observations.readings)
        observations.forecasts.sort(key=lambda each: each[0].known_at)
    return {SeriesKey(*key): observations for key, observations in found.items()}


def oldest_first(readings: Iterable[Reading]) -> list[Reading]:
    """By event time; of two values at one time the lesser first, so that the order of receipt does not matter."""
    return sorted(readings, key=_when)


def _when(reading: Reading) -> tuple[int, float]:
    return reading.ts, reading.value


def worth_deciding(state: SeriesState, reading: Reading, reasons: "Counter[Reason]") -> bool:
    """Whether a reading can change anything; if not, `reasons` counts why.

    A reading that is not newer than the series' newest decides nothing now: it came late, out of order or twice. It is
    kept where it may show that an incident began or ended at another time.
    """
    if reading.ts <= state.newest_ts:
        reasons[Reason.OUT_OF_ORDER] += 1
        if reading.ts < state.newest_ts:
            keep_late(state, reading)
        return False
    if state.quiet and state.low <= reading.value <= state.high:
        if state.newest_ts < 0:
            state.quiet_since = reading.ts  # what was before its first reading is not known here
        state.newest_ts = reading.ts
        reasons[Reason.INSIDE] += 1
        return False
    return True


def keep_late(state: SeriesState, reading: Reading) -> None:
    """Remember a reading as one to be gone through again with those around it, unless it can show nothing new."""
    inside = state.low <= reading.value <= state.high
    if state.quiet and inside and reading.ts >= state.quiet_since:
        return
    if len(state.late) < _MOST_LATE or reading.ts < min(state.late):
        state.late_since = reading.received_at if not state.late else state.late_since
        state.late[reading.ts] = reading.value


def is_newer(state: SeriesState, forecast: Forecast, reasons: "Counter[Reason]") -> bool:
    """Whether a forecast is newer than all its series has seen; if not, `reasons` counts it."""
    if to_millis(forecast.known_at) <= state.newest_forecast:
        reasons[Reason.OUT_OF_ORDER] += 1
        return False
    return True
