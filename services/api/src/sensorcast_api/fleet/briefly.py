"""Remembers answers for some seconds, and lets all who ask meanwhile wait for the same one."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from time import monotonic as system_monotonic
from typing import Generic, TypeVar

KeyT = TypeVar("KeyT", bound=Hashable)
ValueT = TypeVar("ValueT")


class Briefly(Generic[KeyT, ValueT]):
    """A small cache of what a coroutine function answers.

    Args:
        make: Asked for what is not remembered; a failure is handed on and not remembered.
        seconds: How long an answer is good for.
        capacity: Answers that are kept; beyond it the oldest go.
        monotonic: Seconds on a clock that never goes back.
    """

    def __init__(
        self,
        make: Callable[[KeyT], Awaitable[ValueT]],
        *,
        seconds: float,
        capacity: int,
        monotonic: Callable[[], float] = system_monotonic,
    ) -> None:
        if seconds <= 0 or capacity < 1:
            raise ValueError("seconds, capacity: must be positive")
        self._make = make
        self._seconds = seconds
        self._capacity = capacity
        self._monotonic = monotonic
        self._kept: OrderedDict[KeyT, tuple[float, asyncio.Task[ValueT]]] = OrderedDict()

    async def get(self, key: KeyT) -> ValueT:
        """The answer for `key`, at most `seconds` old."""
        kept = self._kept.get(key)
        if kept is None or self._monotonic() - kept[0] >= self._seconds or _failed(kept[1]):
            kept = (self._monotonic(), asyncio.create_task(self._ask(key)))
            self._kept.pop(key, None)
            self._kept[key] = kept
            while len(self._kept) > self._capacity:
                self._kept.popitem(last=False)
        # Whoever goes away leaves the question to the others who wait for it.
        return await asyncio.shield(kept[1])

    async def _ask(self, key: KeyT) -> ValueT:
        return await self._make(key)


def _failed(task: "asyncio.Task[ValueT]") -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)
