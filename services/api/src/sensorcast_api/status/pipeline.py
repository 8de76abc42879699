"""Puts the state of the pipeline together for one tenant; what all tenants share is asked for once."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from pydantic import BaseModel

from sensorcast_api.fleet.briefly import Briefly
from sensorcast_api.ports import Stores
from sensorcast_api.status.models import ModelStatus
from sensorcast_api.status.queues import QueueStatus
from sensorcast_common.clock import Clock, UtcDatetime, from_millis, to_millis
from sensorcast_common.device import Device
from sensorcast_common.forecast import Forecast
from sensorcast_common.reading import SeriesKey
from sensorcast_common.tables.at_once import at_once

MAX_DEVICES: Final = 1_000
MAX_SERIES: Final = 200
REPORTING_MS: Final = 15 * 60_000
"""A device that was heard of within this reports; its item may lag by five minutes."""

FRESH_MS: Final = 15 * 60_000
"""Forecasts are made every five minutes: one older than three rounds is late."""

_PAGE: Final = 500
_AT_ONCE: Final = 16
_NEWEST: Final = 3
_LOOK_BACK_MS: Final = 3_600_000


class ReadingsStatus(BaseModel):
    """How readings come in.

    Attributes:
        devices: Devices of the tenant, at most a thousand of which were looked at.
        reporting: Those that were heard of in the last quarter of an hour.
        newest_at: Time of the newest reading in the hot store; null where the last hour has none.
        newest_seconds: Its age.
    """

    devices: int
    reporting: int
    newest_at: UtcDatetime | None
    newest_seconds: float | None


class ForecastsStatus(BaseModel):
    """How forecasts are made.

    Attributes:
        series: Series of reporting devices that were looked at, at most 200.
        fresh: Those with a forecast of the last quarter of an hour.
        newest_at: When the newest forecast was made.
        models: How many of the fresh forecasts came from which model.
    """

    series: int
    fresh: int
    newest_at: UtcDatetime | None
    models: dict[str, int]


class PipelineStatus(BaseModel):
    """How the pipeline is.

    Attributes:
        now: When this was put together.
        queues: The stack's queues; all tenants share them.
        quarantined: Messages of the tenant that could not be accepted.
        readings: How readings come in.
        forecasts: How forecasts are made.
        models: The trained models in use.
    """

    now: UtcDatetime
    queues: Sequence[QueueStatus]
    quarantined: int
    readings: ReadingsStatus
    forecasts: ForecastsStatus
    models: Sequence[ModelStatus]


class Pipeline:
    """Looks at the pipeline; an answer is good for some seconds.

    Args:
        stores: The stores.
        clock: The present.
    """

    def __init__(self, stores: Stores, *, clock: Clock) -> None:
        self._stores = stores
        self._clock = clock
        self._queues = Briefly(self._look_at_queues, seconds=5.0, capacity=1)
        self._statuses = Briefly(self._look, seconds=5.0, capacity=1_000)
        self._forecasts = Briefly(self._look_at_forecasts, seconds=30.0, capacity=1_000)

    async def status(self, tenant: str) -> PipelineStatus:
        """The pipeline as a tenant sees it."""
        return await self._statuses.get(tenant)

    async def _look(self, tenant: str) -> PipelineStatus:
        devices = await self._devices(tenant)
        return PipelineStatus(
            now=from_millis(self._clock()),
            queues=await self._queues.get(()),
            quarantined=await self._stores.quarantine.count(tenant),
            readings=await self._readings(tenant, devices),
            forecasts=await self._forecasts.get(tenant),
            models=await self._stores.models.in_use(tenant),
        )

    async def _look_at_queues(self, _: tuple[()]) -> Sequence[QueueStatus]:
        return await self._stores.queues.look()

    async def _devices(self, tenant: str) -> list[Device]:
        found: list[Device] = []
        cursor: str | None = None
        while len(found) < MAX_DEVICES:
            page, cursor = await self._stores.devices.list(tenant, limit=_PAGE, cursor=cursor)
            found += page
            if cursor is None:
                break
        return found[:MAX_DEVICES]

    async def _readings(self, tenant: str, devices: Sequence[Device]) -> ReadingsStatus:
        now = self._clock()
        newest: int | None = None
        for device in sorted(devices, key=lambda each: each.last_seen, reverse=True)[:_NEWEST]:
            found = await self._stores.readings.read(
                tenant, device.device, start=now - _LOOK_BACK_MS, end=now + REPORTING_MS
            )
            newest = max([*(points.ts[-1] for points in found.values()), *([newest] if newest else [])], default=None)
        return ReadingsStatus(
            devices=len(devices),
            reporting=len(reporting(devices, now=now)),
            newest_at=None if newest is None else from_millis(newest),
            newest_seconds=None if newest is None else max(0.0, (now - newest) / 1000),
        )

    async def _look_at_forecasts(self, tenant: str) -> ForecastsStatus:
        devices = reporting(await self._devices(tenant), now=self._clock())
        series = [SeriesKey(tenant, device.device, metric) for device in devices for metric in sorted(device.metrics)]
        found = await at_once(self._stores.forecasts.latest, series[:MAX_SERIES], limit=_AT_ONCE)
        return summed([forecast for forecast in found if forecast], series=len(found), now=self._clock())


def reporting(devices: Sequence[Device], *, now: int) -> list[Device]:
    """The devices that were heard of lately."""
    return [device for device in devices if now - to_millis(device.last_seen) <= REPORTING_MS]


def summed(forecasts: Sequence[Forecast], *, series: int, now: int) -> ForecastsStatus:
    """What the newest forecasts of `series` series tell."""
    fresh = [forecast for forecast in forecasts if now - to_millis(forecast.known_at) <= FRESH_MS]
    return ForecastsStatus(
        series=series,
        fresh=len(fresh),
        newest_at=max((forecast.known_at for forecast in forecasts), default=None),
        models=dict(sorted(Counter(forecast.model for forecast in fresh).items())),
    )
