"""The world of a dry run: incidents that are kept in memory, and nobody who is told or counts."""

from collections.abc import AsyncIterator, Mapping, Sequence

from sensorcast_common.clock import from_millis
from sensorcast_common.incident import Incident, IncidentEntry
from sensorcast_common.notice import Channel, Notice, Occasion
from sensorcast_common.stored_incident import AlreadyOpen, AlreadyOver, IncidentConflict, StoredIncident
from sensorcast_rules.decision import Reason, Transition


class MemoryIncidents:
    """The table of incidents in memory, for one alerter; see `ports.Incidents`."""

    def __init__(self) -> None:
        self.items: dict[str, StoredIncident] = {}
        self._last: dict[tuple[str, ...], str] = {}
        self._open: set[str] = set()

    @property
    def are_open(self) -> bool:
        """Whether any is not over."""
        return bool(self._open)

    async def live(self) -> AsyncIterator[StoredIncident]:
        """Those that are not over."""
        for incident_id in sorted(self._open):
            yield self.items[incident_id]

    async def load(self, tenant: str, incident_id: str) -> StoredIncident | None:
        """One incident."""
        del tenant
        return self.items.get(incident_id)

    async def recent(self, tenant: str, since_id: str) -> Sequence[StoredIncident]:
        """Those from an id on."""
        del tenant
        return [stored for key, stored in self.items.items() if key >= since_id]

    async def add_over(self, incident: Incident, *, entry: IncidentEntry) -> bool:
        """Keep an incident that is over already."""
        del entry
        self.items[incident.incident_id] = StoredIncident(incident, 1, {})
        return True

    async def open(
        self,
        incident: Incident,
        notices: Sequence[Notice] = (),
        *,
        entry: IncidentEntry | None = None,
        revised: bool = False,
    ) -> StoredIncident:
        """Keep a new incident, one at a time for each series, rule and side."""
        del notices, entry
        key = (*incident.series, incident.rule_id, incident.side)
        if key in self._last:
            last = self.items[self._last[key]]
            if not last.incident.over:
                raise AlreadyOpen(last)
            ended = last.incident.resolved_at
            if not revised and ended is not None and ended >= incident.opened_at:
                raise AlreadyOver
        self._last[key] = incident.incident_id
        self._open.add(incident.incident_id)
        self.items[incident.incident_id] = StoredIncident(incident, 1, {})
        return self.items[incident.incident_id]

    async def change(
        self,
        before: StoredIncident,
        after: Incident,
        notices: Sequence[Notice] = (),
        *,
        entry: IncidentEntry | None = None,
    ) -> StoredIncident:
        """Keep the next state of an incident."""
        del notices, entry
        if self.items[after.incident_id].revision != before.revision:
            raise IncidentConflict
        if after.over:
            self._open.discard(after.incident_id)
        self.items[after.incident_id] = StoredIncident(after, before.revision + 1, {})
        return self.items[after.incident_id]


class Texts:
    """Counts the SMS that people would have got; see `ports.Announce`."""

    def __init__(self) -> None:
        self.sms = 0

    def of(
        self,
        transition: Transition,
        incident: Incident,
        *,
        sms: Sequence[str],
        outbox: Mapping[str, Notice],
        now: int,
        ready_at: int | None,
    ) -> list[Notice]:
        """The SMS of a transition; counted, and sent to nobody."""
        del outbox, ready_at
        told = transition is Transition.CONFIRMED or (transition is Transition.OPENED and not incident.late)
        if not told:
            return []
        self.sms += len(set(sms))
        return [
            Notice(
                occasion=Occasion.OPENED,
                channel=Channel.SMS,
                recipient=number,
                text="",
                created_at=from_millis(now),
            )
            for number in dict.fromkeys(sms)
        ]


class NoCounts:
    """Counts nothing; see `ports.Counts`."""

    def decided(self, reason: Reason, times: int = 1) -> None:
        """Count nothing."""

    def transition(self, basis: str, transition: str) -> None:
        """Count nothing."""

    def prediction(self, outcome: str) -> None:
        """Count nothing."""

    def conflict(self) -> None:
        """Count nothing."""

    def watching(self, *, series: int, rules: int) -> None:
        """Count nothing."""

    def live(self, incidents: int) -> None:
        """Count nothing."""
