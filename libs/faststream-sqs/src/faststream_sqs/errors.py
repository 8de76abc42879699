"""The errors a handler raises to steer its message, and those a publisher or the broker raises."""

from collections.abc import Mapping
from dataclasses import dataclass


class Poison(Exception):  # noqa: N818 - an instruction, not a fault
    """The message can never be handled: move it to the dead-letter queue now and do not try again.

    Args:
        reason: Why; it travels as a message attribute.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Retryable(Exception):  # noqa: N818 - an instruction, not a fault
    """The work may succeed later: leave the message in the queue.

    Args:
        reason: What stood in the way.
        after: Seconds until the message is visible again; `None` leaves it to the subscriber's backoff.
    """

    def __init__(self, reason: str, *, after: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.after = after


class BatchFailures(Exception):  # noqa: N818 - an instruction, not a fault
    """Some messages of a batch failed; the others are deleted.

    Args:
        failures: The error of each failed message, by its index in the batch or by its message id. The error
            decides what becomes of that message, just as if a handler of single messages had raised it.
    """

    def __init__(self, failures: Mapping[int | str, BaseException]) -> None:
        if not failures:
            raise ValueError("failures: name at least one message")
        named = ", ".join(f"{key}: {error!r}" for key, error in list(failures.items())[:10])
        more = f" and {len(failures) - 10} more" if len(failures) > 10 else ""
        super().__init__(f"{len(failures)} of the batch failed ({named}{more})")
        self.failures = dict(failures)


class UndecodableMessagesError(ValueError):
    """Some messages of a batch cannot be decoded; the others can be handled without them."""

    def __init__(self, failures: Mapping[int, Exception]) -> None:
        named = ", ".join(f"{index}: {error}" for index, error in list(failures.items())[:5])
        super().__init__(f"{len(failures)} messages of the batch cannot be decoded ({named})")
        self.failures = dict(failures)


class QueueNotFoundError(LookupError):
    """A queue that a subscriber or publisher names does not exist, or these credentials may not see it."""

    def __init__(self, queue: str, *, region: str) -> None:
        super().__init__(f"queue {queue!r} does not exist in {region}")
        self.queue = queue


class TopicNotFoundError(LookupError):
    """An SNS topic that a publisher names does not exist."""

    def __init__(self, topic: str) -> None:
        super().__init__(f"topic {topic!r} does not exist")
        self.topic = topic


class InvalidMessageError(ValueError):
    """A body or a header cannot travel through SQS or SNS; the message says which and why."""


@dataclass(frozen=True, slots=True)
class EntryFailure:
    """Why one entry of a batch request failed, in the terms of the AWS response.

    Attributes:
        code: The error code, such as `ReceiptHandleIsInvalid`.
        message: What AWS said.
        sender_fault: Whether sending the same entry again is pointless.
    """

    code: str
    message: str
    sender_fault: bool

    def __str__(self) -> str:
        return f"{self.code}: {self.message}" if self.message else self.code


class PublishBatchError(Exception):
    """Part of a batch could not be sent.

    Attributes:
        failures: Why, by the index of the body as it was passed.
        sent: The message ids of the bodies that were sent, by index; send only the others again.
    """

    def __init__(self, destination: str, *, failures: Mapping[int, EntryFailure], sent: Mapping[int, str]) -> None:
        named = ", ".join(f"{index}: {failure}" for index, failure in sorted(failures.items())[:10])
        super().__init__(
            f"{len(failures)} of {len(failures) + len(sent)} messages were not sent to {destination!r} ({named})"
        )
        self.failures = dict(failures)
        self.sent = dict(sent)
