"""An engine elsewhere with the built-in one behind it: a series is forecast even when the other does not answer."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sensorcast_common import logs
from sensorcast_common.clock import from_millis
from sensorcast_common.forecast import Forecast
from sensorcast_forecaster.answer import risks_of, rounded
from sensorcast_forecaster.engine import Engine
from sensorcast_forecaster.engines.paths import derive_paths
from sensorcast_forecaster.engines.quantiles import EngineAway, Quantiles, QuantileSource
from sensorcast_forecaster.window import Refused, SeriesWindow

_LEVELS = (0.1, 0.5, 0.9)

log = logs.logger(__name__)


@dataclass(frozen=True, slots=True)
class EngineElsewhere(Engine):
    """Makes forecasts of an engine's quantiles.

    Attributes:
        source: Who is asked.
        baseline: Who forecasts what the source does not; the forecast's `fallback` names the source and its reason.
    """

    source: QuantileSource
    baseline: Engine

    async def forecast(
        self, windows: Sequence[SeriesWindow], *, horizon_seconds: int, known_at: int
    ) -> list[Forecast | Refused]:
        """Forecast every series; see `Engine`."""
        try:
            said: Sequence[Quantiles | str] = await self.source.ask(windows, horizon_seconds=horizon_seconds)
        except EngineAway as error:
            said = [str(error)] * len(windows)
        for reason, count in Counter(each for each in said if isinstance(each, str)).items():
            log.warning("engine elsewhere gave no forecast", engine=self.source.name, reason=reason, series=count)
        left = [window for window, each in zip(windows, said, strict=True) if isinstance(each, str)]
        others = iter(
            await self.baseline.forecast(left, horizon_seconds=horizon_seconds, known_at=known_at) if left else []
        )
        made = await asyncio.to_thread(self._make, windows, said, known_at)
        return [forecast or self._labelled(next(others), reason) for forecast, reason in zip(made, said, strict=True)]

    def _make(
        self, windows: Sequence[SeriesWindow], said: Sequence[Quantiles | str], known_at: int
    ) -> list[Forecast | None]:
        return [
            None if isinstance(each, str) else make_forecast(self.source.name, window, each, known_at=known_at)
            for window, each in zip(windows, said, strict=True)
        ]

    def _labelled(self, forecast: Forecast | Refused, reason: Quantiles | str) -> Forecast | Refused:
        if isinstance(forecast, Refused):
            return forecast
        own = f"; {forecast.fallback}" if forecast.fallback else ""
        return forecast.model_copy(update={"fallback": f"{self.source.name.partition('/')[0]}: {reason}{own}"})


def make_forecast(engine: str, window: SeriesWindow, said: Quantiles, *, known_at: int) -> Forecast:
    """One forecast.

    Args:
        engine: Name and version of who said it.
        window: The series; its past shapes the paths.
        said: The quantiles.
        known_at: Recorded in the forecast, in milliseconds since 1970 UTC.
    """
    # Engines that estimate each quantile by itself let them cross.
    quantiles = np.sort(said.values, axis=0)
    derived = derive_paths(window.values, levels=said.levels, quantiles=quantiles)
    shown = np.stack([quantiles[said.levels.index(level)] for level in _LEVELS])
    trained = f"@{said.trained}" if said.trained else ""
    return Forecast(
        tenant=window.series.tenant,
        device=window.series.device,
        metric=window.series.metric,
        unit=window.unit,
        known_at=from_millis(known_at),
        last_value=window.last_value,
        step_seconds=window.step_seconds,
        start=from_millis(window.end + window.step_seconds * 1000),
        **dict(zip(("q10", "q50", "q90"), rounded(shown), strict=True)),
        risks=risks_of(window, lambda _: derived.ensemble),
        model=f"{engine}:{said.model}+{derived.dependence}{trained}",
        trained_at=None if said.trained_at is None else from_millis(said.trained_at),
        trained_from=from_millis(said.trained_from),
        trained_to=from_millis(said.trained_to),
        window_from=from_millis(window.first),
        window_to=from_millis(window.end),
    )
