"""The fleet at a glance: what a page shows of every device, a hundred at a time."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request
from pydantic import Field

from sensorcast_api import examples
from sensorcast_api.auth import Viewer
from sensorcast_api.fleet.overview import FleetDevice, FleetOverview, FleetRisk
from sensorcast_api.fleet.sparklines import Sparkline
from sensorcast_api.paging import Cursor, Page, PageLimit, decode, encode, refusing_cursor
from sensorcast_api.parameters import LabelQuery, wanted_labels
from sensorcast_api.quick_route import QuickRoute
from sensorcast_api.services import Wired
from sensorcast_common.clock import UtcDatetime, from_millis

router = APIRouter(prefix="/v1/fleet", tags=["fleet"], route_class=QuickRoute)


class FleetPage(Page[FleetDevice]):
    """One page of the fleet.

    Attributes:
        now: The service's time, from which ages are counted.
    """

    now: UtcDatetime = Field()


_STATE: Final = examples.DEVICE.metrics["temperature"]
_EXAMPLE: Final = FleetPage(
    items=[
        FleetDevice(
            device="truck-7",
            name=examples.DEVICE.name,
            labels={"site": "north"},
            metric="temperature",
            unit="Cel",
            value=_STATE.last_value,
            ts=_STATE.last_ts,
            last_seen=examples.DEVICE.last_seen,
            sparkline=Sparkline(start=examples.DEVICE.first_seen, step_seconds=60, values=[4.1, None, 4.2]),
            risk=FleetRisk(
                **examples.FORECAST.risks[0].model_dump(), metric="temperature", known_at=examples.FORECAST.known_at
            ),
            incident=examples.INCIDENT,
        )
    ],
    now=examples.DEVICE.last_seen,
)


async def _overview(request: Request) -> FleetOverview:
    found = request.app.state.fleet
    if not isinstance(found, FleetOverview):
        raise TypeError("app.state.fleet: not wired")
    return found


@router.get("", responses={200: examples.shown(_EXAMPLE), **examples.problems()})
async def get_fleet(
    caller: Viewer,
    wired: Wired,
    overview: Annotated[FleetOverview, Depends(_overview)],
    label: LabelQuery = [],  # noqa: B006 - FastAPI copies it
    limit: PageLimit = 100,
    cursor: Cursor = None,
) -> FleetPage:
    """Devices by name: last value, last hour, greatest risk, most urgent open incident; some seconds old at most."""
    position = decode("fleet", cursor)
    with refusing_cursor(position):
        found, after = await wired.stores.devices.list(
            caller.tenant, limit=limit, cursor=position, labels=wanted_labels(label)
        )
    return FleetPage(
        items=await overview.look(caller.tenant, found),
        next_cursor=encode("fleet", after) if after else None,
        now=from_millis(wired.clock()),
    )
