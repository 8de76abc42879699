"""What the API needs to know of devices."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from sensorcast_common.device import Device
from sensorcast_common.tables.device_labels import Unchanged


class Devices(Protocol):
    """The devices of a tenant."""

    async def list(
        self, tenant: str, *, limit: int, cursor: str | None, labels: Mapping[str, str] = ...
    ) -> tuple[Sequence[Device], str | None]:
        """One page by name of those with all of these labels, and where the next one begins."""
        ...

    async def get(self, tenant: str, device: str) -> Device | None:
        """One device."""
        ...


class Labels(Protocol):
    """The names and labels of devices."""

    async def change(
        self,
        tenant: str,
        device: str,
        changes: Mapping[str, str | None],
        *,
        name: str | Unchanged | None = ...,
        expected: int | None = None,
    ) -> Device | None:
        """Change labels and name; `None` where there is no such device; raises `LabelConflict`, `Retryable`."""
        ...
