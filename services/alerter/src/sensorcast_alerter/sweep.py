"""Looks at the tables every few seconds: rules, what other alerters did, what ran out, what is still to be sent."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final, Protocol

from sensorcast_alerter.dispatch import Dispatch
from sensorcast_alerter.metrics import AlerterMetrics
from sensorcast_common import logs
from sensorcast_common.clock import Clock
from sensorcast_common.device import Device
from sensorcast_common.health import Heartbeat
from sensorcast_rules.ports import Incidents, Rules
from sensorcast_rules.rules_index import RulesIndex
from sensorcast_rules.watchroom import Watchroom

log = logs.logger(__name__)


DEVICES_EVERY_MS: Final = 60_000
"""How often the devices are read again, where a rule needs to know them."""

DEVICES_SINCE_MS: Final = 7 * 86_400_000
"""Devices that sent nothing for longer than this are not missed."""


class Devices(Protocol):
    """Where devices come from."""

    def active(self, since_ms: int) -> AsyncIterator[Device]:
        """The devices of all tenants that were heard of since a time."""
        ...


class Sweep:
    """One look at the tables, or one again and again.

    Args:
        rules: Where rules come from.
        incidents: Where incidents are kept.
        watchroom: Whose rules and incidents are brought up to date.
        dispatch: Who tells people what time alone brings, and takes up pending notices.
        metrics: Counts.
        devices: Where devices come from.
        clock: The present.
    """

    def __init__(
        self,
        *,
        rules: Rules,
        incidents: Incidents,
        watchroom: Watchroom,
        dispatch: Dispatch,
        metrics: AlerterMetrics,
        devices: Devices,
        clock: Clock,
    ) -> None:
        self._rules = rules
        self._incidents = incidents
        self._watchroom = watchroom
        self._dispatch = dispatch
        self._metrics = metrics
        self._devices = devices
        self._clock = clock
        self._devices_read = 0

    async def once(self) -> None:
        """Look at everything.

        Incidents are read before rules, so that one another alerter has just opened never finds its rule missing.

        Raises:
            Exception: The tables cannot be read.
        """
        live = [stored async for stored in self._incidents.live()]
        index = RulesIndex([rule async for rule in self._rules.every()])
        changed = await self._watchroom.follow(index)
        if index.needs_devices and (changed or self._clock() - self._devices_read >= DEVICES_EVERY_MS):
            since = self._clock() - DEVICES_SINCE_MS
            await self._watchroom.meet([device async for device in self._devices.active(since)])
            self._devices_read = self._clock()
        await self._watchroom.reconcile(live)
        await self._watchroom.look_around()
        await self._dispatch.sweep(live)

    async def forever(self, *, every: float, heartbeat: Heartbeat) -> None:
        """Look every `every` seconds; while the tables are away, what is known stays in force."""
        while True:
            await asyncio.sleep(every)
            try:
                await self.once()
            except Exception:
                self._metrics.sweep_failures.inc()
                log.exception("sweep failed")
            else:
                heartbeat.beat()
