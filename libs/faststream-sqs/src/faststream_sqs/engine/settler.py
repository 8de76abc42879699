"""Carries out what was decided about each message: delete, retry later, dead letter, release."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from faststream_sqs.backoff import Backoff
from faststream_sqs.engine.coalesce import Coalescer, Step
from faststream_sqs.engine.deadletters import DeadLetters
from faststream_sqs.engine.deletions import Deletions
from faststream_sqs.engine.visibility import VisibilityChanges
from faststream_sqs.observer import Event
from faststream_sqs.received import State
from faststream_sqs.verdict import DeadLetter

if TYPE_CHECKING:
    from collections.abc import Callable

    from types_aiobotocore_sqs.client import SQSClient

    from faststream_sqs.engine.leases import Leases
    from faststream_sqs.engine.port import Report
    from faststream_sqs.queues import Queue
    from faststream_sqs.received import Received
    from faststream_sqs.verdict import FailurePolicy

REPEAT = Backoff(base=0.2, cap=5.0)


class Settler:
    """Settles messages in the background, ten to a request.

    A handled message stays leased until SQS has confirmed its deletion, so that a failed request leads to another
    one and not to a second delivery. What cannot be settled is logged and counted, never dropped in silence.

    Args:
        queue: The source, with the URL of its dead-letter queue if it has one.
        linger: Seconds a settlement waits for others to share its request.
        on_settled: Called once with each message when its place is free again.
    """

    def __init__(
        self,
        *,
        client: SQSClient,
        queue: Queue,
        policy: FailurePolicy,
        leases: Leases,
        linger: float,
        report: Report,
        on_settled: Callable[[Received], None],
    ) -> None:
        self._queue = queue
        self._policy = policy
        self._leases = leases
        self._report = report
        self._on_settled = on_settled
        deletions = Deletions(client=client, url=queue.url, report=report, done=self._done)
        visibility = VisibilityChanges(client=client, url=queue.url, leases=leases, report=report, done=self._done)
        dead_letters = DeadLetters(
            client=client,
            source=queue.name,
            report=report,
            moved=lambda message: self._deletions.add(Step(message)),
            refused=self._retry_by_backoff,
        )
        self._deletions = Coalescer(send=deletions.send, linger=linger, backoff=REPEAT)
        self._visibility = Coalescer(send=visibility.send, linger=linger, backoff=REPEAT)
        self._dead_letters = Coalescer(send=dead_letters.send, linger=0, backoff=REPEAT)
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to send."""
        self._tasks = [
            asyncio.create_task(coalescer.run(), name=f"sqs-{name}-{self._queue.name}")
            for name, coalescer in (
                ("delete", self._deletions),
                ("visibility", self._visibility),
                ("dead-letter", self._dead_letters),
            )
        ]

    async def close(self, *, within: float | None) -> None:
        """Send what is open, for at most `within` seconds, then stop and say what was left."""
        try:
            async with asyncio.timeout(within):
                await self._dead_letters.drained()  # these turn into deletions
                await self._deletions.drained()
                await self._visibility.drained()
        except TimeoutError:
            pass  # what is left is named below
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for what, event, coalescer in (
            ("not deleted although handled", Event.DELETE_FAILED, self._deletions),
            ("not moved to the dead-letter queue", Event.DEAD_LETTER_FAILED, self._dead_letters),
            ("not released", Event.VISIBILITY_FAILED, self._visibility),
        ):
            if left := [step.message.message_id for step in coalescer.abandoned()]:
                self._report.count(event, len(left))
                self._report.log(logging.ERROR, f"stopped with {len(left)} messages {what}: {left[:20]}")

    def delete(self, message: Received) -> None:
        """The message was handled."""
        if self._decided(message):
            if message.lost:
                self._report.log(
                    logging.WARNING,
                    f"message {message.message_id} was handled after others could see it; deleting it all the same",
                )
            self._deletions.add(Step(message))

    def fail(self, message: Received, error: BaseException | None, *, after: float | None = None) -> None:
        """The handler failed; the policy decides between a later retry and the dead-letter queue."""
        verdict = self._policy.decide(error, receive_count=message.receive_count, after=after)
        if isinstance(verdict, DeadLetter):
            self.dead_letter(message, verdict.reason)
        elif self._decided(message):
            self._report.count(Event.RETRIED)
            self._change_visibility(message, verdict.after)

    def dead_letter(self, message: Received, reason: str) -> None:
        """Move the message to the dead-letter queue, or treat it as a failure if the queue has none."""
        if not self._decided(message):
            return
        if self._queue.dead_letter_url is None:
            self._report.log(
                logging.ERROR,
                f"message {message.message_id} is poison ({reason}), but queue {self._queue.name!r} has no "
                f"dead-letter queue; it will be delivered again",
            )
            self._report.count(Event.DEAD_LETTER_FAILED)
            self._retry_by_backoff(message)
        else:
            self._dead_letters.add(Step(message, reason=reason, url=self._queue.dead_letter_url))

    def release(self, message: Received) -> None:
        """Make a message nobody worked on visible at once."""
        if self._decided(message):
            self._report.count(Event.RELEASED)
            self._change_visibility(message, 0)

    def _decided(self, message: Received) -> bool:
        if message.state is not State.HELD:
            return False
        message.state = State.SETTLING
        return True

    def _retry_by_backoff(self, message: Received) -> None:
        self._report.count(Event.RETRIED)
        verdict = self._policy.decide(None, receive_count=message.receive_count)
        self._change_visibility(message, 0 if isinstance(verdict, DeadLetter) else verdict.after)

    def _change_visibility(self, message: Received, seconds: int) -> None:
        self._leases.forget(message)
        if message.lost:
            self._done(message)  # it is visible, or somebody else's, already
        else:
            self._visibility.add(Step(message, seconds=seconds))

    def _done(self, message: Received) -> None:
        self._leases.forget(message)
        message.state = State.SETTLED
        self._on_settled(message)
