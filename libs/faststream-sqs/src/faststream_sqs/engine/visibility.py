"""Sets when failed and released messages are visible again."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from faststream_sqs.engine.attempt import attempt, is_final
from faststream_sqs.engine.calls import change_visibility_batch
from faststream_sqs.observer import Event

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from types_aiobotocore_sqs.client import SQSClient

    from faststream_sqs.engine.coalesce import Step
    from faststream_sqs.engine.leases import Leases
    from faststream_sqs.engine.port import Report
    from faststream_sqs.received import Received

ATTEMPTS = 5


class VisibilityChanges:
    """Sends `ChangeMessageVisibilityBatch`; where it fails, the message keeps its visibility timeout."""

    def __init__(
        self, *, client: SQSClient, url: str, leases: Leases, report: Report, done: Callable[[Received], None]
    ) -> None:
        self._client = client
        self._url = url
        self._leases = leases
        self._report = report
        self._done = done

    async def send(self, steps: Sequence[Step]) -> list[Step]:
        """Change the visibility of up to ten messages; returns those to try again."""
        await self._leases.quiet([step.message for step in steps])
        changes = [(step.message, step.seconds) for step in steps]
        failures = await attempt(
            change_visibility_batch(self._client, url=self._url, changes=changes),
            entries=len(steps),
            report=self._report,
        )
        repeat = []
        for index, step in enumerate(steps):
            failure = failures.get(index)
            if failure is None:
                self._done(step.message)
            elif is_final(failure) or step.attempts + 1 >= ATTEMPTS:
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
