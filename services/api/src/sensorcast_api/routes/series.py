"""Series: each metric of each device, with its unit and its latest value."""

from collections.abc import Iterator
from typing import Annotated, Final

from fastapi import APIRouter, Query
from pydantic import BaseModel

from sensorcast_api import examples
from sensorcast_api.auth import Viewer
from sensorcast_api.paging import Cursor, Page, PageLimit, decode, encode, refusing_cursor
from sensorcast_api.parameters import NAME_PATTERN, LabelQuery, Name, wanted_labels
from sensorcast_api.quick_route import QuickRoute
from sensorcast_api.services import Wired
from sensorcast_common.clock import UtcDatetime
from sensorcast_common.device import Device

router = APIRouter(prefix="/v1/series", tags=["series"], route_class=QuickRoute)

_START: Final = "-"
_DEVICES_AT_ONCE: Final = 100


class Series(BaseModel):
    """One metric of one device.

    Attributes:
        device: Whose.
        name: What people call the device; null where nobody has named it.
        metric: Which.
        unit: SenML unit.
        last_ts: Time of the latest reading, at most five minutes old.
        last_value: Its value.
        labels: Of the device.
    """

    device: str
    name: str | None = None
    metric: str
    unit: str
    last_ts: UtcDatetime
    last_value: float
    labels: dict[str, str]


_STATE: Final = examples.DEVICE.metrics["temperature"]
_EXAMPLE: Final = Series(
    device=examples.DEVICE.device,
    name=examples.DEVICE.name,
    metric="temperature",
    unit=_STATE.unit,
    last_ts=_STATE.last_ts,
    last_value=_STATE.last_value,
    labels=examples.DEVICE.labels,
)


@router.get("", responses={200: examples.page(_EXAMPLE), **examples.problems()})
async def list_series(
    caller: Viewer,
    wired: Wired,
    metric: Annotated[
        Name | None,
        Query(description="Only series of this metric.", json_schema_extra={"pattern": NAME_PATTERN}),
    ] = None,
    label: LabelQuery = [],  # noqa: B006 - FastAPI copies it
    limit: PageLimit = 100,
    cursor: Cursor = None,
) -> Page[Series]:
    """Series by device and metric."""
    place, _, passed = (decode("series", cursor) or f"{_START} ").partition(" ")
    found: list[Series] = []
    labels = wanted_labels(label)
    while True:
        at = None if place == _START else place
        with refusing_cursor(at):
            # A device has at least one metric, so as many devices as series are enough.
            devices, after = await wired.stores.devices.list(
                caller.tenant, limit=min(_DEVICES_AT_ONCE, limit + 1), cursor=at, labels=labels
            )
        for device in devices:
            for series in _of(device, metric):
                if not (series.device, series.metric) > _passed(passed):
                    continue
                if len(found) == limit:
                    last = found[-1]
                    return Page(items=found, next_cursor=encode("series", f"{place} {last.device} {last.metric}"))
                found.append(series)
        if after is None:
            return Page(items=found)
        place = after


def _passed(text: str) -> tuple[str, str]:
    """The series that the page before ended with."""
    device, _, metric = text.partition(" ")
    return device, metric


def _of(device: Device, metric: str | None) -> Iterator[Series]:
    for name, state in sorted(device.metrics.items()):
        if metric in (None, name):
            yield Series(
                device=device.device,
                name=device.name,
                metric=name,
                unit=state.unit,
                last_ts=state.last_ts,
                last_value=state.last_value,
                labels=device.labels,
            )
