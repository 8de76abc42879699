"""Sends messages until they are accepted, and only then releases what they came from."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple, Protocol

from sensorcast_common.backoff import Backoff
from sensorcast_common.logs import logger
from sensorcast_ingest.receipt import Receipt

log = logger(__name__)

MAX_ENTRIES: Final = 10
MAX_REQUEST_BYTES: Final = 255_000
"""Of the 256 KiB that PublishBatch takes; the rest is for attributes."""


class Outgoing(NamedTuple):
    """A message on its way.

    Attributes:
        text: The body.
        correlation_id: Travels as an attribute, and is found in logs.
        headers: Further attributes.
        receipts: Released, once each, when the message is accepted.
    """

    text: str
    correlation_id: str
    headers: Mapping[str, str]
    receipts: Sequence[Receipt]


class Sink(Protocol):
    """Where messages go: an SNS topic, an SQS queue."""

    name: str

    async def send(self, messages: Sequence[Outgoing]) -> Mapping[int, str]:
        """Send up to ten messages; returns why which of them were not accepted, by index."""


class Outbox:
    """A bounded queue before a sink; whoever puts into it waits while the sink is away.

    Args:
        sink: Where messages go.
        concurrency: Requests at one time.
        backoff: Makes what says how long to wait after a failure.
        on_failure: Called with the number of messages that were not accepted.

    Attributes:
        failing: Why the sink accepts nothing at present; `None` while it does.
    """

    def __init__(
        self, sink: Sink, *, concurrency: int, backoff: Callable[[], Backoff], on_failure: Callable[[int], None]
    ) -> None:
        self._sink = sink
        self._concurrency = concurrency
        self._backoff = backoff
        self._on_failure = on_failure
        self._queue: asyncio.Queue[Outgoing] = asyncio.Queue(maxsize=MAX_ENTRIES * concurrency)
        self.failing: str | None = None

    async def put(self, message: Outgoing) -> None:
        """Hand a message over as soon as there is room."""
        await self._queue.put(message)

    async def drain(self) -> None:
        """Wait until everything is accepted."""
        await self._queue.join()

    async def run(self) -> None:
        """Send until cancelled."""
        async with asyncio.TaskGroup() as workers:
            for _ in range(self._concurrency):
                workers.create_task(self._work())

    async def _work(self) -> None:
        kept: Outgoing | None = None
        while True:
            group, kept = await self._collect(kept)
            await self._deliver(group)

    async def _collect(self, first: Outgoing | None) -> tuple[list[Outgoing], Outgoing | None]:
        """What fits one request, and the message that did not."""
        group = [first or await self._queue.get()]
        size = len(group[0].text)
        while len(group) < MAX_ENTRIES and not self._queue.empty():
            message = self._queue.get_nowait()
            size += len(message.text)
            if size > MAX_REQUEST_BYTES:
                return group, message
            group.append(message)
        return group, None

    async def _deliver(self, messages: list[Outgoing]) -> None:
        backoff = self._backoff()
        while True:
            failures = await self._sink.send(messages)
            for index, message in enumerate(messages):
                if index not in failures:
                    for receipt in message.receipts:
                        receipt.release()
                    self._queue.task_done()
            if not failures:
                if self.failing is not None:
                    log.info("accepting again", sink=self._sink.name)
                self.failing = None
                return
            messages = [messages[index] for index in sorted(failures)]
            reason = next(iter(failures.values()))
            self._on_failure(len(messages))
            pause = backoff.next()
            log.warning("not accepted", sink=self._sink.name, messages=len(messages), reason=reason, retry_in=pause)
            self.failing = reason
            await asyncio.sleep(pause)
