"""Exponential backoff with jitter, for polls, batch calls and the visibility of failed messages."""

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """Delays that double from `base` to `cap` seconds.

    Each is drawn from the upper half of its step ("equal jitter", AWS Architecture Blog, "Exponential Backoff And
    Jitter"), so that clients spread out and no delay is near zero.
    """

    base: float
    cap: float

    def __post_init__(self) -> None:
        if not 0 <= self.base <= self.cap:
            raise ValueError(f"backoff: expected 0 <= base <= cap, got base={self.base}, cap={self.cap}")

    def delay(self, attempt: int) -> float:
        """Seconds to wait after the `attempt`-th failure, the first being 1."""
        step = min(self.cap, self.base * 2.0 ** min(max(attempt, 1) - 1, 60))
        return step * (0.5 + random.random() / 2)  # noqa: S311 - spreads load, guards nothing
