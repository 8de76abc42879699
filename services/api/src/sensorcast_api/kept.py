"""Answers that are kept for a moment: a fleet of pages that ask for the same thing costs one answer. No I/O."""

import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Hashable
from typing import Final, NamedTuple

_OVERHEAD: Final = 1_024
"""About what an answer takes beside its body."""


class KeptAnswer(NamedTuple):
    """A finished answer with status 200.

    Attributes:
        headers: As they are sent, without those of one request.
        body: As it is sent.
        etag: Of its content.
        route: The route that made it, for metrics.
    """

    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    etag: str
    route: object


class AnswerCache:
    """Keeps answers by everything that decided them; a write of a tenant ends what is kept for it here.

    Other processes may answer as before the write for up to `seconds`.

    Args:
        seconds: How long an answer is good for; 0 keeps none.
        capacity: Bytes that are kept; beyond it the oldest go.
        monotonic: Seconds on a clock that never goes back.
    """

    def __init__(
        self, *, seconds: float, capacity: int = 32 * 1024 * 1024, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.keeps = seconds > 0
        self._seconds = seconds
        self._capacity = capacity
        self._monotonic = monotonic
        self._size = 0
        self._kept: OrderedDict[Hashable, tuple[float, KeptAnswer]] = OrderedDict()
        self._writes: Counter[str] = Counter()

    def generation(self, tenant: str) -> int:
        """Part of every key of a tenant: what was asked for before a write is not found after it."""
        return self._writes[tenant]

    def written(self, tenant: str) -> None:
        """Something of a tenant was changed."""
        self._writes[tenant] += 1

    def find(self, key: Hashable) -> KeptAnswer | None:
        """An answer that is still good."""
        found = self._kept.get(key)
        if found is None:
            return None
        if self._monotonic() - found[0] >= self._seconds:
            self._drop(key)
            return None
        return found[1]

    def keep(self, key: Hashable, answer: KeptAnswer) -> None:
        """Keep an answer."""
        self._drop(key)
        self._kept[key] = (self._monotonic(), answer)
        self._size += len(answer.body) + _OVERHEAD
        while self._size > self._capacity:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: Hashable) -> None:
        gone = self._kept.pop(key, None)
        if gone is not None:
            self._size -= len(gone[1].body) + _OVERHEAD
