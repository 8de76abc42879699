"""Devices: what a tenant has, what each measures, and the last values."""

from fastapi import APIRouter

from sensorcast_api import examples
from sensorcast_api.auth import Viewer
from sensorcast_api.paging import Cursor, Page, PageLimit, decode, encode, refusing_cursor
from sensorcast_api.parameters import DevicePath
from sensorcast_api.ports import Devices
from sensorcast_api.problems import not_found
from sensorcast_api.services import Wired
from sensorcast_common.device import Device

router = APIRouter(prefix="/v1/devices", tags=["devices"])


@router.get("", responses={200: examples.page(examples.DEVICE), **examples.problems()})
async def list_devices(caller: Viewer, wired: Wired, limit: PageLimit = 50, cursor: Cursor = None) -> Page[Device]:
    """The devices by name, with metrics, units and last values (at most five minutes old)."""
    position = decode("devices", cursor)
    with refusing_cursor(position):
        found, after = await wired.stores.devices.list(caller.tenant, limit=limit, cursor=position)
    return Page(items=found, next_cursor=encode("devices", after) if after else None)


@router.get("/{device}", responses={200: examples.shown(examples.DEVICE), **examples.problems(404)})
async def get_device(caller: Viewer, wired: Wired, device: DevicePath) -> Device:
    """One device."""
    return await existing(wired.stores.devices, caller.tenant, device)


async def existing(devices: Devices, tenant: str, device: str) -> Device:
    """The device, if the tenant has it.

    Raises:
        ProblemError: 404 where it has not, whoever else has one of that name.
    """
    found = await devices.get(tenant, device)
    if found is None:
        raise not_found("device")
    return found
