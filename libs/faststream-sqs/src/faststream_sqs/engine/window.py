"""Bounds how many messages a subscriber holds at once."""

import asyncio


class Window:
    """Counts messages from the moment a poll may bring them until they are settled.

    Args:
        capacity: Messages held at most: buffered, being handled or being settled.
        fill: Messages one handler call takes; below that many buffered ones a poll is worth even a small gain.
        chunk: Messages one poll can bring.
    """

    def __init__(self, *, capacity: int, fill: int, chunk: int) -> None:
        self.capacity = capacity
        self._fill = fill
        self._chunk = chunk
        self._changed = asyncio.Event()
        self.held = 0
        self.waiting = 0
        self.reserved = 0

    @property
    def free(self) -> int:
        """Messages that could be held in addition."""
        return self.capacity - self.held - self.reserved

    async def reserve(self) -> int:
        """Wait until a poll is worth its price and return how many messages it may bring.

        While handlers have enough to do, this waits for room for a full poll, since SQS bills each request.
        """
        while not (self.free > 0 and (self.waiting < self._fill or self.free >= self._chunk)):
            self._changed.clear()
            await self._changed.wait()
        wanted = min(self._chunk, self.free)
        self.reserved += wanted
        return wanted

    def arrived(self, *, reserved: int, arrived: int) -> None:
        """A poll that had `reserved` messages has brought `arrived`, which now wait for a handler."""
        self.reserved -= reserved
        self.held += arrived
        self.waiting += arrived
        self._changed.set()

    def started(self, amount: int) -> None:
        """`amount` waiting messages went to a handler, or were given back."""
        self.waiting -= amount
        self._changed.set()

    def settled(self) -> None:
        """One held message is settled."""
        self.held -= 1
        self._changed.set()
