"""Looks at the tables every few seconds: rules, what other alerters did, what ran out, what is still to be sent."""

import asyncio

from sensorcast_alerter.dispatch import Dispatch
from sensorcast_alerter.metrics import AlerterMetrics
from sensorcast_common import logs
from sensorcast_common.health import Heartbeat
from sensorcast_rules.ports import Incidents, Rules
from sensorcast_rules.rules_index import RulesIndex
from sensorcast_rules.watchroom import Watchroom

log = logs.logger(__name__)


class Sweep:
    """One look at the tables, or one again and again.

    Args:
        rules: Where rules come from.
        incidents: Where incidents are kept.
        watchroom: Whose rules and incidents are brought up to date.
        dispatch: Who tells people what time alone brings, and takes up pending notices.
        metrics: Counts.
    """

    def __init__(
        self,
        *,
        rules: Rules,
        incidents: Incidents,
        watchroom: Watchroom,
        dispatch: Dispatch,
        metrics: AlerterMetrics,
    ) -> None:
        self._rules = rules
        self._incidents = incidents
        self._watchroom = watchroom
        self._dispatch = dispatch
        self._metrics = metrics

    async def once(self) -> None:
        """Look at everything.

        Incidents are read before rules, so that one another alerter has just opened never finds its rule missing.

        Raises:
            Exception: The tables cannot be read.
        """
        live = [stored async for stored in self._incidents.live()]
        index = RulesIndex([rule async for rule in self._rules.every()])
        await self._watchroom.follow(index)
        await self._watchroom.reconcile(live)
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
