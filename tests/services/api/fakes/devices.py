"""Devices, their labels and their readings, in memory."""

from collections.abc import Callable, Collection, Mapping, Sequence
from types import MappingProxyType

from sensorcast_api import examples
from sensorcast_api.ports import Devices, Labels, Readings
from sensorcast_common.device import Device
from sensorcast_common.tables.device_labels import LabelConflict, Unchanged
from sensorcast_common.tables.hot_chunk import SeriesColumns


class FakeDevices(Devices):
    def __init__(self) -> None:
        self.items: dict[tuple[str, str], Device] = {}

    def put(self, tenant: str, device: str) -> None:
        self.items[tenant, device] = examples.DEVICE.model_copy(update={"tenant": tenant, "device": device})

    async def list(
        self, tenant: str, *, limit: int, cursor: str | None, labels: Mapping[str, str] = MappingProxyType({})
    ) -> tuple[Sequence[Device], str | None]:
        if cursor == "broken":
            raise ValueError("cursor: not one of ours")
        found = [self.items[key] for key in sorted(self.items) if key[0] == tenant and key[1] > (cursor or "")]
        found = [device for device in found if labels.items() <= device.labels.items()]
        return found[:limit], found[limit - 1].device if len(found) > limit else None

    async def get(self, tenant: str, device: str) -> Device | None:
        return self.items.get((tenant, device))


class FakeLabels(Labels):
    def __init__(self, devices: FakeDevices) -> None:
        self.items = devices.items

    async def change(
        self,
        tenant: str,
        device: str,
        changes: Mapping[str, str | None],
        *,
        name: str | Unchanged | None = Unchanged.NAME,
        expected: int | None = None,
    ) -> Device | None:
        known = self.items.get((tenant, device))
        if known is None:
            return None
        if expected is not None and expected != known.labels_version:
            raise LabelConflict(known.labels_version)
        labels = {label: value for label, value in {**known.labels, **changes}.items() if value is not None}
        called = known.name if name is Unchanged.NAME else name
        update = {"name": called, "labels": labels, "labels_version": known.labels_version + 1}
        self.items[tenant, device] = known.model_copy(update=update)
        return self.items[tenant, device]


class FakeReadings(Readings):
    def __init__(self) -> None:
        self.points: dict[tuple[str, str, str], dict[int, float]] = {}
        self.unit: Callable[[int], str] = lambda _: "Cel"
        self.widest = 0

    def put(self, tenant: str, device: str, ts: int, value: float, metric: str = "temperature") -> None:
        self.points.setdefault((tenant, device, metric), {})[ts] = value

    async def read(
        self, tenant: str, device: str, *, start: int, end: int, metrics: Collection[str] | None = None
    ) -> Mapping[str, SeriesColumns]:
        self.widest = max(self.widest, end - start)
        found: dict[str, SeriesColumns] = {}
        for (of, name, metric), points in self.points.items():
            if (of, name) != (tenant, device) or (metrics is not None and metric not in metrics):
                continue
            inside = sorted(ts for ts in points if start <= ts < end)
            if inside:
                unit = self.unit(inside[-1])
                inside = [ts for ts in inside if self.unit(ts) == unit]
                found[metric] = SeriesColumns(ts=inside, value=[points[ts] for ts in inside], unit=unit)
        return found
