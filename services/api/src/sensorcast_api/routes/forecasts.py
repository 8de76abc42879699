"""The forecast of one series: the newest, or the one that was known at a time."""

from typing import Annotated

from fastapi import APIRouter, Query

from sensorcast_api import examples
from sensorcast_api.auth import Viewer
from sensorcast_api.parameters import DevicePath, MetricQuery, Time
from sensorcast_api.problems import not_found
from sensorcast_api.quick_route import QuickRoute
from sensorcast_api.routes.devices import existing
from sensorcast_api.services import Wired
from sensorcast_common.clock import to_millis
from sensorcast_common.forecast import Forecast
from sensorcast_common.reading import SeriesKey

router = APIRouter(prefix="/v1/devices/{device}/forecasts", tags=["forecasts"], route_class=QuickRoute)


@router.get("", responses={200: examples.shown(examples.FORECAST), **examples.problems(404)})
async def get_forecast(
    caller: Viewer,
    wired: Wired,
    device: DevicePath,
    metric: MetricQuery,
    known_at: Annotated[Time | None, Query(description="The newest that was known then; now by default.")] = None,
) -> Forecast:
    """The forecast, with the risk of leaving each limit that applies."""
    await existing(wired.stores.devices, caller.tenant, device)
    series = SeriesKey(caller.tenant, device, metric)
    if known_at is None:
        forecast = await wired.stores.forecasts.latest(series)
    else:
        forecast = await wired.stores.forecasts.known_at_or_before(series, to_millis(known_at))
    if forecast is None:
        raise not_found("forecast")
    return forecast
