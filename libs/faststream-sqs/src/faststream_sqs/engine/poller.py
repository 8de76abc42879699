"""Long-polls one queue, only when there is room, and stops between polls."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, TypeVar

from faststream_sqs.backoff import Backoff
from faststream_sqs.engine.calls import CALL_ERRORS
from faststream_sqs.observer import Event

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from types_aiobotocore_sqs.client import SQSClient
    from types_aiobotocore_sqs.type_defs import MessageTypeDef, ReceiveMessageResultTypeDef

    from faststream_sqs.engine.port import Report
    from faststream_sqs.engine.window import Window

T = TypeVar("T")

AWAY = Backoff(base=0.5, cap=20.0)
"""Between polls that fail."""
EMPTY = Backoff(base=0.05, cap=1.0)
"""Between polls that come back empty at once, from a short poll or a server that does not wait."""


class Poller:
    """One loop of `ReceiveMessage` calls.

    Args:
        wait_time: Seconds of the long poll.
        visibility_timeout: Seconds for which received messages are hidden.
        deliver: Takes the received messages; always called from the loop's own task.
        stopping: Set once to begin no further poll.
        abandon: Set later to leave an open poll unanswered.
        on_answer: Called after every poll that was answered.
    """

    def __init__(
        self,
        *,
        client: SQSClient,
        url: str,
        wait_time: int,
        visibility_timeout: int,
        window: Window,
        deliver: Callable[[list[MessageTypeDef]], None],
        on_answer: Callable[[], None],
        stopping: asyncio.Event,
        abandon: asyncio.Event,
        report: Report,
    ) -> None:
        self._client = client
        self._url = url
        self._wait_time = wait_time
        self._visibility_timeout = visibility_timeout
        self._window = window
        self._deliver = deliver
        self._on_answer = on_answer
        self._stopping = stopping
        self._abandon = abandon
        self._report = report
        self._failed = 0
        self._empty = 0

    async def run(self) -> None:
        """Poll until `stopping` is set."""
        stopped = asyncio.create_task(self._stopping.wait())
        abandoned = asyncio.create_task(self._abandon.wait())
        try:
            while (wanted := await _first(stopped, self._window.reserve())) is not None:
                messages: list[MessageTypeDef] = []
                try:
                    if not self._stopping.is_set():
                        messages, pause = await self._poll(abandoned, wanted)
                finally:
                    self._window.arrived(reserved=wanted, arrived=len(messages))
                self._deliver(messages)
                if self._stopping.is_set():
                    return
                if pause:
                    await asyncio.wait({stopped}, timeout=pause)
        finally:
            stopped.cancel()
            abandoned.cancel()

    async def _poll(self, abandoned: asyncio.Task[bool], wanted: int) -> tuple[list[MessageTypeDef], float]:
        """The messages of one poll, and the seconds to pause after it."""
        began = asyncio.get_running_loop().time()
        try:
            response = await _first(abandoned, self._receive(wanted, self._wait_time))
        except Exception as error:  # noqa: BLE001 - polling must go on; whatever it is, it is logged and counted
            self._failed += 1
            pause = AWAY.delay(self._failed)
            self._report.count(Event.POLL_FAILED)
            self._report.log(
                logging.WARNING,
                f"poll failed {self._failed} times in a row, next in {pause:.1f} s: {error}",
                None if isinstance(error, CALL_ERRORS) else error,
            )
            return [], pause
        self._failed = 0
        self._on_answer()
        messages = response.get("Messages", []) if response else []
        waited = self._wait_time and asyncio.get_running_loop().time() - began >= self._wait_time / 2
        self._empty = 0 if messages or waited else self._empty + 1
        return messages, EMPTY.delay(self._empty) if self._empty else 0.0

    async def receive_one(self, *, wait: float) -> MessageTypeDef | None:
        """One message outside the loop, waiting at most `wait` seconds (whole ones on the server's side)."""
        messages = (await self._receive(1, min(self._wait_time, int(wait)))).get("Messages", [])
        return messages[0] if messages else None

    async def _receive(self, most: int, wait: int) -> ReceiveMessageResultTypeDef:
        return await self._client.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=most,
            WaitTimeSeconds=wait,
            VisibilityTimeout=self._visibility_timeout,
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["ApproximateReceiveCount", "SentTimestamp"],
        )


async def _first(stopped: asyncio.Task[bool], call: Coroutine[None, None, T]) -> T | None:
    """The result of `call`, or `None` when `stopped` ends first."""
    task = asyncio.create_task(call)
    try:
        await asyncio.wait({task, stopped}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        task.cancel()
    await asyncio.wait({task})
    return None if task.cancelled() else task.result()
