"""Knows when everything that came with one batch of messages is safe."""

from collections.abc import Callable


class Receipt:
    """Calls `acknowledge` once, when everybody who held it has released it.

    The one who makes it holds it first, and releases it after passing the messages on.

    Args:
        acknowledge: Sends the PUBACKs.
        trace: The traceparent of the message, where it is traced by itself.

    Attributes:
        trace: As given.
    """

    __slots__ = ("_acknowledge", "_held", "trace")

    def __init__(self, acknowledge: Callable[[], None], *, trace: str | None = None) -> None:
        self._acknowledge = acknowledge
        self.trace = trace
        self._held = 1

    def hold(self) -> None:
        """One more part is on its way."""
        self._held += 1

    def release(self) -> None:
        """One part is safe.

        Raises:
            RuntimeError: It was released more often than it was held.
        """
        self._held -= 1
        if self._held < 0:
            raise RuntimeError("a receipt was released more often than it was held")
        if self._held == 0:
            self._acknowledge()
