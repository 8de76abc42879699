"""Which MQTT topic filters the open streams need, and which of them the broker has confirmed. No I/O."""

import asyncio
from collections.abc import Collection, Iterable

from sensorcast_api.stream.hub import Watch
from sensorcast_common.names import MQTT_ALERTS, MQTT_READINGS


def filters_for(watches: Iterable[Watch]) -> set[str]:
    """The topic filters that cover `watches`.

    A watch of all of a tenant's devices covers each of them, so that no message is delivered twice.
    """
    watches = set(watches)
    fleets = {watch.tenant for watch in watches if watch.device is None}
    filters: set[str] = set()
    for tenant, device in watches:
        if device is not None and tenant in fleets:
            continue
        for template in (MQTT_READINGS, MQTT_ALERTS):
            filters.add(template.format(tenant=tenant, device=device or "+"))
    return filters


class Subscriptions:
    """What the broker has confirmed, for streams that wait for it."""

    def __init__(self) -> None:
        self._confirmed: set[str] = set()
        self._changed = asyncio.Condition()

    @property
    def confirmed(self) -> Collection[str]:
        """The filters that are in force."""
        return self._confirmed

    async def confirm(self, filters: Iterable[str]) -> None:
        """The broker has accepted these."""
        self._confirmed.update(filters)
        async with self._changed:
            self._changed.notify_all()

    def forget(self, filters: Iterable[str] | None = None) -> None:
        """These are no longer in force; all of them where the connection is gone."""
        self._confirmed.difference_update(list(self._confirmed) if filters is None else list(filters))

    def covers(self, watches: Iterable[Watch]) -> bool:
        """Tell whether everything in `watches` is in force."""
        return all(
            template.format(tenant=tenant, device=device or "+") in self._confirmed
            or template.format(tenant=tenant, device="+") in self._confirmed
            for tenant, device in watches
            for template in (MQTT_READINGS, MQTT_ALERTS)
        )

    async def wait_for(self, watches: Collection[Watch], *, seconds: float) -> bool:
        """Wait until `watches` are in force; `False` where that takes too long."""
        try:
            async with asyncio.timeout(seconds), self._changed:
                await self._changed.wait_for(lambda: self.covers(watches))
        except TimeoutError:
            return False
        return True
