"""Receives, dispatches and settles the messages of one queue, and stops without leaving any behind."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

from faststream_sqs.engine.buffer import Buffer
from faststream_sqs.engine.leases import Leases
from faststream_sqs.engine.poller import Poller
from faststream_sqs.engine.settler import Settler
from faststream_sqs.engine.window import Window
from faststream_sqs.limits import MAX_ENTRIES
from faststream_sqs.observer import Event
from faststream_sqs.received import Received, State

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from types_aiobotocore_sqs.client import SQSClient
    from types_aiobotocore_sqs.type_defs import MessageTypeDef

    from faststream_sqs.engine.options import ConsumerOptions
    from faststream_sqs.engine.port import Report
    from faststream_sqs.queues import Queue
    from faststream_sqs.verdict import FailurePolicy

LAST_POLLS = 0.25
"""Seconds open polls have at least when polling stops: under load their answers are on the way already, and the
messages in them would stay invisible for their whole visibility timeout."""
CANCEL_WAIT = 2.0
"""Seconds a cancelled handler has to end."""
LAST_SETTLEMENTS = 5.0
"""Seconds the last settlements have, at least, when the drain has used up its own time."""


class Consumer:
    """The whole life of a queue's messages in this process.

    Args:
        client: For settlements; its calls are retried by botocore.
        poll_client: For long polls; its calls are not, since the poller backs off by itself.
        queue: The source.
        options: How much at once.
        policy: What becomes of failed messages.
        handle: Handles one call's messages and has settled them when it returns. Must not raise.
        report: Log and observers.
    """

    def __init__(
        self,
        *,
        client: SQSClient,
        poll_client: SQSClient,
        queue: Queue,
        options: ConsumerOptions,
        policy: FailurePolicy,
        handle: Callable[[list[Received]], Awaitable[None]],
        report: Report,
    ) -> None:
        self.queue = queue
        self._options = options
        self._handle = handle
        self._report = report
        self._stopping = asyncio.Event()
        self._abandon = asyncio.Event()
        self._buffer = Buffer()
        self._workers = asyncio.Semaphore(options.max_workers)
        self._window = Window(
            capacity=options.capacity, fill=options.per_call, chunk=min(MAX_ENTRIES, options.capacity)
        )
        self._leases = Leases(
            client=client, url=queue.url, visibility_timeout=options.whole_visibility_timeout, report=report
        )
        self._settler = Settler(
            client=client,
            queue=queue,
            policy=policy,
            leases=self._leases,
            linger=options.linger,
            report=report,
            on_settled=self._settled,
        )
        self._poller = [
            Poller(
                client=poll_client,
                url=queue.url,
                wait_time=options.wait_time,
                visibility_timeout=options.whole_visibility_timeout,
                window=self._window,
                deliver=self._deliver,
                on_answer=self._note_poll,
                stopping=self._stopping,
                abandon=self._abandon,
                report=report,
            )
            for _ in range(options.pollers)
        ]
        self._polls: set[asyncio.Task[None]] = set()
        self._handlers: set[asyncio.Task[None]] = set()
        self._keeper: asyncio.Task[None] | None = None
        self._dispatcher: asyncio.Task[None] | None = None
        self._unsettled: set[Received] = set()
        self.last_poll: float | None = None

    @property
    def held(self) -> int:
        """Messages between receipt and settlement."""
        return self._window.held

    def start(self, *, poll: bool = True) -> None:
        """Begin to work; without `poll` only `receive_one` brings messages."""
        name = self.queue.name
        self._keeper = asyncio.create_task(self._leases.run(), name=f"sqs-leases-{name}")
        self._settler.start()
        if poll:
            self._dispatcher = asyncio.create_task(self._dispatch(), name=f"sqs-dispatch-{name}")
            self._polls = {asyncio.create_task(p.run(), name=f"sqs-poll-{name}") for p in self._poller}

    async def receive_one(self, *, wait: float) -> Received | None:
        """One message that the caller settles, or `None` if none came in time."""
        message = await self._poller[0].receive_one(wait=wait)
        if message is None:
            return None
        self._window.held += 1
        return self._hold(message)

    async def stop(self, *, within: float | None) -> None:
        """End polling, release what was not started, wait for handlers, cancel the late ones, settle everything.

        Args:
            within: Seconds for the handlers; `None` waits for them without end.
        """
        loop = asyncio.get_running_loop()
        deadline = None if within is None else loop.time() + within
        self._stopping.set()
        if self._dispatcher is not None:
            self._dispatcher.cancel()
        self._release_waiting()
        await asyncio.gather(self._finish_handlers(deadline, but=asyncio.current_task()), self._last_polls())
        self._abandon.set()  # until here what they brought was released at once
        if self._polls:
            await asyncio.wait(self._polls)
        for message in [m for m in self._unsettled if m.state is State.HELD]:
            self._settler.release(message)
        await self._settler.close(
            within=LAST_SETTLEMENTS if deadline is None else max(LAST_SETTLEMENTS, deadline - loop.time())
        )
        if self._keeper is not None:
            self._keeper.cancel()

    def _settled(self, message: Received) -> None:
        self._window.settled()
        self._unsettled.discard(message)

    def _note_poll(self) -> None:
        self.last_poll = asyncio.get_running_loop().time()

    def _hold(self, message: MessageTypeDef) -> Received:
        received = Received.from_response(message, queue=self.queue.name, settlement=self._settler)
        self._unsettled.add(received)
        self._leases.hold(received)
        return received

    def _deliver(self, messages: list[MessageTypeDef]) -> None:
        if not messages:
            return
        held = [self._hold(message) for message in messages]
        self._tell_of(held)
        self._buffer.put(held)
        if self._stopping.is_set():
            self._release_waiting()

    def _tell_of(self, messages: list[Received]) -> None:
        self._report.count(Event.RECEIVED, len(messages))
        if again := sum(message.receive_count > 1 for message in messages):
            self._report.count(Event.REDELIVERED, again)
        now = time.time()
        for message in messages:
            if message.sent_at is not None:
                self._report.age(max(0.0, now - message.sent_at))

    def _release_waiting(self) -> None:
        waiting = self._buffer.drain()
        self._window.started(len(waiting))
        for message in waiting:
            self._settler.release(message)

    async def _dispatch(self) -> None:
        while True:
            await self._workers.acquire()
            messages = await self._buffer.take(
                most=self._options.per_call, wait=self._options.batch_wait if self._options.batch else 0
            )
            self._window.started(len(messages))
            task = asyncio.create_task(self._run(messages), name=f"sqs-handler-{self.queue.name}")
            self._handlers.add(task)
            task.add_done_callback(self._handlers.discard)

    async def _run(self, messages: list[Received]) -> None:
        cancelled = False
        try:
            if not self._stopping.is_set():
                await self._handle(messages)
        except asyncio.CancelledError:
            cancelled = self._stopping.is_set()
            raise
        finally:
            self._workers.release()
            if not self._options.manual or cancelled:
                for message in messages:
                    self._settle_rest(message)

    def _settle_rest(self, message: Received) -> None:
        """Settle what its handler left open: skipped, cancelled, or not begun before the stop."""
        if message.state is not State.HELD:
            return
        if self._stopping.is_set():
            self._settler.release(message)
        else:
            self._settler.fail(message, message.failure)

    async def _last_polls(self) -> None:
        if self._polls:
            await asyncio.wait(self._polls, timeout=LAST_POLLS)

    async def _finish_handlers(self, deadline: float | None, *, but: asyncio.Task[None] | None) -> None:
        loop = asyncio.get_running_loop()
        # A handler may stop its own subscriber; it cannot wait for itself.
        others = self._handlers - {but}
        if others:
            _, late = await asyncio.wait(others, timeout=None if deadline is None else max(0.0, deadline - loop.time()))
            if late:
                self._report.log(logging.WARNING, f"{len(late)} handlers did not end in time and are cancelled")
                for task in late:
                    task.cancel()
                _, stuck = await asyncio.wait(late, timeout=CANCEL_WAIT)
                if stuck:
                    self._report.log(logging.ERROR, f"{len(stuck)} handlers ignore their cancellation")
