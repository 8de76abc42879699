"""What the API needs of incidents and their history."""

from collections.abc import Collection, Sequence
from typing import Protocol

from sensorcast_common.incident import Incident, IncidentEntry, IncidentState
from sensorcast_common.stored_incident import StoredIncident


class Incidents(Protocol):
    """The incidents of a tenant."""

    async def list(
        self, tenant: str, *, states: Collection[IncidentState] = (), limit: int, cursor: str | None
    ) -> tuple[Sequence[Incident], str | None]:
        """One page, newest first, and where the next one begins."""
        ...

    async def get(self, tenant: str, incident_id: str) -> Incident | None:
        """One incident."""
        ...

    async def load(self, tenant: str, incident_id: str) -> StoredIncident | None:
        """One incident with its outbox."""
        ...


class Journal(Protocol):
    """What people do with incidents; see `sensorcast_common.tables.incident_journal` for the errors."""

    async def acknowledge(self, tenant: str, incident_id: str, *, by: str, note: str | None, now: int) -> Incident:
        """Note who sees to an open incident."""
        ...

    async def comment(self, tenant: str, incident_id: str, *, by: str, note: str, now: int) -> IncidentEntry:
        """Add a comment."""
        ...

    async def history(self, tenant: str, incident_id: str) -> Sequence[IncidentEntry]:
        """Every transition and comment, oldest first."""
        ...
