"""The errors that are instructions to whoever handed over a message."""


class Retryable(Exception):  # noqa: N818 - an instruction, not a fault
    """The work may succeed later: leave the message where it is and try it again.

    Args:
        reason: What stood in the way.
        after: Seconds to wait before the next try; `None` leaves it to the caller's backoff.
    """

    def __init__(self, reason: str, *, after: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.after = after


class Poison(Exception):  # noqa: N818 - an instruction, not a fault
    """The message can never be handled: set it aside now, with the reason, and do not try again."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
