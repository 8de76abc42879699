"""Deletes handled messages."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from faststream_sqs.engine.attempt import attempt, is_final, note_repeat
from faststream_sqs.engine.calls import delete_batch
from faststream_sqs.observer import Event

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from types_aiobotocore_sqs.client import SQSClient

    from faststream_sqs.engine.coalesce import Step
    from faststream_sqs.engine.port import Report
    from faststream_sqs.errors import EntryFailure
    from faststream_sqs.received import Received

GIVE_UP_AFTER = 60.0
"""Seconds for which the deletion of a message whose lease is lost is still tried."""


class Deletions:
    """Sends `DeleteMessageBatch`; a message stays leased, and so is tried again, until SQS has confirmed."""

    def __init__(self, *, client: SQSClient, url: str, report: Report, done: Callable[[Received], None]) -> None:
        self._client = client
        self._url = url
        self._report = report
        self._done = done

    async def send(self, steps: Sequence[Step]) -> list[Step]:
        """Delete up to ten messages; returns those to try again."""
        failures = await attempt(
            delete_batch(self._client, url=self._url, messages=[step.message for step in steps]),
            entries=len(steps),
            report=self._report,
        )
        repeat = []
        for index, step in enumerate(steps):
            failure = failures.get(index)
            if failure is None:
                self._report.count(Event.DELETED)
                self._done(step.message)
            elif is_final(failure) or self._is_hopeless(step):
                self._give_up(step, failure)
            else:
                note_repeat("deletion", step, failure, report=self._report)
                repeat.append(step)
        return repeat

    def _is_hopeless(self, step: Step) -> bool:
        return step.message.lost and asyncio.get_running_loop().time() - step.since > GIVE_UP_AFTER

    def _give_up(self, step: Step, failure: EntryFailure) -> None:
        self._report.count(Event.DELETE_FAILED)
        self._report.log(
            logging.ERROR,
            f"message {step.message.message_id} was handled but could not be deleted and may be handled again: "
            f"{failure}",
        )
        self._done(step.message)
