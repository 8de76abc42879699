"""Tells readers of history up to which time of receipt the lake has everything that this archiver took."""

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from sensorcast_common import logs
from sensorcast_common.clock import Clock

log = logs.logger(__name__)

ON_THE_WAY_MS: Final = 120_000
"""How old the youngest reading may be that is in the lake for sure: others may wait in SNS and SQS."""

_LATEST_SECONDS: Final = 30.0


class Marks(Protocol):
    """Where it is told."""

    async def put(self, archiver: str, *, upto: int, until: int) -> None:
        """Say how far one archiver is."""

    async def remove(self, archiver: str) -> None:
        """Forget an archiver."""


def upto(*, oldest_held: int | None, last_taken: int | None, now: int) -> int:
    """The time of receipt before which everything is in the lake.

    Args:
        oldest_held: Receipt of the oldest reading in hand; `None` where nothing is.
        last_taken: Receipt of the oldest reading of the batch taken last, if that was lately: the queue may hold more
            of that age.
        now: The present; all in milliseconds since 1970 UTC.
    """
    known = [each for each in (oldest_held, last_taken) if each is not None]
    return min([now - ON_THE_WAY_MS, *known])


class Watermark:
    """Tells it over and over.

    Args:
        marks: Where.
        archiver: Who says so.
        state: Receipts of the oldest reading held and of the batch taken last, as `upto` takes them.
        visibility_seconds: How long messages of an archiver that dies stay hidden from others.
        clock: Milliseconds since 1970 UTC.
        every: Seconds between two times.
    """

    def __init__(
        self,
        marks: Marks,
        *,
        archiver: str,
        state: Callable[[], tuple[int | None, int | None]],
        visibility_seconds: float,
        clock: Clock,
        every: float = _LATEST_SECONDS,
    ) -> None:
        self._marks = marks
        self._archiver = archiver
        self._state = state
        self._visibility_ms = round(visibility_seconds * 1000)
        self._clock = clock
        self._every = min(every, _LATEST_SECONDS)

    async def tell(self) -> None:
        """Tell once."""
        now = self._clock()
        oldest_held, last_taken = self._state()
        await self._marks.put(
            self._archiver,
            upto=upto(oldest_held=oldest_held, last_taken=last_taken, now=now),
            until=now + self._visibility_ms + round(self._every * 2000) + ON_THE_WAY_MS,
        )

    async def run(self) -> None:
        """Tell until cancelled."""
        while True:
            try:
                await self.tell()
            except (BotoCoreError, ClientError, OSError) as error:
                # What was told before binds on, so readers only ask the hot store for more than they need.
                log.warning("the watermark could not be told", error=repr(error)[:500])
            await asyncio.sleep(self._every)

    async def leave(self) -> None:
        """Tell for the last time: with nothing in hand, this archiver need not be waited for."""
        if self._state()[0] is None:
            await self._marks.remove(self._archiver)
        else:
            await self.tell()
