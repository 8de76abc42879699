"""How a subscriber consumes its queue."""

from __future__ import annotations

import math
from dataclasses import dataclass

from faststream_sqs.limits import MAX_ENTRIES, MAX_VISIBILITY, MAX_WAIT


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsumerOptions:
    """Tells how many messages are received, held and handled at once.

    Args:
        batch: Whether a handler takes a list of messages.
        max_batch: Messages of one list at most; above 10 several receives are joined.
        batch_wait: Seconds a list that is not full waits for more messages.
        pollers: Long polls that may be open at once.
        wait_time: Seconds of a long poll, 0 to 20.
        prefetch: Messages held beyond those being handled; `None` means one receive's worth, or one batch.
        max_workers: Handler calls that run at once.
        visibility_timeout: Whole seconds for which a message is hidden from others; extended while it is held, so
            it only says how soon others get what a crashed process held.
        linger: Seconds a settlement waits for others to share its request.
        manual: Whether the handler settles its messages itself.
    """

    batch: bool = False
    max_batch: int = MAX_ENTRIES
    batch_wait: float = 0.1
    pollers: int = 1
    wait_time: int = MAX_WAIT
    prefetch: int | None = None
    max_workers: int = 1
    visibility_timeout: float = 30
    linger: float = 0.02
    manual: bool = False

    def __post_init__(self) -> None:
        for name in ("max_batch", "pollers", "max_workers"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: expected at least 1, got {getattr(self, name)}")
        for name in ("batch_wait", "linger"):
            if not 0 <= getattr(self, name) <= 60:
                raise ValueError(f"{name}: expected 0 to 60 s, got {getattr(self, name)}")
        if not 0 <= self.wait_time <= MAX_WAIT:
            raise ValueError(f"wait_time: expected 0 to {MAX_WAIT} s, got {self.wait_time}")
        if self.prefetch is not None and self.prefetch < 0:
            raise ValueError(f"prefetch: expected 0 or more, got {self.prefetch}")
        if not 1 <= self.visibility_timeout <= MAX_VISIBILITY:
            raise ValueError(f"visibility_timeout: expected 1 to {MAX_VISIBILITY} s, got {self.visibility_timeout}")

    @property
    def per_call(self) -> int:
        """Messages one handler call takes at most."""
        return self.max_batch if self.batch else 1

    @property
    def capacity(self) -> int:
        """Messages held at most, from receipt until settled."""
        ahead = self.prefetch if self.prefetch is not None else max(MAX_ENTRIES, self.per_call)
        return self.max_workers * self.per_call + ahead

    @property
    def whole_visibility_timeout(self) -> int:
        """The visibility timeout as SQS takes it."""
        return math.ceil(self.visibility_timeout)
