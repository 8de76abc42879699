"""Gathers what one store is to write next, and tells when it is due."""

from typing import Generic, TypeVar

T = TypeVar("T")


class Pending(Generic[T]):
    """Items that wait for the next write.

    Args:
        seconds: A write is due this long after the first item came.
        weight: Or once the items weigh this much, in whatever unit `add` is given.
        count: Or once there are so many.

    Raises:
        ValueError: A limit is not positive.
    """

    def __init__(self, *, seconds: float, weight: int, count: int) -> None:
        for name, limit in (("seconds", seconds), ("weight", weight), ("count", count)):
            if limit <= 0:
                raise ValueError(f"{name}: {limit} must be positive")
        self._seconds = seconds
        self._max_weight = weight
        self._max_count = count
        self._items: list[T] = []
        self._weight = 0
        self._since = 0.0
        self._hurried = False

    def __len__(self) -> int:
        return len(self._items)

    def add(self, item: T, *, weight: int, now: float) -> None:
        """Add an item at `now`, seconds on a clock that never goes back."""
        if not self._items:
            self._since = now
        self._items.append(item)
        self._weight += weight

    def hurry(self) -> None:
        """From now on, whatever is there is due."""
        self._hurried = True

    def due_in(self, now: float) -> float | None:
        """Seconds until a write is due, 0 when it is; `None` where there is nothing to write."""
        if not self._items:
            return None
        if self._hurried or self._weight >= self._max_weight or len(self._items) >= self._max_count:
            return 0.0
        return max(0.0, self._since + self._seconds - now)

    def take(self) -> list[T]:
        """Everything that waits, in the order it came; nothing waits after that."""
        taken, self._items, self._weight = self._items, [], 0
        return taken
