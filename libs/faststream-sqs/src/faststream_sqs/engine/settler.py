"""Carries out what was decided about each message: delete, retry later, dead letter, release."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from faststream_sqs.attributes import with_reason
from faststream_sqs.backoff import Backoff
from faststream_sqs.engine.calls import (
    CALL_ERRORS,
    as_failure,
    change_visibility_batch,
    delete_batch,
    send_batch,
)
from faststream_sqs.engine.coalesce import Coalescer, Step
from faststream_sqs.observer import Event
from faststream_sqs.received import State
from faststream_sqs.verdict import DeadLetter, reason_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from types_aiobotocore_sqs.client import SQSClient

    from faststream_sqs.engine.leases import Leases
    from faststream_sqs.engine.port import Report
    from faststream_sqs.errors import EntryFailure
    from faststream_sqs.queues import Queue
    from faststream_sqs.received import Received
    from faststream_sqs.verdict import FailurePolicy

REPEAT = Backoff(base=0.2, cap=5.0)
GIVE_UP_AFTER = 60.0
"""Seconds for which the deletion of a message whose lease is lost is still tried."""
VISIBILITY_ATTEMPTS = 4
DEAD_LETTER_ATTEMPTS = 6


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
        self._client = client
        self._queue = queue
        self._policy = policy
        self._leases = leases
        self._report = report
        self._on_settled = on_settled
        self._deletions = Coalescer(send=self._send_deletions, linger=linger, backoff=REPEAT)
        self._visibility = Coalescer(send=self._send_visibility, linger=linger, backoff=REPEAT)
        self._dead_letters = Coalescer(send=self._send_dead_letters, linger=linger, backoff=REPEAT)
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

    async def _send_deletions(self, steps: Sequence[Step]) -> list[Step]:
        failures = await self._attempt(
            len(steps),
            lambda: delete_batch(self._client, url=self._queue.url, messages=[s.message for s in steps]),
        )
        repeat = []
        for index, step in enumerate(steps):
            failure = failures.get(index)
            if failure is None:
                self._report.count(Event.DELETED)
                self._done(step.message)
            elif self._give_up_deleting(step, failure):
                self._report.count(Event.DELETE_FAILED)
                self._report.log(
                    logging.ERROR,
                    f"message {step.message.message_id} was handled but could not be deleted and may be handled "
                    f"again: {failure}",
                )
                self._done(step.message)
            else:
                self._note_repeat("deletion", step, failure)
                repeat.append(step)
        return repeat

    def _give_up_deleting(self, step: Step, failure: EntryFailure) -> bool:
        if failure.sender_fault and failure.code not in _CURABLE:
            return True
        return step.message.lost and asyncio.get_running_loop().time() - step.since > GIVE_UP_AFTER

    async def _send_visibility(self, steps: Sequence[Step]) -> list[Step]:
        await self._leases.quiet([step.message for step in steps])
        failures = await self._attempt(
            len(steps),
            lambda: change_visibility_batch(
                self._client, url=self._queue.url, changes=[(s.message, s.seconds) for s in steps]
            ),
        )
        repeat = []
        for index, step in enumerate(steps):
            failure = failures.get(index)
            if failure is None:
                self._done(step.message)
            elif (failure.sender_fault and failure.code not in _CURABLE) or step.attempts >= VISIBILITY_ATTEMPTS:
                self._report.count(Event.VISIBILITY_FAILED)
                self._report.log(
                    logging.WARNING,
                    f"message {step.message.message_id} keeps its visibility timeout, setting it to "
                    f"{step.seconds} s failed: {failure}",
                )
                self._done(step.message)
            else:
                repeat.append(step)
        return repeat

    async def _send_dead_letters(self, steps: Sequence[Step]) -> list[Step]:
        letters = [
            (
                step.message.body,
                with_reason(step.message.message_attributes, reason=step.reason, source=self._queue.name),
            )
            for step in steps
        ]
        failures = await self._attempt(len(steps), lambda: send_batch(self._client, url=steps[0].url, letters=letters))
        repeat = []
        for index, step in enumerate(steps):
            failure = failures.get(index)
            if failure is None:
                self._report.count(Event.DEAD_LETTERED)
                self._report.log(
                    logging.ERROR,
                    f"message {step.message.message_id} went to the dead-letter queue: {step.reason}",
                )
                self._deletions.add(Step(step.message))
            elif (failure.sender_fault and len(steps) == 1) or step.attempts >= DEAD_LETTER_ATTEMPTS:
                self._report.count(Event.DEAD_LETTER_FAILED)
                self._report.log(
                    logging.ERROR,
                    f"message {step.message.message_id} is poison ({step.reason}), but its dead-letter queue did "
                    f"not take it: {failure}; it will be delivered again",
                )
                self._retry_by_backoff(step.message)
            else:
                self._note_repeat("dead letter", step, failure)
                repeat.append(step)
        return repeat

    def _note_repeat(self, what: str, step: Step, failure: EntryFailure) -> None:
        self._report.log(
            logging.WARNING if step.attempts else logging.INFO,
            f"{what} of message {step.message.message_id} failed and is tried again: {failure}",
        )

    async def _attempt(
        self, entries: int, call: Callable[[], Awaitable[dict[int, EntryFailure]]]
    ) -> dict[int, EntryFailure]:
        try:
            return await call()
        except CALL_ERRORS as error:
            return dict.fromkeys(range(entries), as_failure(error))
        except Exception as error:  # noqa: BLE001 - whatever it is, these messages must not be forgotten
            self._report.log(logging.ERROR, f"unexpected error while settling: {reason_of(error)}", error)
            return dict.fromkeys(range(entries), as_failure(error))


# The sender's fault in name, yet cured by a policy change, time or a new attempt
_CURABLE = frozenset(
    {"AccessDenied", "AccessDeniedException", "ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId"}
    | {"UnrecognizedClientException", "SignatureDoesNotMatch", "RequestExpired", "BatchRequestTooLong"}
)
