"""Sends the notices of the outbox: at least once and, short of a crash between send and mark, once.

A notice is stored with its transition before it comes here, so nothing is lost that is dropped here: the next sweep
finds it in the table. Of several alerters the one that claims a notice sends it.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from sensorcast_alerter.metrics import AlerterMetrics
from sensorcast_alerter.ports import Outbox, Refused, Sender
from sensorcast_common import logs
from sensorcast_common.clock import Clock, to_millis
from sensorcast_common.errors import Retryable
from sensorcast_common.incident import Channel, Incident, Notice
from sensorcast_common.tables.incidents import StoredIncident

log = logs.logger(__name__)

BACKLOG: Final = 1000
"""Notices of one channel that wait in memory; the rest waits in the table."""

CLAIM_MS: Final = 60_000
"""For how long a claim keeps others from sending."""

SEND_SECONDS: Final = 30.0
"""How long a channel may take; less than a claim lasts, so that two never send at one time."""

FIRST_WAIT_MS: Final = 2_000
LONGEST_WAIT_MS: Final = 300_000

_Key = tuple[str, str]


class _Errand(NamedTuple):
    incident: Incident
    notice: Notice

    @property
    def key(self) -> _Key:
        return self.incident.incident_id, self.notice.key


class Announcer:
    """Has a line of notices for each channel, so that one that is away does not hold up the other.

    Args:
        outbox: Claims and marks.
        senders: The channels, each with how many notices it sends at once.
        clock: The present.
        metrics: Counts.
        backlog: Notices of one channel that wait in memory.
    """

    def __init__(
        self,
        *,
        outbox: Outbox,
        senders: Mapping[Channel, tuple[Sender, int]],
        clock: Clock,
        metrics: AlerterMetrics,
        backlog: int = BACKLOG,
    ) -> None:
        self._outbox = outbox
        self._senders = senders
        self._clock = clock
        self._metrics = metrics
        self._lines: dict[Channel, asyncio.Queue[_Errand]] = {
            channel: asyncio.Queue(maxsize=backlog) for channel in senders
        }
        self._waiting: set[_Key] = set()
        self._accepted: dict[_Key, int] = {}

    def hand_over(self, stored: StoredIncident, notices: Iterable[Notice]) -> None:
        """Send these soon. What finds no room, or has no channel here, stays in the table."""
        for notice in notices:
            errand = _Errand(stored.incident, notice)
            line = self._lines.get(notice.channel)
            if line is None or line.full() or errand.key in self._waiting:
                continue
            self._waiting.add(errand.key)
            line.put_nowait(errand)

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
                    workers.create_task(self._work(self._lines[channel], sender), name=f"{channel} {number}")

    async def drain(self, *, within: float) -> None:
        """Wait until everything handed over has been tried, for `within` seconds at most."""
        try:
            async with asyncio.timeout(within):
                for line in self._lines.values():
                    await line.join()
        except TimeoutError:
            log.warning("notices stay in the outbox", waiting=len(self._waiting))

    async def _work(self, line: "asyncio.Queue[_Errand]", sender: Sender) -> None:
        while True:
            errand = await line.get()
            try:
                await self._run_errand(errand, sender)
            except Exception:
                # The table could not be reached. The notice stays in it, and a sweep hands it over again.
                self._metrics.notifications.labels(errand.notice.channel, "outbox_failed").inc()
                log.exception("outbox failed", incident_id=errand.incident.incident_id)
            finally:
                self._waiting.discard(errand.key)
                line.task_done()

    async def _run_errand(self, errand: _Errand, sender: Sender) -> None:
        incident, notice = errand
        accepted_at = self._accepted.get(errand.key)
        if accepted_at is None:
            now = self._clock()
            if not await self._outbox.claim(incident, notice, now=now, until=now + CLAIM_MS):
                self._metrics.notifications.labels(notice.channel, "held_by_other").inc()
                return
            accepted_at = await self._send(errand, sender)
            if accepted_at is None:
                return
            # Remembered until it is marked: if marking fails, the sweep brings it back here, and not to the channel.
            self._accepted[errand.key] = accepted_at
        await self._outbox.settle(incident, notice, now=accepted_at)
        self._accepted.pop(errand.key, None)

    async def _send(self, errand: _Errand, sender: Sender) -> int | None:
        """When the channel accepted the notice; `None` where it did not."""
        incident, notice = errand
        told = log.bind(tenant=incident.tenant, incident_id=incident.incident_id, channel=notice.channel)
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await sender.send(notice)
        except Refused as refused:
            self._metrics.notifications.labels(notice.channel, "refused").inc()
            told.error("notice refused", reason=refused.reason)
            await self._outbox.settle(incident, notice, now=self._clock(), refused=refused.reason)
            return None
        except (Retryable, TimeoutError) as error:
            wait = min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** min(notice.attempts, 10))
            self._metrics.notifications.labels(notice.channel, "failed").inc()
            told.warning("notice not accepted", reason=str(error) or "timeout", next_try_in_s=wait / 1000)
            await self._outbox.postpone(incident, notice, until=self._clock() + wait)
            return None
        now = self._clock()
        self._metrics.notifications.labels(notice.channel, "accepted").inc()
        if notice.ready_at is not None:
            self._metrics.delay.labels(notice.channel).observe(max(0, now - to_millis(notice.ready_at)) / 1000)
        told.info("notice accepted", occasion=notice.occasion)
        return now


def _is_pending(notice: Notice) -> bool:
    return notice.pending
