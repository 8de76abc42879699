"""Devices: what a tenant has, what each measures, the last values, and what people call them and sort them by."""

from typing import Annotated, Final

from fastapi import APIRouter, Header, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from sensorcast_api import examples
from sensorcast_api.auth import Operator, Viewer
from sensorcast_api.conditions import IF_MATCH_PATTERN, conflict, etag, version_of
from sensorcast_api.paging import Cursor, Page, PageLimit, decode, encode, refusing_cursor
from sensorcast_api.parameters import DevicePath, LabelQuery, wanted_labels
from sensorcast_api.ports import Devices
from sensorcast_api.problems import ProblemError, invalid, not_found
from sensorcast_api.quick_route import QuickRoute
from sensorcast_api.services import Wired
from sensorcast_common.device import Device
from sensorcast_common.errors import Retryable
from sensorcast_common.tables.device_labels import LabelConflict, Unchanged

router = APIRouter(prefix="/v1/devices", tags=["devices"], route_class=QuickRoute)

MOST_LABELS: Final = 16

LabelName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]
LabelValue = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]*$")
]
DeviceName = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f]*$")
]

_ETAG_HEADER: Final = {"ETag": "Version of name and labels, to be sent as If-Match when they are changed."}

IfMatch = Annotated[
    str | None,
    Header(
        description='The ETag of the labels to change, e.g. `"3"`; leave out to change any.',
        json_schema_extra={"pattern": IF_MATCH_PATTERN},
    ),
]


class Labels(BaseModel):
    """What people call a device, and its labels.

    Attributes:
        name: What people call it; null where nobody has named it.
        labels: By name, such as `site`, `vehicle` or `product`.
    """

    name: str | None = None
    labels: dict[str, str]


class LabelChanges(BaseModel):
    """Changes of name and labels, as a JSON Merge Patch (RFC 7396): null takes one away, what is left out stays.

    Attributes:
        name: What people are to call the device.
        labels: By name the new value.
    """

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"name": "Milk truck 7", "labels": {"site": "north", "product": None}}]},
    )

    name: DeviceName | None = None
    labels: Annotated[dict[LabelName, LabelValue | None], Field(max_length=MOST_LABELS)] = {}


_LABELS: Final = Labels(name=examples.DEVICE.name, labels=examples.DEVICE.labels)


@router.get("", responses={200: examples.page(examples.DEVICE), **examples.problems()})
async def list_devices(
    caller: Viewer,
    wired: Wired,
    label: LabelQuery = [],  # noqa: B006 - FastAPI copies it
    limit: PageLimit = 50,
    cursor: Cursor = None,
) -> Page[Device]:
    """The devices by name, with metrics, units and last values (at most five minutes old)."""
    position = decode("devices", cursor)
    with refusing_cursor(position):
        found, after = await wired.stores.devices.list(
            caller.tenant, limit=limit, cursor=position, labels=wanted_labels(label)
        )
    return Page(items=found, next_cursor=encode("devices", after) if after else None)


@router.get("/{device}", responses={200: examples.shown(examples.DEVICE), **examples.problems(404)})
async def get_device(caller: Viewer, wired: Wired, device: DevicePath) -> Device:
    """One device."""
    return await existing(wired.stores.devices, caller.tenant, device)


@router.get(
    "/{device}/labels", responses={200: examples.shown(_LABELS, headers=_ETAG_HEADER), **examples.problems(404)}
)
async def get_labels(caller: Viewer, wired: Wired, device: DevicePath, response: Response) -> Labels:
    """Name and labels of a device."""
    return _labels(await existing(wired.stores.devices, caller.tenant, device), response)


@router.patch(
    "/{device}/labels",
    responses={200: examples.shown(_LABELS, headers=_ETAG_HEADER), **examples.problems(403, 404, 412, 503)},
)
async def patch_labels(
    caller: Operator, wired: Wired, device: DevicePath, body: LabelChanges, response: Response, if_match: IfMatch = None
) -> Labels:
    """Set name and labels of a device, take away what is null. What the device sends never changes them."""
    expected = version_of(if_match)
    known = await existing(wired.stores.devices, caller.tenant, device)
    if len({**known.labels, **body.labels}) - list(body.labels.values()).count(None) > MOST_LABELS:
        raise invalid("body", "labels", f"a device has {MOST_LABELS} labels at most")
    try:
        changed = await wired.stores.labels.change(
            caller.tenant,
            device,
            body.labels,
            name=body.name if "name" in body.model_fields_set else Unchanged.NAME,
            expected=expected,
        )
    except LabelConflict as error:
        raise conflict("device's labels", error.version) from error
    except Retryable as error:
        raise ProblemError(503, "Others change these labels too; try again.", headers={"Retry-After": "1"}) from error
    if changed is None:
        raise not_found("device")
    return _labels(changed, response)


def _labels(device: Device, response: Response) -> Labels:
    response.headers["ETag"] = etag(device.labels_version)
    return Labels(name=device.name, labels=device.labels)


async def existing(devices: Devices, tenant: str, device: str) -> Device:
    """The device, if the tenant has it.

    Raises:
        ProblemError: 404 where it has not, whoever else has one of that name.
    """
    found = await devices.get(tenant, device)
    if found is None:
        raise not_found("device")
    return found
