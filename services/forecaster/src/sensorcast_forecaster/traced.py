"""Links the span of a forecast job to the traces of the readings that its forecasts rest on: many make one forecast."""

from collections.abc import Sequence
from typing import Final, Protocol

from opentelemetry import trace

from sensorcast_common.clock import to_millis
from sensorcast_common.forecast import Forecast
from sensorcast_common.tables.at_once import at_once
from sensorcast_common.tracing import MOST_LINKS, link_to

MOST_DEVICES: Final = 16
"""Devices whose traces are looked up, those most at risk first."""

WINDOW_MS: Final = 600_000
"""How far back a reading's trace is of interest: two ticks."""

_READS_AT_ONCE: Final = 4


class TracedReadings(Protocol):
    """The port to the hot store."""

    async def traces(self, tenant: str, device: str, *, start: int, end: int) -> list[str]:
        """The traceparents by which readings came that are recorded, newest first."""
        ...


class JobTraces:
    """Adds the links to the span of the job at hand, where that is recorded.

    Args:
        readings: The hot store.
    """

    def __init__(self, readings: TracedReadings) -> None:
        self._readings = readings

    async def link(self, forecasts: Sequence[Forecast]) -> None:
        """Link the current span to what led to these forecasts.

        Raises:
            Exception: The hot store does not answer.
        """
        span = trace.get_current_span()
        if not span.is_recording():
            return
        risk: dict[tuple[str, str], float] = {}
        known_at: dict[tuple[str, str], int] = {}
        for each in forecasts:
            key = (each.tenant, each.device)
            risk[key] = max([risk.get(key, 0.0), *(one.probability for one in each.risks)])
            known_at[key] = to_millis(each.known_at)
        devices = sorted(risk, key=lambda key: -risk[key])[:MOST_DEVICES]
        found = await at_once(
            lambda key: self._readings.traces(*key, start=max(0, known_at[key] - WINDOW_MS), end=known_at[key] + 1),
            devices,
            limit=_READS_AT_ONCE,
        )
        for traceparent in dict.fromkeys(each for traces in found for each in traces[: MOST_LINKS // 4]):
            link_to(span, traceparent)
