"""Asks Amazon Forecast's latest forecast for each series, from where the series is now."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import numpy as np
from botocore.exceptions import BotoCoreError, ClientError

from sensorcast_common.clock import Clock, from_millis, to_millis
from sensorcast_common.tables.at_once import at_once
from sensorcast_forecaster.engines.amazon.build import FREQUENCIES, BuildKey, Serving, State, build_time
from sensorcast_forecaster.engines.amazon.states import BuildStates
from sensorcast_forecaster.engines.quantiles import EngineAway, Quantiles, QuantileSource
from sensorcast_forecaster.window import SeriesWindow

if TYPE_CHECKING:
    from types_aiobotocore_forecastquery import ForecastQueryServiceClient
    from types_aiobotocore_forecastquery.type_defs import DataPointTypeDef

NAME: Final = "amazon-forecast/1"

_LEVELS: Final = (0.1, 0.5, 0.9)
_ANSWERS: Final = ("p10", "p50", "p90")
_QUERIES_AT_ONCE: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class AmazonForecastSource(QuantileSource):
    """Asks series by series.

    Attributes:
        client: An open client.
        states: Which forecast is asked.
        refresh_seconds: How often that is looked up.
        clock: The present.
    """

    client: "ForecastQueryServiceClient"
    states: BuildStates
    refresh_seconds: float
    clock: Clock
    _known: dict[str, tuple[int, Mapping[BuildKey, State]]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Engine and version."""
        return NAME

    async def ask(self, windows: Sequence[SeriesWindow], *, horizon_seconds: int) -> list[Quantiles | str]:
        """Quantiles of every series; see `QuantileSource`."""
        states: dict[BuildKey, State] = {}
        for tenant in sorted({window.series.tenant for window in windows}):
            states.update(await self._states(tenant))
        return await at_once(lambda window: self._one(window, states, horizon_seconds), windows, limit=_QUERIES_AT_ONCE)

    async def _states(self, tenant: str) -> Mapping[BuildKey, State]:
        known = self._known.get(tenant)
        if known is not None and self.clock() - known[0] < self.refresh_seconds * 1000:
            return known[1]
        try:
            states = await self.states.all_of(tenant)
        except (BotoCoreError, ClientError) as error:
            raise EngineAway(f"builds cannot be looked up: {type(error).__name__}") from error
        self._known[tenant] = (self.clock(), states)
        return states

    async def _one(
        self, window: SeriesWindow, states: Mapping[BuildKey, State], horizon_seconds: int
    ) -> Quantiles | str:
        step = window.step_seconds
        if step not in FREQUENCIES:
            return f"knows no step of {step} s"
        state = states.get(BuildKey(window.series.tenant, window.series.metric, step), State())
        serving = state.serving
        if serving is None:
            return f"no forecast yet, {state.build.stage} is next" if state.build else "no forecast yet"
        if serving.unhealthy is not None:
            return f"out of use: {serving.unhealthy}"
        times = asked_times(window, steps=math.ceil(horizon_seconds / step), after=to_millis(serving.trained_to))
        if times[-1] > to_millis(serving.trained_to) + serving.horizon * step * 1000:
            return f"forecast of readings until {serving.trained_to:%Y-%m-%d %H:%M} UTC does not reach that far"
        try:
            answers = await self._query(serving, window.series.device, times)
        except ClientError as error:
            return error.response["Error"]["Code"]
        except BotoCoreError as error:
            return type(error).__name__
        values = [[answers.get(level, {}).get(time, math.nan) for time in times] for level in _ANSWERS]
        if not np.isfinite(values).all():
            return "some steps are missing in its answer"
        return Quantiles(
            model="autopredictor",
            trained=serving.predictor_id,
            trained_at=build_time(serving.predictor_id),
            trained_from=to_millis(serving.trained_from),
            trained_to=to_millis(serving.trained_to),
            levels=_LEVELS,
            values=np.array(values),
        )

    async def _query(self, serving: Serving, device: str, times: Sequence[int]) -> dict[str, dict[int, float]]:
        """By quantile, by time in milliseconds."""
        answer = await self.client.query_forecast(
            ForecastArn=serving.forecast,
            StartDate=_iso(times[0]),
            EndDate=_iso(times[-1]),
            Filters={"item_id": device},
        )
        return {level: dict(map(_point, points)) for level, points in answer["Forecast"]["Predictions"].items()}


def asked_times(window: SeriesWindow, *, steps: int, after: int) -> list[int]:
    """The time at Amazon Forecast of each of the steps after a window, in milliseconds since 1970 UTC.

    There, steps begin on the clock and are named by their beginning; here they end with the latest reading and are
    named by their end. Each step here takes the one there that holds its middle, or where that is the one in which the
    history ended, the next.

    Args:
        window: The series.
        steps: How many.
        after: Last reading of the history, in milliseconds since 1970 UTC.
    """
    step = window.step_seconds * 1000
    first = (window.end + step // 2) // step * step
    if first == after // step * step:
        first += step
    return [first + at * step for at in range(steps)]


def _iso(millis: int) -> str:
    return f"{from_millis(millis):%Y-%m-%dT%H:%M:%S}"


def _point(point: "DataPointTypeDef") -> tuple[int, float]:
    moment = datetime.fromisoformat(point["Timestamp"])
    return to_millis(moment if moment.tzinfo else moment.replace(tzinfo=UTC)), point["Value"]
