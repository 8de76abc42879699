"""The alerter's tables in memory, and a telephone that keeps what it gets."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from typing import Literal

from sensorcast_alerter.notify.message import Message
from sensorcast_alerter.ports import ContactsSource, Deliveries, LabelsSource, Outbox, Sender
from sensorcast_alerter.sweep import Devices
from sensorcast_common.clock import from_millis, to_millis
from sensorcast_common.device import Device
from sensorcast_common.incident import Incident, IncidentEntry
from sensorcast_common.late_mark import LateMark
from sensorcast_common.notice import Notice
from sensorcast_common.reading import Reading, SeriesKey
from sensorcast_common.recipient import SEVERITIES, Severity
from sensorcast_common.rule import Rule
from sensorcast_common.stored_incident import AlreadyOpen, AlreadyOver, IncidentConflict, StoredIncident
from sensorcast_common.tables.contacts import Contacts
from sensorcast_rules.measure import Point
from sensorcast_rules.ports import Incidents, LateMarks, Past, Rules


class MemoryBook(ContactsSource):
    """The table of contacts."""

    def __init__(self) -> None:
        self.contacts = Contacts([], [], [])

    async def every(self) -> Contacts:
        return self.contacts


class MemoryTables(Incidents, Outbox, Rules, Deliveries, LabelsSource):
    """The tables of rules, incidents, contacts and deliveries, as `sensorcast_common.tables` promises them."""

    def __init__(self) -> None:
        self.rules: list[Rule] = []
        self.items: dict[str, StoredIncident] = {}
        self.markers: dict[tuple[str, ...], tuple[str, int | None]] = {}
        self.past = MemoryPast()
        self.marks = MemoryMarks()
        self.history: dict[str, list[IncidentEntry]] = {}
        self.away = False
        self.settling_fails = 0
        self.writes = 0
        self.book = MemoryBook()
        self.labels: dict[tuple[str, str], Mapping[str, str]] = {}
        self.counts: Counter[str] = Counter()
        self.groups: dict[str, tuple[int, int]] = {}
        self.leases: dict[str, int] = {}

    def _reach(self) -> None:
        if self.away:
            raise ConnectionError("DynamoDB is away")

    async def every(self) -> AsyncIterator[Rule]:
        self._reach()
        for rule in self.rules:
            yield rule

    async def live(self) -> AsyncIterator[StoredIncident]:
        self._reach()
        for stored in list(self.items.values()):
            if not stored.incident.over or any(each.pending for each in stored.outbox.values()):
                yield stored

    async def load(self, tenant: str, incident_id: str) -> StoredIncident | None:
        self._reach()
        return self.items.get(incident_id)

    async def open(
        self,
        incident: Incident,
        notices: Sequence[Notice] = (),
        *,
        entry: IncidentEntry | None = None,
        revised: bool = False,
    ) -> StoredIncident:
        await asyncio.sleep(0)
        self._reach()
        key = (*incident.series, incident.rule_id, incident.side)
        last, ended = self.markers.get(key, (None, None))
        if last is not None and ended is None:
            raise AlreadyOpen(self.items[last])
        if not revised and ended is not None and ended >= to_millis(incident.opened_at):
            raise AlreadyOver
        self.markers[key] = (incident.incident_id, None)
        self._note(incident, entry)
        return self._put(StoredIncident(incident, 1, {each.key: each for each in notices}))

    async def recent(self, tenant: str, since_id: str) -> list[StoredIncident]:
        self._reach()
        return [stored for key, stored in self.items.items() if key >= since_id and stored.incident.tenant == tenant]

    async def add_over(self, incident: Incident, *, entry: IncidentEntry) -> bool:
        self._reach()
        if incident.incident_id in self.items:
            return False
        self._note(incident, entry)
        self._put(StoredIncident(incident, 1, {}))
        return True

    async def change(
        self,
        before: StoredIncident,
        after: Incident,
        notices: Sequence[Notice] = (),
        *,
        entry: IncidentEntry | None = None,
    ) -> StoredIncident:
        await asyncio.sleep(0)
        self._reach()
        now = self.items[after.incident_id]
        if now.revision != before.revision:
            raise IncidentConflict
        self._note(after, entry)
        if after.resolved_at is not None:
            self.markers[(*after.series, after.rule_id, after.side)] = (after.incident_id, to_millis(after.resolved_at))
        return self._put(
            StoredIncident(after, now.revision + 1, {**{each.key: each for each in notices}, **now.outbox})
        )

    async def add(self, stored: StoredIncident, notices: Sequence[Notice]) -> StoredIncident:
        self._reach()
        now = self.items[stored.incident.incident_id]
        if now.revision != stored.revision:
            raise IncidentConflict
        return self._put(
            StoredIncident(now.incident, now.revision + 1, {**now.outbox, **{each.key: each for each in notices}})
        )

    async def claim(self, incident: Incident, notice: Notice, *, now: int, until: int) -> bool:
        self._reach()
        stored = self.items[incident.incident_id].outbox[notice.key]
        if not stored.pending or (stored.held_until is not None and to_millis(stored.held_until) > now):
            return False
        self._mark(incident, stored, held_until=from_millis(until), attempts=stored.attempts + 1)
        return True

    async def postpone(self, incident: Incident, notice: Notice, *, until: int) -> None:
        self._reach()
        self._mark(incident, notice, held_until=from_millis(until))

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
        self._reach()
        if self.settling_fails:
            self.settling_fails -= 1
            raise ConnectionError("DynamoDB is away")
        if refused is not None:
            self._mark(incident, notice, refused=refused)
        elif withheld is not None:
            self._mark(incident, notice, withheld=withheld)
        else:
            self._mark(incident, notice, sent_at=from_millis(now), together=together, text=text or notice.text)

    async def retire(self, incident: Incident, *, revision: int) -> None:
        self._reach()

    def _note(self, incident: Incident, entry: IncidentEntry | None) -> None:
        if entry is not None:
            self.history.setdefault(incident.incident_id, []).append(entry)

    async def of(self, tenants: Collection[str], *, now: int) -> Mapping[tuple[str, str], Mapping[str, str]]:
        return {key: labels for key, labels in self.labels.items() if key[0] in tenants}

    async def count(
        self, incident: Incident, notice: Notice, *, day: str, per_number: int, per_tenant: int, now: int
    ) -> Literal["number", "tenant"] | None:
        self._reach()
        if self.items[incident.incident_id].outbox[notice.key].counted:
            return None
        number, tenant = f"{day}#{notice.recipient}", f"{day}#{incident.tenant}"
        if self.counts[number] >= per_number:
            return "number"
        if self.counts[tenant] >= per_tenant:
            return "tenant"
        self.counts.update((number, tenant))
        self._mark(incident, notice, counted=day)
        return None

    async def enter(self, tenant: str, group: str, *, now: int, until: int, interval: int, severity: Severity) -> bool:
        self._reach()
        key, rank = f"{tenant}#{group}", SEVERITIES.index(severity)
        sent_at, sent_rank = self.groups.get(key, (now - interval, rank))
        if self.leases.get(key, 0) > now or (sent_at > now - interval and sent_rank >= rank):
            return False
        self.leases[key] = until
        return True

    async def leave(self, tenant: str, group: str, *, sent_at: int | None, severity: Severity) -> None:
        self._reach()
        self.leases.pop(f"{tenant}#{group}", None)
        if sent_at is not None:
            self.groups[f"{tenant}#{group}"] = (sent_at, SEVERITIES.index(severity))

    def _mark(self, incident: Incident, notice: Notice, **changes: object) -> None:
        stored = self.items[incident.incident_id]
        changed = stored.outbox[notice.key].model_copy(update=changes)
        self.items[incident.incident_id] = stored._replace(outbox={**stored.outbox, notice.key: changed})

    def _put(self, stored: StoredIncident) -> StoredIncident:
        self.items[stored.incident.incident_id] = stored
        self.writes += 1
        return stored


class MemoryPast(Past):
    """The hot store: it keeps every reading, one per series and time, once it has been handed in."""

    def __init__(self) -> None:
        self.values: dict[SeriesKey, dict[int, float]] = {}

    def keep(self, reading: Reading) -> None:
        self.values.setdefault(reading.series, {}).setdefault(reading.ts, reading.value)

    async def read(self, series: SeriesKey, *, start: int, end: int) -> list[Point]:
        kept = self.values.get(series, {})
        return [Point(ts, kept[ts]) for ts in sorted(kept) if start <= ts < end]


class MemoryMarks(LateMarks):
    """The marks of the series that are to be revised."""

    def __init__(self) -> None:
        self.items: dict[SeriesKey, tuple[LateMark, int]] = {}

    async def note(self, mark: LateMark, *, now: int) -> None:
        known = self.items.get(mark.series)
        if known is None or known[0].ts > mark.ts:
            self.items[mark.series] = (mark, now)

    async def done(self, series: SeriesKey, *, ts: int) -> None:
        if series in self.items and self.items[series][0].ts == ts:
            del self.items[series]

    async def left(self, *, before: int) -> list[LateMark]:
        return [mark for mark, noted_at in self.items.values() if noted_at < before]


class MemoryDevices(Devices):
    """The devices that a test knows."""

    def __init__(self) -> None:
        self.items: list[Device] = []

    async def active(self, since_ms: int) -> AsyncIterator[Device]:
        for device in self.items:
            yield device


class Telephone(Sender):
    """Keeps what it gets, or raises what it is told to."""

    def __init__(self) -> None:
        self.got: list[Message] = []
        self.raises: Exception | None = None

    async def send(self, message: Message) -> None:
        await asyncio.sleep(0)
        if self.raises is not None:
            raise self.raises
        self.got.append(message)
