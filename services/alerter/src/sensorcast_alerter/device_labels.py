"""The labels of devices, read again every minute, and only for tenants whose contacts look at them."""

from collections.abc import Collection, Mapping
from typing import Final

from sensorcast_common.tables.devices import DevicesTable

FRESH_MS: Final = 60_000
_PAGE: Final = 1000


class DeviceLabels:
    """Reads table `devices`.

    Args:
        devices: The table.
    """

    def __init__(self, devices: DevicesTable) -> None:
        self._devices = devices
        self._labels: dict[tuple[str, str], Mapping[str, str]] = {}
        self._read: dict[str, int] = {}

    async def of(self, tenants: Collection[str], *, now: int) -> Mapping[tuple[str, str], Mapping[str, str]]:
        """Labels by tenant and device, at most a minute old."""
        for tenant in tenants:
            if now - self._read.get(tenant, 0) >= FRESH_MS:
                await self._read_again(tenant)
                self._read[tenant] = now
        return self._labels

    async def _read_again(self, tenant: str) -> None:
        found: dict[tuple[str, str], Mapping[str, str]] = {}
        cursor: str | None = None
        while True:
            devices, cursor = await self._devices.list(tenant, limit=_PAGE, cursor=cursor)
            found |= {(tenant, each.device): each.labels for each in devices if each.labels}
            if cursor is None:
                break
        others = {key: labels for key, labels in self._labels.items() if key[0] != tenant}
        self._labels = others | found
