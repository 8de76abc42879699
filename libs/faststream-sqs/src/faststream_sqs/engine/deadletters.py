"""Moves poisonous messages to the dead-letter queue."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from faststream_sqs.attributes import with_reason
from faststream_sqs.batching import Outgoing, split
from faststream_sqs.engine.attempt import attempt, is_final, note_repeat
from faststream_sqs.engine.calls import send_batch
from faststream_sqs.limits import MAX_SQS_BYTES
from faststream_sqs.observer import Event

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from types_aiobotocore_sqs.client import SQSClient

    from faststream_sqs.engine.coalesce import Step
    from faststream_sqs.engine.port import Report
    from faststream_sqs.errors import EntryFailure
    from faststream_sqs.received import Received

ATTEMPTS = 7


class DeadLetters:
    """Sends poison with its reason; only then may it be deleted from its queue.

    Args:
        client: An SQS client.
        source: Name of the queue they come from.
        report: Log and observers.
        moved: Called with each message its dead-letter queue has taken.
        refused: Called with each message its dead-letter queue will not take.
    """

    def __init__(
        self,
        *,
        client: SQSClient,
        source: str,
        report: Report,
        moved: Callable[[Received], None],
        refused: Callable[[Received], None],
    ) -> None:
        self._client = client
        self._source = source
        self._report = report
        self._moved = moved
        self._refused = refused

    async def send(self, steps: Sequence[Step]) -> list[Step]:
        """Move up to ten messages; returns those to try again."""
        letters = [
            Outgoing(
                index=index,
                body=step.message.body,
                attributes=with_reason(step.message.message_attributes, reason=step.reason, source=self._source),
            )
            for index, step in enumerate(steps)
        ]
        repeat = []
        for group in split(letters, limit=MAX_SQS_BYTES):  # ten may be more than one request carries
            repeat += await self._send_group(group, steps=[steps[letter.index] for letter in group])
        return repeat

    async def _send_group(self, letters: Sequence[Outgoing], *, steps: Sequence[Step]) -> list[Step]:
        pairs = [(letter.body, letter.attributes) for letter in letters]
        failures = await attempt(
            send_batch(self._client, url=steps[0].url, letters=pairs), entries=len(steps), report=self._report
        )
        repeat = []
        for index, step in enumerate(steps):
            failure = failures.get(index)
            if failure is None:
                self._report.count(Event.DEAD_LETTERED)
                self._report.log(
                    logging.ERROR, f"message {step.message.message_id} went to the dead-letter queue: {step.reason}"
                )
                self._moved(step.message)
            elif step.attempts + 1 >= ATTEMPTS or (is_final(failure) and len(steps) == 1):
                self._give_up(step, failure)
            else:
                note_repeat("dead letter", step, failure, report=self._report)
                repeat.append(step)
        return repeat

    def _give_up(self, step: Step, failure: EntryFailure) -> None:
        self._report.count(Event.DEAD_LETTER_FAILED)
        self._report.log(
            logging.ERROR,
            f"message {step.message.message_id} is poison ({step.reason}), but its dead-letter queue did not take "
            f"it: {failure}; it will be delivered again",
        )
        self._refused(step.message)
