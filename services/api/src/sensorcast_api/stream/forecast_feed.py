"""New forecasts of the series that somebody watches, by looking at the table at a bounded rate."""

import asyncio
from collections.abc import Callable
from time import monotonic as system_monotonic
from typing import Final

from sensorcast_api.metrics import ApiMetrics
from sensorcast_api.ports import Forecasts
from sensorcast_api.stream.frames import frame
from sensorcast_api.stream.hub import Hub, Kind, LiveEvent
from sensorcast_common.clock import Clock, to_millis
from sensorcast_common.forecast import Forecast
from sensorcast_common.logs import logger
from sensorcast_common.reading import SeriesKey

log = logger(__name__)

_TICK: Final = 1.0
_AT_ONCE: Final = 8


class ForecastFeed:
    """Looks up the newest forecast of each watched series and tells the streams that have not seen it.

    Forecasts come every few minutes, so a series is looked up every `every_seconds`; whatever the number of series, at
    most `reads_per_second` lookups are made, the longest unseen first. All streams share them.

    Args:
        forecasts: The table.
        hub: Where events go.
        clock: The present, for the events' ids.
        metrics: Counts.
        every_seconds: Between two lookups of a series.
        reads_per_second: Lookups at most.
        monotonic: Seconds on a clock that never goes back.
    """

    def __init__(
        self,
        forecasts: Forecasts,
        *,
        hub: Hub,
        clock: Clock,
        metrics: ApiMetrics,
        every_seconds: float = 10.0,
        reads_per_second: int = 20,
        monotonic: Callable[[], float] = system_monotonic,
    ) -> None:
        if every_seconds <= 0 or reads_per_second < 1:
            raise ValueError("every_seconds, reads_per_second: must be positive")
        self._forecasts = forecasts
        self._hub = hub
        self._clock = clock
        self._metrics = metrics
        self._every = every_seconds
        self._rate = reads_per_second
        self._monotonic = monotonic
        self._read_at: dict[SeriesKey, float] = {}

    async def run(self) -> None:
        """Look and tell until cancelled; a table that does not answer is asked again later."""
        while True:
            try:
                await self.look()
            except Exception:
                # The table's troubles pass; a stream without news of forecasts is better than none.
                log.exception("forecasts could not be looked up")
            await asyncio.sleep(_TICK)

    async def look(self) -> None:
        """Look up what is due, once."""
        due = self._due()
        gate = asyncio.Semaphore(_AT_ONCE)

        async def one(series: SeriesKey) -> None:
            async with gate:
                self._read_at[series] = self._monotonic()
                self._metrics.forecast_reads.inc()
                forecast = await self._forecasts.latest(series)
            if forecast is not None:
                self._tell(forecast)

        async with asyncio.TaskGroup() as tasks:
            for series in due:
                tasks.create_task(one(series))

    def _due(self) -> list[SeriesKey]:
        now = self._monotonic()
        watched: set[SeriesKey] = set()
        unseen: set[SeriesKey] = set()
        for subscriber in self._hub.subscribers:
            if Kind.FORECAST in subscriber.kinds:
                watched |= subscriber.series
                unseen |= subscriber.series - subscriber.forecasts_seen.keys()
        self._read_at = {series: at for series, at in self._read_at.items() if series in watched}
        never = float("-inf")
        # A stream that has just come sees a series at once, but one without forecasts is not asked for at every tick.
        waits = {series: self._every if series not in unseen else min(self._every, _TICK * 2) for series in watched}
        due = [series for series in watched if now - self._read_at.get(series, never) >= waits[series]]
        due.sort(key=lambda series: (self._read_at.get(series, never), series))
        return due[: int(self._rate * _TICK)]

    def _tell(self, forecast: Forecast) -> None:
        known_at = to_millis(forecast.known_at)
        series = forecast.series
        event: LiveEvent | None = None
        for subscriber in self._hub.subscribers:
            if not subscriber.wants(Kind.FORECAST, series.tenant, series.device):
                continue
            if subscriber.forecasts_seen.get(series, -1) >= known_at:
                continue
            if event is None:
                at = self._clock()
                data = frame(Kind.FORECAST, forecast, at=at)
                event = LiveEvent(Kind.FORECAST, series.tenant, series.device, at, data)
            subscriber.forecasts_seen[series] = known_at
            self._metrics.events.labels(Kind.FORECAST).inc()
            self._metrics.dropped.inc(subscriber.offer(event))
