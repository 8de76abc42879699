"""Joins single settlements into batch requests and repeats what failed."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from faststream_sqs.limits import MAX_ENTRIES

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from faststream_sqs.backoff import Backoff
    from faststream_sqs.received import Received

CONCURRENT_CALLS = 8


@dataclass(slots=True, eq=False)
class Step:
    """One settlement on its way.

    Attributes:
        message: What is settled.
        seconds: Its next visibility, where that is the settlement.
        reason: Why it becomes a dead letter, where that is the settlement.
        url: The dead-letter queue, likewise.
        since: Loop time at which it was decided.
        attempts: Requests that failed so far.
    """

    message: Received
    seconds: int = 0
    reason: str = ""
    url: str = ""
    since: float = 0.0
    attempts: int = 0


class Coalescer:
    """Sends steps ten at a time: when ten are there, or `linger` seconds after the first.

    Args:
        send: Sends up to ten steps and returns those to try again later; must not raise.
        linger: Seconds.
        backoff: Between the attempts of one step.
    """

    def __init__(
        self, *, send: Callable[[Sequence[Step]], Awaitable[Sequence[Step]]], linger: float, backoff: Backoff
    ) -> None:
        self._send = send
        self._linger = linger
        self._backoff = backoff
        self._new: list[Step] = []
        self._later: list[tuple[float, int, Step]] = []
        self._order = itertools.count()
        self._changed = asyncio.Event()
        self._calls = asyncio.Semaphore(CONCURRENT_CALLS)
        self._sending: set[asyncio.Task[None]] = set()
        self._open: set[Step] = set()
        self._idle = asyncio.Event()
        self._idle.set()

    def add(self, step: Step) -> None:
        """Take a step; it is sent in the background."""
        step.since = asyncio.get_running_loop().time()
        self._new.append(step)
        self._open.add(step)
        self._idle.clear()
        self._changed.set()

    async def drained(self) -> None:
        """Wait until every step was sent and answered for good."""
        await self._idle.wait()

    def abandoned(self) -> list[Step]:
        """The steps nobody will send any more, once `run` has ended."""
        return list(self._open)

    async def run(self) -> None:
        """Send until cancelled."""
        try:
            while True:
                await self._wait_for_work()
                due = self._take_due()
                for chunk in (due[i : i + MAX_ENTRIES] for i in range(0, len(due), MAX_ENTRIES)):
                    await self._calls.acquire()
                    task = asyncio.create_task(self._send_chunk(chunk))
                    self._sending.add(task)
                    task.add_done_callback(self._sent)
        finally:
            sending = list(self._sending)
            for task in sending:
                task.cancel()
            await asyncio.gather(*sending, return_exceptions=True)

    async def _wait_for_work(self) -> None:
        loop = asyncio.get_running_loop()
        while not self._new:
            self._changed.clear()
            wait = self._later[0][0] - loop.time() if self._later else None
            if wait is not None and wait <= 0:
                return
            await _wait(self._changed, wait)
        until = loop.time() + self._linger
        while len(self._new) < MAX_ENTRIES and (rest := until - loop.time()) > 0:
            self._changed.clear()
            await _wait(self._changed, rest)

    def _take_due(self) -> list[Step]:
        now = asyncio.get_running_loop().time()
        due, self._new = self._new, []
        while self._later and self._later[0][0] <= now:
            due.append(heapq.heappop(self._later)[2])
        return due

    async def _send_chunk(self, chunk: list[Step]) -> None:
        repeat: Sequence[Step] = chunk
        try:
            repeat = await self._send(chunk)
        finally:  # whatever went wrong, the steps stay open and come again
            self._open.difference_update(chunk)
            self._open.update(repeat)
            now = asyncio.get_running_loop().time()
            for step in repeat:
                step.attempts += 1
                due = now + self._backoff.delay(step.attempts)
                heapq.heappush(self._later, (due, next(self._order), step))
            self._changed.set()
            if not self._open:
                self._idle.set()

    def _sent(self, task: asyncio.Task[None]) -> None:
        self._sending.discard(task)
        self._calls.release()


async def _wait(event: asyncio.Event, seconds: float | None) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass
