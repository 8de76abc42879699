"""Holds batches until both the hot store and the lake have them.

Each store writes on its own rhythm, and again and again until it succeeds. Memory is bounded: once too much waits,
`room` waits before more is taken, so that messages stay in the queue.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from enum import StrEnum
from typing import Final, NamedTuple, Protocol, TypeVar

from sensorcast_archiver.accept import Accepted, HotBatch, accept
from sensorcast_archiver.accumulate import Pending
from sensorcast_archiver.lake.write import Committed, LakeBatch
from sensorcast_archiver.metrics import ArchiverMetrics
from sensorcast_common import logs
from sensorcast_common.batch import ReadingBatch
from sensorcast_common.clock import Clock, system_clock

log = logs.logger(__name__)

_FIRST_WAIT: Final = 0.5
_LONGEST_WAIT: Final = 30.0
_LATELY: Final = 60.0

B = TypeVar("B", HotBatch, LakeBatch)


class HotPort(Protocol):
    """The hot store; writing again changes nothing."""

    async def write(self, batches: Sequence[HotBatch]) -> None:
        """Return once the batches are stored; whatever is raised, the same is written again."""


class LakePort(Protocol):
    """The lake; committing again adds nothing."""

    async def commit(self, batches: Sequence[LakeBatch]) -> Committed:
        """Return once the batches are stored; whatever is raised, the same is committed again."""


class Store(StrEnum):
    """Where a batch has to be before its message may go."""

    HOT = "hot"
    LAKE = "lake"


class Limits(NamedTuple):
    """When to write.

    Attributes:
        hot_seconds: Write to the hot store this long after the first reading came.
        hot_readings: Or once so many wait.
        lake_seconds: Commit to the lake this long after the first reading came.
        lake_bytes: Or once so much waits.
        lake_batches: Or once so many batches wait.
        held_bytes: Take no more while this much is not stored yet.
        renew_seconds: Write to the hot store again what the lake has not taken for so long, so that it does not expire
            there before.
    """

    hot_seconds: float = 10.0
    hot_readings: int = 50_000
    lake_seconds: float = 60.0
    lake_bytes: int = 64 * 1024 * 1024
    lake_batches: int = 1_000
    held_bytes: int = 128 * 1024 * 1024
    renew_seconds: float = 3.5 * 86_400


OnStored = Callable[[Store], None]
"""Told when a store holds a batch."""


def _nobody(store: Store) -> None:
    del store


class _Entry:
    def __init__(self, accepted: Accepted, done: "asyncio.Future[None]", on_stored: OnStored) -> None:
        self.oldest_received = accepted.oldest_received
        self.bytes = accepted.lake.rows.nbytes
        self.missing = set(Store)
        self.hot = accepted.hot
        self.hot_since: float | None = None
        self.done = done
        self.on_stored = on_stored


class Archive:
    """Brings batches into both stores.

    Args:
        hot: The hot store.
        lake: The lake.
        limits: When to write.
        metrics: What is counted.
        clock: Milliseconds since 1970 UTC.
        monotonic: Seconds on a clock that never goes back.
    """

    def __init__(
        self,
        *,
        hot: HotPort,
        lake: LakePort,
        limits: Limits,
        metrics: ArchiverMetrics,
        clock: Clock = system_clock,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._hot = hot
        self._lake = lake
        self._limits = limits
        self._metrics = metrics
        self._clock = clock
        self._monotonic = monotonic
        self._for_hot = Pending[HotBatch](
            seconds=limits.hot_seconds, weight=limits.hot_readings, count=limits.lake_batches
        )
        self._for_lake = Pending[LakeBatch](
            seconds=limits.lake_seconds, weight=limits.lake_bytes, count=limits.lake_batches
        )
        self._entries: dict[str, _Entry] = {}
        self._held_bytes = 0
        self._room = asyncio.Event()
        self._room.set()
        self._changed = {store: asyncio.Event() for store in Store}
        self._trouble: dict[Store, BaseException] = {}
        self._last_taken: tuple[float, int] | None = None

    def behind(self) -> tuple[int | None, int | None]:
        """Receipt (ms) of the oldest reading that the lake lacks, and of the batch taken within the last minute."""
        held = min(
            (each.oldest_received for each in self._entries.values() if Store.LAKE in each.missing), default=None
        )
        if self._last_taken is None or self._monotonic() - self._last_taken[0] > _LATELY:
            return held, None
        return held, self._last_taken[1]

    async def room(self) -> None:
        """Wait while too much is held; to be awaited before a message is even unpacked."""
        while self._held_bytes >= self._limits.held_bytes:
            self._room.clear()
            await self._room.wait()

    async def hold(self, batch: ReadingBatch, *, on_stored: OnStored = _nobody, trace: str | None = None) -> None:
        """Return once both stores have the batch. The same batch may be held twice at a time; it is stored once.

        Args:
            batch: The batch.
            on_stored: Told of each store that holds it; of a batch that is held twice only the first caller is told.
            trace: The traceparent of its handling, if that is recorded; it is kept with the readings for a while.

        Raises:
            Poison: No store could hold it.
        """
        accepted = accept(batch, trace=trace)
        batch_id = accepted.lake.batch_id
        entry = self._entries.get(batch_id)
        if entry is None:
            entry = self._enter(batch_id, accepted, on_stored)
        else:
            self._metrics.skipped("held")
        del accepted, batch
        # Whoever waits may be cancelled; the batch is held on, for it may be on its way into the lake.
        await asyncio.shield(entry.done)

    def hurry(self) -> None:
        """From now on write whatever comes at once: the service is about to stop."""
        self._for_hot.hurry()
        self._for_lake.hurry()
        for changed in self._changed.values():
            changed.set()

    async def run_hot(self) -> None:
        """Write to the hot store until cancelled."""
        await self._run(Store.HOT, self._for_hot, self._hot.write)

    async def run_lake(self) -> None:
        """Commit to the lake until cancelled."""

        async def commit(batches: Sequence[LakeBatch]) -> None:
            self._metrics.committed(await self._lake.commit(batches))

        await self._run(Store.LAKE, self._for_lake, commit)

    async def run_renewals(self) -> None:
        """Keep in the hot store what the lake has not taken yet, until cancelled."""
        while True:
            await asyncio.sleep(self._limits.renew_seconds / 10)
            now = self._monotonic()
            for entry in self._entries.values():
                if entry.hot_since is not None and now - entry.hot_since >= self._limits.renew_seconds:
                    entry.hot_since = None
                    self._for_hot.add(entry.hot, weight=len(entry.hot.rows), now=now)
                    self._changed[Store.HOT].set()

    async def check(self, store: Store) -> None:
        """Return where the last write to `store` succeeded.

        Raises:
            ConnectionError: It failed; the message says why.
        """
        if store in self._trouble:
            raise ConnectionError(f"writing fails: {self._trouble[store]}")

    def _enter(self, batch_id: str, accepted: Accepted, on_stored: OnStored) -> _Entry:
        entry = self._entries[batch_id] = _Entry(accepted, asyncio.get_running_loop().create_future(), on_stored)
        now = self._monotonic()
        self._last_taken = (now, accepted.oldest_received)
        self._for_hot.add(accepted.hot, weight=len(accepted.hot.rows), now=now)
        self._for_lake.add(accepted.lake, weight=entry.bytes, now=now)
        self._hold_bytes(entry.bytes)
        self._metrics.accepted(len(accepted.hot.rows))
        for changed in self._changed.values():
            changed.set()
        return entry

    async def _run(self, store: Store, pending: Pending[B], write: Callable[[Sequence[B]], Awaitable[None]]) -> None:
        while True:
            await self._until_due(store, pending)
            batches = pending.take()
            await self._write(store, batches, write)
            for batch in batches:
                self._stored(store, batch.batch_id)

    async def _until_due(self, store: Store, pending: Pending[B]) -> None:
        changed = self._changed[store]
        while (due := pending.due_in(self._monotonic())) is None or due > 0:
            changed.clear()
            try:
                async with asyncio.timeout(due):
                    await changed.wait()
            except TimeoutError:
                continue

    async def _write(self, store: Store, batches: Sequence[B], write: Callable[[Sequence[B]], Awaitable[None]]) -> None:
        failed = 0
        while True:
            began = self._monotonic()
            try:
                await write(batches)
            except Exception as error:
                # Whatever it is, these readings are not stored yet, and their messages stay until they are.
                failed += 1
                pause = random.uniform(0.5, 1) * min(_LONGEST_WAIT, _FIRST_WAIT * 2.0 ** min(failed, 10))  # noqa: S311
                self._trouble[store] = error
                self._metrics.failed(store)
                log.warning(
                    "write failed", store=store, times=failed, next_in=round(pause, 1), error=repr(error)[:1000]
                )
                log.debug("write failed", exc_info=True)
                await asyncio.sleep(pause)
            else:
                self._trouble.pop(store, None)
                self._metrics.wrote(store, seconds=self._monotonic() - began)
                return

    def _stored(self, store: Store, batch_id: str) -> None:
        entry = self._entries.get(batch_id)
        if entry is None or store not in entry.missing:
            if entry is not None:
                entry.hot_since = self._monotonic()  # renewed
            return
        if store is Store.HOT:
            entry.hot_since = self._monotonic()
        self._metrics.lag(store, seconds=(self._clock() - entry.oldest_received) / 1000)
        entry.on_stored(store)
        entry.missing.discard(store)
        if not entry.missing:
            del self._entries[batch_id]
            self._hold_bytes(-entry.bytes)
            entry.done.set_result(None)
        self._metrics.held(batches=len(self._entries), size=self._held_bytes)

    def _hold_bytes(self, change: int) -> None:
        self._held_bytes += change
        if self._held_bytes < self._limits.held_bytes:
            self._room.set()
