"""What the alerter needs of the world; tables and senders implement it, fakes in tests subclass it."""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from sensorcast_common.incident import Incident, Notice
from sensorcast_common.rule import Rule
from sensorcast_common.tables.incidents import StoredIncident


class Refused(Exception):  # noqa: N818 - what the channel answered
    """The channel will never take this notice: trying again is of no use."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Rules(Protocol):
    """Where rules come from."""

    def every(self) -> AsyncIterator[Rule]:
        """The rules of all tenants."""
        ...


class Incidents(Protocol):
    """Where incidents are kept; see `sensorcast_common.tables.incidents` for the errors."""

    def live(self) -> AsyncIterator[StoredIncident]:
        """Incidents that are open or have notices to send; may be moments behind."""
        ...

    async def load(self, tenant: str, incident_id: str) -> StoredIncident | None:
        """One incident as it is now."""
        ...

    async def open(self, incident: Incident, notices: Sequence[Notice] = ()) -> StoredIncident:
        """Store a new incident with its notices."""
        ...

    async def change(self, before: StoredIncident, after: Incident, notices: Sequence[Notice] = ()) -> StoredIncident:
        """Store the next state of an incident with its notices."""
        ...


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


class Counts(Protocol):
    """What is counted of transitions."""

    def transition(self, basis: str, transition: str) -> None:
        """One was stored."""
        ...

    def conflict(self) -> None:
        """One came too late: another alerter had changed the incident."""
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
