"""Decides what becomes of a message whose handler failed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from faststream.exceptions import StopConsume

from faststream_sqs.errors import Poison, Retryable
from faststream_sqs.limits import MAX_VISIBILITY

if TYPE_CHECKING:
    from collections.abc import Callable

    from faststream_sqs.backoff import Backoff

MAX_REASON = 1024
"""Characters of a reason that travel with a dead letter."""


@dataclass(frozen=True, slots=True)
class Retry:
    """Make the message visible again after `after` whole seconds."""

    after: int


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """Move the message to the dead-letter queue because of `reason`."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FailurePolicy:
    """Which errors are final, and how long to wait after the others.

    Args:
        backoff: Visibility by receive count.
        poison_on: Errors, besides `Poison`, that no retry can cure.
        retry_after: Seconds for an error; `None` from it means the backoff.
    """

    backoff: Backoff
    poison_on: tuple[type[BaseException], ...] = ()
    retry_after: Callable[[BaseException], float | None] | None = None

    def decide(
        self, error: BaseException | None, *, receive_count: int, after: float | None = None
    ) -> Retry | DeadLetter:
        """Judge a failure; `after`, where given, is a wait the handler itself asked for."""
        if error is not None and isinstance(error, (Poison, *self.poison_on)):
            return DeadLetter(reason=reason_of(error))
        if isinstance(error, (StopConsume, SystemExit)):
            return Retry(after=0)
        if after is None and error is not None and self.retry_after is not None:
            after = self.retry_after(error)
        if after is None and isinstance(error, Retryable):
            after = error.after
        if after is None:
            after = self.backoff.delay(receive_count)
        return Retry(after=min(MAX_VISIBILITY, max(0, math.ceil(after))))


def reason_of(error: BaseException) -> str:
    """The reason an error gives, cut to what a message attribute should carry."""
    reason = getattr(error, "reason", None)
    text = reason if isinstance(reason, str) and reason else f"{type(error).__name__}: {error}"
    return text[:MAX_REASON]
