"""What sending needs of the world; the table and the channels implement it, fakes in tests subclass it."""

from typing import Protocol

from sensorcast_common.incident import Incident, Notice


class Refused(Exception):  # noqa: N818 - what the channel answered
    """The channel will never take this notice: trying again is of no use."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Outbox(Protocol):
    """Who may send a notice now, and which were sent."""

    async def claim(self, incident: Incident, notice: Notice, *, now: int, until: int) -> bool:
        """Take a pending notice for a time."""
        ...

    async def postpone(self, incident: Incident, notice: Notice, *, until: int) -> None:
        """Nobody tries before `until`."""
        ...

    async def settle(self, incident: Incident, notice: Notice, *, now: int, refused: str | None = None) -> None:
        """The notice is sent, or refused for good."""
        ...

    async def retire(self, incident: Incident, *, revision: int) -> None:
        """Nothing is left to do about a resolved incident."""
        ...


class Sender(Protocol):
    """One channel."""

    async def send(self, notice: Notice) -> None:
        """Return once the channel has accepted the notice.

        Raises:
            Refused: It never will.
            Retryable: It may later.
        """
        ...
