"""Works for a caller as long as it is there."""

import asyncio
from collections.abc import Coroutine
from typing import TypeVar

from fastapi import Request

from sensorcast_api.problems import ProblemError

T = TypeVar("T")


async def unless_gone(request: Request, work: Coroutine[object, object, T]) -> T:
    """Do `work`, and cancel it when the caller hangs up: what costs money is stopped.

    Raises:
        ProblemError: 499 where the caller is gone; nobody reads it but the log.
    """
    working = asyncio.ensure_future(work)
    watching = asyncio.ensure_future(_hung_up(request))
    try:
        await asyncio.wait([working, watching], return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        raise ProblemError(499, "The caller hung up.", title="Client Closed Request")
    finally:
        for task in (working, watching):
            task.cancel()
        await asyncio.gather(working, watching, return_exceptions=True)


async def _hung_up(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
