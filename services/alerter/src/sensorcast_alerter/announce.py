"""Takes the notices of the outbox to their channels, and looks again for what is left.

A notice is stored with its transition before it comes here, so nothing is lost that is dropped here: the next sweep
finds it in the table. Of several alerters the one that claims a notice sends it.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from sensorcast_alerter.deliver import Courier
from sensorcast_alerter.metrics import AlerterMetrics
from sensorcast_alerter.notify.bundles import Bundles
from sensorcast_alerter.notify.message import Errand
from sensorcast_alerter.ports import Outbox, Sender
from sensorcast_common import logs
from sensorcast_common.clock import Clock, to_millis
from sensorcast_common.notice import Channel, Notice
from sensorcast_common.stored_incident import StoredIncident

log = logs.logger(__name__)

BACKLOG: Final = 1000
"""Notices of one channel that wait in memory; the rest waits in the table."""


class Announcer:
    """Has a line of notices for each channel, so that one that is away does not hold up the others.

    Args:
        outbox: Where notices are.
        courier: Sends them.
        senders: The channels, each with how many messages it sends at once.
        clock: The present.
        metrics: Counts.
        group_wait: Seconds that a message waits for more of its group.
        backlog: Notices of one channel that wait in memory.
    """

    def __init__(
        self,
        *,
        outbox: Outbox,
        courier: Courier,
        senders: Mapping[Channel, tuple[Sender, int]],
        clock: Clock,
        metrics: AlerterMetrics,
        group_wait: float = 0.0,
        backlog: int = BACKLOG,
    ) -> None:
        self._outbox = outbox
        self._courier = courier
        self._senders = senders
        self._clock = clock
        self._metrics = metrics
        self._bundles = Bundles(senders, wait=group_wait, backlog=backlog)

    def hand_over(self, stored: StoredIncident, notices: Iterable[Notice]) -> None:
        """Send these soon; what is withheld or postponed waits for `sweep` or `release`."""
        for notice in notices:
            if notice.pending and notice.postponed is None:
                self._bundles.add(Errand(stored.incident, notice))

    def release(self, stored: StoredIncident, notice: Notice) -> None:
        """Send what was postponed and need not wait any longer."""
        if notice.held_until is None or to_millis(notice.held_until) <= self._clock():
            self._bundles.add(Errand(stored.incident, notice))

    async def sweep(self, live: Sequence[StoredIncident]) -> None:
        """Take up what is pending in the table: after a restart, a failure, or the end of another alerter."""
        now = self._clock()
        pending = [
            (notice.created_at, stored, notice)
            for stored in live
            for notice in stored.outbox.values()
            if notice.pending
        ]
        self._metrics.pending_notices.set(len(pending))
        for _, stored, notice in sorted(pending, key=lambda each: each[0]):
            if notice.held_until is None or to_millis(notice.held_until) <= now:
                self.hand_over(stored, [notice])
        for stored in live:
            if stored.incident.over and not any(map(_is_pending, stored.outbox.values())):
                await self._outbox.retire(stored.incident, revision=stored.revision)

    async def run(self) -> None:
        """Send until cancelled."""
        async with asyncio.TaskGroup() as workers:
            for channel, (sender, at_once) in self._senders.items():
                for number in range(at_once):
                    workers.create_task(self._work(channel, sender), name=f"{channel} {number}")

    async def drain(self, *, within: float) -> None:
        """Wait until everything handed over has been tried, for `within` seconds at most."""
        try:
            async with asyncio.timeout(within):
                await self._bundles.drained()
        except TimeoutError:
            log.warning("notices stay in the outbox", waiting=self._bundles.waiting)

    async def _work(self, channel: Channel, sender: Sender) -> None:
        while True:
            bundle = await self._bundles.next(channel)
            try:
                await self._courier.carry(bundle, sender)
            except Exception:
                # The table could not be reached. The notices stay in it, and a sweep hands them over again.
                self._metrics.notifications.labels(channel, "outbox_failed").inc()
                log.exception("outbox failed", incident_id=bundle[0].incident.incident_id)
            finally:
                self._bundles.done(channel, bundle)


def _is_pending(notice: Notice) -> bool:
    return notice.pending
