"""What happens to messages outside a handler, for whoever counts it."""

from enum import StrEnum


class Event(StrEnum):
    """Things a subscriber does, or fails to do, that no handler sees."""

    RECEIVED = "received"
    REDELIVERED = "redelivered"
    """Received, and not for the first time; counted as received too."""
    DELETED = "deleted"
    DELETE_FAILED = "delete_failed"
    RETRIED = "retried"
    RELEASED = "released"
    VISIBILITY_FAILED = "visibility_failed"
    DEAD_LETTERED = "dead_lettered"
    DEAD_LETTER_FAILED = "dead_letter_failed"
    LEASE_LOST = "lease_lost"
    POLL_FAILED = "poll_failed"


class Observer:
    """Told of every event; a broker middleware that extends this class is told too."""

    def observe(self, event: Event, *, queue: str, amount: int = 1) -> None:
        """Take note that `event` happened to `amount` messages (or polls) of `queue`; must not raise."""
        raise NotImplementedError

    def received_after(self, seconds: float, *, queue: str) -> None:
        """Take note that a message was received `seconds` after it was sent; must not raise."""
