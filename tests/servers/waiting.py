"""Wait for a condition, with a deadline."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable


async def until(condition: Callable[[], bool | Awaitable[bool]], *, within: float = 30.0, every: float = 0.05) -> None:
    """Wait until `condition` holds.

    Args:
        condition: Asked again and again; may be a coroutine function.
        within: Seconds until it must hold.
        every: Seconds between two questions.

    Raises:
        TimeoutError: It did not hold in time.
    """
    async with asyncio.timeout(within):
        while True:
            answer = condition()
            if inspect.isawaitable(answer):
                answer = await answer
            if answer:
                return
            await asyncio.sleep(every)
