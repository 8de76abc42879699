"""Carries a bundle of notices to its channel: at least once and, short of a crash between send and mark, once."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Final

from sensorcast_alerter.metrics import AlerterMetrics
from sensorcast_alerter.notify.draft import Held
from sensorcast_alerter.notify.group import group_name, worst_severity
from sensorcast_alerter.notify.message import Errand, Message, Writer, sorted_for_message
from sensorcast_alerter.notify.tariff import Tariff
from sensorcast_alerter.notify.wanted import wanted
from sensorcast_alerter.ports import Deliveries, Outbox, Refused, Sender
from sensorcast_alerter.traced import sending
from sensorcast_common import logs
from sensorcast_common.clock import Clock, from_millis, to_millis
from sensorcast_common.errors import Retryable
from sensorcast_common.notice import Channel
from sensorcast_common.tracing import Tracing

log = logs.logger(__name__)

CLAIM_MS: Final = 60_000
"""For how long a claim keeps others from sending."""

SEND_SECONDS: Final = 30.0
"""How long a channel may take; less than a claim lasts, so that two never send at one time."""

FIRST_WAIT_MS: Final = 2_000
LONGEST_WAIT_MS: Final = 300_000

GIVE_UP_MS: Final = 24 * 3_600_000
"""What no channel has taken for this long is refused: nobody is helped by yesterday's alert."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caps:
    """How many SMS may be sent on one day.

    Attributes:
        per_number: To one number.
        per_tenant: By one tenant.
        timezone: Whose midnight begins the day.
    """

    per_number: int = 100
    per_tenant: int = 1000
    timezone: tzinfo = UTC


class Courier:
    """Claims, counts, writes and sends.

    Args:
        outbox: Claims and marks.
        deliveries: Counts and groups.
        writer: Writes the messages.
        clock: The present.
        metrics: Counts.
        caps: How many SMS a day.
        tariff: What SMS cost.
        tracing: Starts the spans.
    """

    def __init__(
        self,
        *,
        outbox: Outbox,
        deliveries: Deliveries,
        writer: Writer,
        clock: Clock,
        metrics: AlerterMetrics,
        caps: Caps,
        tariff: Tariff | None = None,
        tracing: Tracing | None = None,
    ) -> None:
        self._outbox = outbox
        self._deliveries = deliveries
        self._writer = writer
        self._clock = clock
        self._metrics = metrics
        self._caps = caps
        self._tariff = tariff or Tariff()
        self._tracing = tracing or Tracing()
        self._accepted: dict[tuple[str, str], tuple[int, str, int]] = {}

    async def carry(self, bundle: Sequence[Errand], sender: Sender) -> None:
        """Try a bundle; what is not sent now stays in the table.

        Raises:
            Exception: The table could not be reached.
        """
        fresh = []
        for errand in bundle:
            over = wanted(*errand)
            if errand.key in self._accepted:
                await self._mark(errand)
            elif over is not None:
                await self._withhold([errand], Held.OVER, over)
            else:
                fresh.append(errand)
        if not fresh:
            return
        group, tenant, severity = group_name(fresh[0]), fresh[0].incident.tenant, worst_severity(fresh)
        if group is None:
            await self._deliver(fresh, sender)
            return
        now, interval = self._clock(), fresh[0].notice.group_interval * 1000
        if not await self._deliveries.enter(
            tenant, group, now=now, until=now + CLAIM_MS, interval=interval, severity=severity
        ):
            self._metrics.notifications.labels(fresh[0].notice.channel, "waits_for_group").inc()
            return
        sent_at = None
        try:
            sent_at = await self._deliver(fresh, sender)
        finally:
            await self._deliveries.leave(tenant, group, sent_at=sent_at, severity=severity)

    async def _deliver(self, errands: Sequence[Errand], sender: Sender) -> int | None:
        """Claim, count, send and mark; when the channel accepted the message, or `None`."""
        now = self._clock()
        claimed = [errand for errand in errands if await self._outbox.claim(*errand, now=now, until=now + CLAIM_MS)]
        if not claimed:
            self._metrics.notifications.labels(errands[0].notice.channel, "held_by_other").inc()
            return None
        claimed = sorted_for_message(claimed)
        if not await self._within_caps(claimed):
            return None
        message = self._writer.write(claimed, now=now)
        with sending(self._tracing, claimed) as span:
            accepted_at = await self._send(claimed, message, sender)
            span.set_attribute("sensorcast.accepted", accepted_at is not None)
        if accepted_at is None:
            return None
        # Remembered until it is marked: if marking fails, the sweep brings it back here, and not to the channel.
        kept = message.text if claimed[0].notice.channel is Channel.SMS else message.subject
        for errand in claimed:
            self._accepted[errand.key] = (accepted_at, kept, len(claimed))
        for errand in claimed:
            await self._mark(errand)
        return accepted_at

    async def _mark(self, errand: Errand) -> None:
        accepted_at, text, together = self._accepted[errand.key]
        await self._outbox.settle(*errand, now=accepted_at, text=text, together=together)
        self._accepted.pop(errand.key, None)

    async def _within_caps(self, claimed: Sequence[Errand]) -> bool:
        lead = claimed[0]
        if lead.notice.channel is not Channel.SMS or any(errand.notice.counted for errand in claimed):
            return True
        now, caps = self._clock(), self._caps
        day = f"{from_millis(now).astimezone(caps.timezone):%Y-%m-%d}"
        cap = await self._deliveries.count(
            *lead, day=day, per_number=caps.per_number, per_tenant=caps.per_tenant, now=now
        )
        if cap is None:
            return True
        most = caps.per_number if cap == "number" else caps.per_tenant
        held = Held.CAP_NUMBER if cap == "number" else Held.CAP_TENANT
        await self._withhold(claimed, held, f"{most} SMS on {day}")
        return False

    async def _withhold(self, errands: Sequence[Errand], reason: Held, detail: str) -> None:
        for errand in errands:
            incident, notice = errand
            self._metrics.held.labels(reason).inc()
            log.warning(
                "notice withheld",
                reason=reason,
                detail=detail,
                tenant=incident.tenant,
                incident_id=incident.incident_id,
                channel=notice.channel,
            )
            await self._outbox.settle(*errand, now=self._clock(), withheld=f"{reason}: {detail}")

    async def _send(self, claimed: Sequence[Errand], message: Message, sender: Sender) -> int | None:
        """When the channel accepted the message; `None` where it did not."""
        incident, notice = claimed[0]
        told = log.bind(
            tenant=incident.tenant,
            incident_id=incident.incident_id,
            channel=notice.channel,
            together=len(claimed),
            message_id=message.message_id,
        )
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await sender.send(message)
        except Refused as refused:
            self._count(notice.channel, message, "refused")
            told.error("notice refused", reason=refused.reason)
            await self._refuse(claimed, refused.reason)
            return None
        except (Retryable, TimeoutError) as error:
            reason = str(error) or "timeout"
            now = self._clock()
            if now - to_millis(notice.created_at) > GIVE_UP_MS and notice.attempts:
                self._count(notice.channel, message, "refused")
                told.error("notice given up", reason=reason)
                await self._refuse(claimed, f"not accepted within a day: {reason}")
                return None
            wait = min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** min(notice.attempts, 10))
            if isinstance(error, Retryable) and error.after is not None:
                wait = min(LONGEST_WAIT_MS, max(wait, round(error.after * 1000)))
            self._count(notice.channel, message, "failed")
            told.warning("notice not accepted", reason=reason, next_try_in_s=wait / 1000)
            for errand in claimed:
                await self._outbox.postpone(*errand, until=now + wait)
            return None
        now = self._clock()
        self._count(notice.channel, message, "accepted")
        for _, each in claimed:
            if each.ready_at is not None:
                self._metrics.delay.labels(each.channel).observe(max(0, now - to_millis(each.ready_at)) / 1000)
        told.info("notice accepted", occasion=notice.occasion)
        return now

    def _count(self, channel: Channel, message: Message, outcome: str) -> None:
        self._metrics.notifications.labels(channel, outcome).inc()
        if channel is Channel.SMS:
            self._metrics.sms(self._tariff.of(message.address, message.text), outcome)

    async def _refuse(self, claimed: Sequence[Errand], reason: str) -> None:
        for errand in claimed:
            await self._outbox.settle(*errand, now=self._clock(), refused=reason)
