"""Several calls at once, but not more than a few."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


async def at_once(call: Callable[[T], Awaitable[R]], items: Iterable[T], *, limit: int) -> list[R]:
    """Call for every item, at most `limit` at a time, and let all of them end.

    Returns:
        The results, in the order of the items.

    Raises:
        Exception: The first item's failure, unwrapped, after all calls have ended.
    """
    gate = asyncio.Semaphore(limit)

    async def one(item: T) -> R:
        async with gate:
            return await call(item)

    results = await asyncio.gather(*map(one, items), return_exceptions=True)
    done: list[R] = []
    for result in results:
        if isinstance(result, BaseException):
            raise result
        done.append(result)
    return done
