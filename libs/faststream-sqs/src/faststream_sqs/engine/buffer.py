"""Holds received messages until a handler is free."""

import asyncio
from collections import deque

from faststream_sqs.received import Received


class Buffer:
    """First in, first out; a batch is taken when it is full or when its wait is over."""

    def __init__(self) -> None:
        self._messages: deque[Received] = deque()
        self._arrival = asyncio.Event()

    def put(self, messages: list[Received]) -> None:
        """Append messages."""
        self._messages.extend(messages)
        self._arrival.set()

    async def take(self, *, most: int, wait: float) -> list[Received]:
        """One to `most` messages: those here `wait` seconds after the first one could be taken.

        A cancelled call takes nothing.
        """
        while not self._messages:
            self._arrival.clear()
            await self._arrival.wait()
        if len(self._messages) < most and wait > 0:
            try:
                async with asyncio.timeout(wait):
                    while len(self._messages) < most:
                        self._arrival.clear()
                        await self._arrival.wait()
            except TimeoutError:
                pass  # the batch goes as it is
        return [self._messages.popleft() for _ in range(min(most, len(self._messages)))]

    def drain(self) -> list[Received]:
        """Take everything at once."""
        messages = list(self._messages)
        self._messages.clear()
        return messages
