"""Incidents and their history, in memory."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from sensorcast_api import examples
from sensorcast_api.ports import Incidents, Journal
from sensorcast_common.clock import from_millis
from sensorcast_common.incident import LIVE_STATES, Incident, IncidentEntry, IncidentState
from sensorcast_common.stored_incident import StoredIncident
from sensorcast_common.tables.incident_journal import NotLive, entry_of

if TYPE_CHECKING:
    from sensorcast_common.notice import Notice


class FakeIncidents(Incidents):
    def __init__(self) -> None:
        self.items: dict[tuple[str, str], Incident] = {}
        self.outboxes: dict[str, dict[str, Notice]] = {}

    def put(self, tenant: str, incident_id: str, *, device: str = "truck-1", state: str = "open") -> Incident:
        changed = {"tenant": tenant, "incident_id": incident_id, "device": device, "state": IncidentState(state)}
        self.items[tenant, incident_id] = examples.INCIDENT.model_copy(update=changed)
        return self.items[tenant, incident_id]

    async def list(
        self, tenant: str, *, states: Collection[IncidentState] = (), limit: int, cursor: str | None
    ) -> tuple[Sequence[Incident], str | None]:
        found = [
            incident
            for (of, incident_id), incident in sorted(self.items.items(), reverse=True)
            if of == tenant and (not states or incident.state in states) and (cursor is None or incident_id < cursor)
        ]
        return found[:limit], found[limit - 1].incident_id if len(found) > limit else None

    async def get(self, tenant: str, incident_id: str) -> Incident | None:
        return self.items.get((tenant, incident_id))

    async def load(self, tenant: str, incident_id: str) -> StoredIncident | None:
        found = self.items.get((tenant, incident_id))
        return None if found is None else StoredIncident(found, 1, self.outboxes.get(incident_id, {}))


class FakeJournal(Journal):
    def __init__(self, incidents: FakeIncidents) -> None:
        self.incidents = incidents
        self.entries: dict[tuple[str, str], list[IncidentEntry]] = {}

    async def acknowledge(self, tenant: str, incident_id: str, *, by: str, note: str | None, now: int) -> Incident:
        incident = self.incidents.items[tenant, incident_id]
        if incident.state not in LIVE_STATES:
            raise NotLive(incident.state)
        if incident.state is IncidentState.OPEN:
            incident = incident.model_copy(
                update={
                    "state": IncidentState.ACKNOWLEDGED,
                    "acknowledged_by": by,
                    "acknowledged_at": from_millis(now),
                    "note": note,
                }
            )
            self.incidents.items[tenant, incident_id] = incident
            self._add(incident, entry_of(incident, "acknowledged", now=now, reason="acknowledged", by=by, note=note))
        return incident

    async def comment(self, tenant: str, incident_id: str, *, by: str, note: str, now: int) -> IncidentEntry:
        incident = self.incidents.items[tenant, incident_id]
        return self._add(incident, entry_of(incident, "commented", now=now, reason="commented", by=by, note=note))

    async def history(self, tenant: str, incident_id: str) -> Sequence[IncidentEntry]:
        return self.entries.get((tenant, self.incidents.items[tenant, incident_id].incident_id), [])

    def _add(self, incident: Incident, entry: IncidentEntry) -> IncidentEntry:
        self.entries.setdefault((incident.tenant, incident.incident_id), []).append(entry)
        return entry
