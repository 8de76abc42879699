"""How long to wait before the next try."""

import random


class Backoff:
    """Doubles the wait with each failure and spreads it, so that many clients do not come back at one moment.

    Args:
        first: Seconds the first wait takes at most.
        longest: Seconds no wait exceeds.
    """

    def __init__(self, *, first: float, longest: float) -> None:
        self._first = first
        self._longest = longest
        self._failures = 0

    def next(self) -> float:
        """Seconds to wait now: between a half and the whole of the step."""
        step = min(self._longest, self._first * 2.0 ** min(self._failures, 30))
        self._failures += 1
        return step * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, guards nothing

    def reset(self) -> None:
        """Start anew after a success."""
        self._failures = 0
