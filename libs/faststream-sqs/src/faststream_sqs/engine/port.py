"""What the engine needs from whoever runs it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from faststream_sqs.observer import Event, Observer


class Log(Protocol):
    """Writes one line to the subscriber's log."""

    def __call__(self, level: int, message: str, error: BaseException | None = None) -> None:
        """Write `message` at `level`, with the traceback of `error` if there is one."""


@dataclass(frozen=True, slots=True)
class Report:
    """Where the engine says what happened: the log, and the observers of one queue."""

    queue: str
    log: Log
    observers: Sequence[Observer] = ()

    def count(self, event: Event, amount: int = 1) -> None:
        """Tell the observers."""
        for observer in self.observers:
            observer.observe(event, queue=self.queue, amount=amount)

    def age(self, seconds: float) -> None:
        """Tell the observers how old a received message is."""
        for observer in self.observers:
            observer.received_after(seconds, queue=self.queue)
