"""What the decisions need of the world: tables and counters implement it, fakes in tests and the dry run as well."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Protocol

from sensorcast_common.incident import Incident, IncidentEntry
from sensorcast_common.late_mark import LateMark
from sensorcast_common.notice import Notice
from sensorcast_common.reading import SeriesKey
from sensorcast_common.rule import Rule
from sensorcast_common.stored_incident import StoredIncident
from sensorcast_rules.decision import Reason, Transition
from sensorcast_rules.measure import Point


class Rules(Protocol):
    """Where rules come from."""

    def every(self) -> AsyncIterator[Rule]:
        """The rules of all tenants."""
        ...


class Incidents(Protocol):
    """Where incidents are kept; see `sensorcast_common.tables.incidents` for the errors."""

    def live(self) -> AsyncIterator[StoredIncident]:
        """Incidents that are not over or have notices to send; may be moments behind."""
        ...

    async def load(self, tenant: str, incident_id: str) -> StoredIncident | None:
        """One incident as it is now."""
        ...

    async def recent(self, tenant: str, since_id: str) -> Sequence[StoredIncident]:
        """The incidents of a tenant from an id on, also those that are pending or have passed; consistent."""
        ...

    async def add_over(self, incident: Incident, *, entry: IncidentEntry) -> bool:
        """Store an incident that is over already; tells whether it is new."""
        ...

    async def open(
        self,
        incident: Incident,
        notices: Sequence[Notice] = (),
        *,
        entry: IncidentEntry | None = None,
        revised: bool = False,
    ) -> StoredIncident:
        """Store a new incident with its notices; a `revised` one may begin before the last one ended."""
        ...

    async def change(
        self,
        before: StoredIncident,
        after: Incident,
        notices: Sequence[Notice] = (),
        *,
        entry: IncidentEntry | None = None,
    ) -> StoredIncident:
        """Store the next state of an incident with its notices."""
        ...


class Past(Protocol):
    """Where readings of the past come from."""

    async def read(self, series: SeriesKey, *, start: int, end: int) -> Sequence[Point]:
        """The readings of a series with `start` <= ts < `end`, by time; one value per time."""
        ...


class LateMarks(Protocol):
    """Which series are still to be revised, for whoever comes after a crash."""

    async def note(self, mark: LateMark, *, now: int) -> None:
        """Mark a series from a reading on; a mark that is earlier stays."""
        ...

    async def done(self, series: SeriesKey, *, ts: int) -> None:
        """Take the mark away that begins at `ts`."""
        ...

    async def left(self, *, before: int) -> Sequence[LateMark]:
        """The marks that were set before a time, in milliseconds."""
        ...


class Announce(Protocol):
    """Who is told of a transition, by which way, and in which words."""

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
        """The notices of one transition, beside those in the outbox; none where nobody is to be told."""
        ...


class Counts(Protocol):
    """What is counted."""

    def decided(self, reason: Reason, times: int = 1) -> None:
        """Decisions about an observation under a limit."""
        ...

    def transition(self, basis: str, transition: str) -> None:
        """A transition was stored."""
        ...

    def prediction(self, outcome: str) -> None:
        """What became of a predicted incident: `came_true`, `false_alarm` or `forecast_cleared`."""
        ...

    def conflict(self) -> None:
        """A transition came too late: another alerter had changed the incident."""
        ...

    def watching(self, *, series: int, rules: int) -> None:
        """How many series are remembered, and how many rules are in force."""
        ...

    def live(self, incidents: int) -> None:
        """How many incidents are not over."""
        ...
