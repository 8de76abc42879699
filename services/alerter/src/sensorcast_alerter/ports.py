"""What sending needs of the world; the table and the channels implement it, fakes in tests subclass it."""

from collections.abc import Collection, Mapping, Sequence
from typing import Literal, Protocol

from sensorcast_alerter.notify.message import Message
from sensorcast_common.incident import Incident
from sensorcast_common.notice import Notice
from sensorcast_common.recipient import Severity
from sensorcast_common.stored_incident import StoredIncident
from sensorcast_common.tables.contacts import Contacts


class Refused(Exception):  # noqa: N818 - what the channel answered
    """The channel will never take this message: trying again is of no use."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Outbox(Protocol):
    """Who may send a notice now, and which were sent."""

    async def add(self, stored: StoredIncident, notices: Sequence[Notice]) -> StoredIncident:
        """Put in what time alone has brought; raises `IncidentConflict` where the incident has changed."""
        ...

    async def claim(self, incident: Incident, notice: Notice, *, now: int, until: int) -> bool:
        """Take a pending notice for a time."""
        ...

    async def postpone(self, incident: Incident, notice: Notice, *, until: int) -> None:
        """Nobody tries before `until`."""
        ...

    async def settle(
        self,
        incident: Incident,
        notice: Notice,
        *,
        now: int,
        text: str | None = None,
        together: int = 1,
        refused: str | None = None,
        withheld: str | None = None,
    ) -> None:
        """The notice is sent, or refused for good, or kept back for good."""
        ...

    async def retire(self, incident: Incident, *, revision: int) -> None:
        """Nothing is left to do about a resolved incident."""
        ...


class ContactsSource(Protocol):
    """Where recipients, escalations and silences come from."""

    async def every(self) -> Contacts:
        """Those of all tenants."""
        ...


class LabelsSource(Protocol):
    """Where the labels of devices come from."""

    async def of(self, tenants: Collection[str], *, now: int) -> Mapping[tuple[str, str], Mapping[str, str]]:
        """Labels by tenant and device; they may be a minute old."""
        ...


class Deliveries(Protocol):
    """What was sent: counts, and when each group last had a message."""

    async def count(
        self, incident: Incident, notice: Notice, *, day: str, per_number: int, per_tenant: int, now: int
    ) -> Literal["number", "tenant"] | None:
        """Count a message once; says which cap is reached."""
        ...

    async def enter(self, tenant: str, group: str, *, now: int, until: int, interval: int, severity: Severity) -> bool:
        """Take the right to send to a group."""
        ...

    async def leave(self, tenant: str, group: str, *, sent_at: int | None, severity: Severity) -> None:
        """Give it back."""
        ...


class Sender(Protocol):
    """One channel."""

    async def send(self, message: Message) -> None:
        """Return once the channel has accepted the message.

        Raises:
            Refused: It never will.
            Retryable: It may later.
        """
        ...
