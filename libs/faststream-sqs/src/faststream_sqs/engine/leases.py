"""Extends the visibility of every held message, in batches, from one task."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from faststream_sqs.engine.calls import CALL_ERRORS, as_failure, change_visibility_batch
from faststream_sqs.limits import MAX_ENTRIES
from faststream_sqs.observer import Event

if TYPE_CHECKING:
    from collections.abc import Sequence

    from types_aiobotocore_sqs.client import SQSClient

    from faststream_sqs.engine.port import Report
    from faststream_sqs.errors import EntryFailure
    from faststream_sqs.received import Received

CONCURRENT_CALLS = 8


@dataclass(slots=True)
class _Lease:
    expires: float
    due: float


class Leases:
    """Keeps messages invisible to others while they are held here.

    A message is extended when half of its visibility timeout is over, and again after each extension. Whatever is
    nearly due goes along, ten to a request, so that a thousand held messages cost a hundred requests per half
    timeout and no task of their own.

    Args:
        visibility_timeout: Whole seconds.
        report: Where lost messages are logged and counted.
    """

    def __init__(self, *, client: SQSClient, url: str, visibility_timeout: int, report: Report) -> None:
        self._client = client
        self._url = url
        self._timeout = visibility_timeout
        self._report = report
        self._leases: dict[Received, _Lease] = {}
        self._due: list[tuple[float, int, Received]] = []
        self._order = itertools.count()
        self._arrival = asyncio.Event()
        self._extending: set[Received] = set()
        self._extended = asyncio.Event()
        self._calls = asyncio.Semaphore(CONCURRENT_CALLS)

    def hold(self, message: Received) -> None:
        """Start to extend a message that was just received."""
        now = asyncio.get_running_loop().time()
        self._leases[message] = _Lease(expires=now + self._timeout, due=0.0)
        self._schedule(message, now + self._timeout / 2)
        self._arrival.set()

    def forget(self, message: Received) -> None:
        """Stop to extend a message."""
        self._leases.pop(message, None)

    async def quiet(self, messages: Sequence[Received]) -> None:
        """Wait until no extension of these forgotten messages is under way, so that none overtakes what follows."""
        while any(message in self._extending for message in messages):
            self._extended.clear()
            await self._extended.wait()

    async def run(self) -> None:
        """Extend until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            while not self._leases:
                self._due.clear()
                self._arrival.clear()
                await self._arrival.wait()
            wait = self._due[0][0] - loop.time() if self._due else 0.0
            if wait > 0:
                await asyncio.sleep(wait)
                continue
            if batch := self._take_due(loop.time()):
                chunks = [batch[i : i + MAX_ENTRIES] for i in range(0, len(batch), MAX_ENTRIES)]
                self._extending.update(batch)
                await asyncio.gather(*(self._extend(chunk) for chunk in chunks))

    def _schedule(self, message: Received, due: float) -> None:
        self._leases[message].due = due
        heapq.heappush(self._due, (due, next(self._order), message))

    def _take_due(self, now: float) -> list[Received]:
        horizon = now + self._timeout / 10
        batch = []
        while self._due and self._due[0][0] <= horizon:
            due, _, message = heapq.heappop(self._due)
            lease = self._leases.get(message)
            if lease is not None and lease.due == due:
                batch.append(message)
        return batch

    async def _extend(self, messages: list[Received]) -> None:
        try:
            async with self._calls:
                asked = asyncio.get_running_loop().time()
                try:
                    async with asyncio.timeout(max(1.0, self._timeout / 4)):  # a slow answer is tried again in time
                        failures = await change_visibility_batch(
                            self._client, url=self._url, changes=[(m, self._timeout) for m in messages]
                        )
                except CALL_ERRORS as error:
                    failures = dict.fromkeys(range(len(messages)), as_failure(error))
        finally:
            self._extending.difference_update(messages)
            self._extended.set()
        for index, message in enumerate(messages):
            if message in self._leases:  # otherwise it was settled meanwhile
                self._renew(message, asked, failures.get(index))

    def _renew(self, message: Received, asked: float, failure: EntryFailure | None) -> None:
        lease = self._leases[message]
        now = asyncio.get_running_loop().time()
        if failure is None:
            lease.expires = asked + self._timeout
            self._schedule(message, asked + self._timeout / 2)
        elif now >= lease.expires or (failure.sender_fault and failure.code not in _WHOLE_QUEUE):
            self.forget(message)
            message.lost = True
            self._report.count(Event.LEASE_LOST)
            self._report.log(
                logging.WARNING,
                f"message {message.message_id} could not be kept invisible and may be handled twice: {failure}",
            )
        else:
            self._schedule(message, now + max(0.25, self._timeout / 8))


# A missing queue or permission says nothing of the single message; time tells when it is lost.
_WHOLE_QUEUE = frozenset({"AccessDenied", "AccessDeniedException", "QueueDoesNotExist", "NonExistentQueue"})
