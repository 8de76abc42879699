"""Drives a fleet along the clock: what lies in the past is sent packed and at once, then one reading at a time."""

import asyncio
import contextlib
from collections.abc import Callable
from enum import StrEnum
from typing import Final, Protocol

from sensorcast_common.clock import Clock
from sensorcast_local.fleet.fleet import Fleet, Sample
from sensorcast_local.fleet.messages import Message, encode, packed
from sensorcast_local.fleet.progress import Progress
from sensorcast_local.fleet.truck import STEP

HISTORY_EVERY: Final = 60
"""Seconds between two samples of the past."""

HISTORY_BLOCK: Final = 3600
"""Seconds of the past in one message: 60 samples of four metrics are some 6 KiB."""

SUSPENDED: Final = 60
"""Seconds behind the clock from which on the past is packed again: the machine slept."""


class Sender(Protocol):
    """Where messages go; `sensorcast_local.publisher.Publisher` is one."""

    async def send(self, topic: str, payload: bytes, *, readings: int) -> None:
        """Send, sooner or later."""

    async def drain(self) -> None:
        """Return when all is acknowledged."""


class Phase(StrEnum):
    """What the fleet is doing."""

    HISTORY = "history"
    LIVE = "live"


class Drive:
    """A fleet on its way.

    Args:
        fleet: Where it stands.
        tenant: Whose it is.
        live_from: When it first went live, for its progress.
        sender: Where its readings go.
        clock: The present, ms.
        save: Called with the progress whenever everything before it is acknowledged.
        sent_to: Samples up to this time, ms, have been sent before.

    Attributes:
        phase: `history` until the present is reached.
    """

    def __init__(
        self,
        fleet: Fleet,
        *,
        tenant: str,
        live_from: int,
        sender: Sender,
        clock: Clock,
        save: Callable[[Progress], None],
        sent_to: int = 0,
    ) -> None:
        self._fleet = fleet
        self._tenant = tenant
        self._live_from = live_from
        self._sender = sender
        self._clock = clock
        self._save = save
        self._sent_to = sent_to
        self._stop = asyncio.Event()
        self._settled = self._progress()
        self.phase = Phase.HISTORY

    def request_stop(self) -> None:
        """Let `run` return soon, with all that was sent acknowledged and the progress saved."""
        self._stop.set()

    async def run(self) -> None:
        """Catch up, then stay with the clock until a stop is requested.

        Raises:
            BrokerError: As the sender does.
        """
        while not self._stop.is_set():
            if self._behind() > SUSPENDED or self.phase is Phase.HISTORY:
                await self._catch_up()
            else:
                await self._one_step()

    async def _catch_up(self) -> None:
        while self._behind() >= STEP and not self._stop.is_set():
            at, present = self._fleet.at, self._clock() // 1000
            until = min(present - present % STEP, at + HISTORY_BLOCK - at % HISTORY_BLOCK)
            rounds = (self._unsent(samples) for samples in self._fleet.run(until=until, every=HISTORY_EVERY))
            for message in packed(self._tenant, rounds):
                await self._publish(message)
            await self._settle()
        if self._behind() < STEP:
            self.phase = Phase.LIVE

    async def _one_step(self) -> None:
        for samples in self._fleet.run(until=self._fleet.at + STEP, every=STEP):
            for sample in self._unsent(samples):
                if await self._stopped_before(sample.ts):
                    # The next run begins this step again and leaves out what has been sent of it.
                    await self._sender.drain()
                    self._save(self._settled.model_copy(update={"sent_to": self._sent_to}))
                    return
                await self._publish(encode(self._tenant, sample.device, [sample]))
                self._sent_to = sample.ts
        await self._settle()

    async def _settle(self) -> None:
        await self._sender.drain()
        self._settled = self._progress()
        self._save(self._settled)

    async def _publish(self, message: Message) -> None:
        if message.readings:
            await self._sender.send(message.topic, message.payload, readings=message.readings)

    async def _stopped_before(self, ts: int) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, (ts - self._clock()) / 1000)):
                await self._stop.wait()
        return self._stop.is_set()

    def _unsent(self, samples: list[Sample]) -> list[Sample]:
        return [sample for sample in samples if sample.ts > self._sent_to]

    def _behind(self) -> int:
        return self._clock() // 1000 - self._fleet.at

    def _progress(self) -> Progress:
        return Progress.of(self._fleet, live_from=self._live_from, sent_to=self._sent_to)
