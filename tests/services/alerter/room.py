"""An alerter without a network: a fake clock, tables in memory, a telephone that keeps what it gets."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal

from prometheus_client import CollectorRegistry

from sensorcast_alerter.announce import Announcer
from sensorcast_alerter.deliver import Caps, Courier
from sensorcast_alerter.dispatch import Dispatch
from sensorcast_alerter.metrics import AlerterMetrics
from sensorcast_alerter.notices import Announcements
from sensorcast_alerter.notify.address_book import AddressBook
from sensorcast_alerter.notify.inhibit import InhibitStage
from sensorcast_alerter.notify.message import Message, Writer
from sensorcast_alerter.notify.pipeline import build_pipeline
from sensorcast_alerter.notify.tariff import Tariff
from sensorcast_alerter.ports import ContactsSource, Deliveries, LabelsSource, Outbox, Sender
from sensorcast_alerter.sweep import Devices, Sweep
from sensorcast_alerter.traced import Origins, TracedIncidents
from sensorcast_common.clock import from_millis, to_millis
from sensorcast_common.device import Device
from sensorcast_common.forecast import Forecast, LimitRisk
from sensorcast_common.incident import Basis, Channel, Incident, IncidentEntry, IncidentState, Notice
from sensorcast_common.reading import Reading, SeriesKey
from sensorcast_common.recipient import SEVERITIES, Severity
from sensorcast_common.rule import ForecastCondition, LimitCondition, Rule
from sensorcast_common.tables.contacts import Contacts
from sensorcast_common.tables.incident_journal import entry_of
from sensorcast_common.tables.incidents import AlreadyOpen, AlreadyOver, IncidentConflict, StoredIncident
from sensorcast_common.tracing import Tracing
from sensorcast_rules.decision import Patience
from sensorcast_rules.measure import Point
from sensorcast_rules.ports import Incidents, Past, Rules
from sensorcast_rules.record import Recorder
from sensorcast_rules.series_state import SeriesStates
from sensorcast_rules.watchroom import Watchroom

MIDNIGHT = to_millis(datetime(2025, 1, 15, tzinfo=UTC))
NUMBER = "+4915112345678"


def at(text: str) -> int:
    """Milliseconds of `HH:MM` or `HH:MM:SS` on the day of the tests."""
    hours, minutes, *seconds = (int(part) for part in text.split(":"))
    return MIDNIGHT + ((hours * 60 + minutes) * 60 + (seconds[0] if seconds else 0)) * 1000


def limit_rule(
    *,
    rule_id: str = "chilled",
    above: float | None = 8.0,
    below: float | None = None,
    hold_seconds: int = 0,
    clear_margin: float = 0.0,
    forecast: ForecastCondition | None = None,
    device: str = "truck-*",
    sms: Sequence[str] = (NUMBER,),
) -> Rule:
    condition = LimitCondition(
        above=above, below=below, hold_seconds=hold_seconds, clear_margin=clear_margin, forecast=forecast
    )
    return Rule(tenant="acme", rule_id=rule_id, name="Chilled goods", device=device, condition=condition, sms=list(sms))


def reading(when: str | int, value: float, *, device: str = "truck-1", received: str | int | None = None) -> Reading:
    ts = at(when) if isinstance(when, str) else when
    got = ts if received is None else at(received) if isinstance(received, str) else received
    return Reading("acme", device, "temperature", ts, value, "Cel", got)


def forecast(
    known_at: str,
    probability: float,
    *,
    rule_id: str = "chilled",
    threshold: float = 8.0,
    side: Literal["above", "below"] = "above",
    last_value: float = 7.9,
    expected: str | None = None,
) -> Forecast:
    known = from_millis(at(known_at))
    points = [last_value] * 12
    return Forecast(
        tenant="acme",
        device="truck-1",
        metric="temperature",
        unit="Cel",
        known_at=known,
        last_value=last_value,
        step_seconds=300,
        start=known + timedelta(minutes=5),
        q10=points,
        q50=points,
        q90=points,
        risks=[
            LimitRisk(
                rule_id=rule_id,
                side=side,
                threshold=threshold,
                probability=probability,
                expected_at=from_millis(at(expected)) if expected else None,
            )
        ],
        model="test/1",
        trained_from=known - timedelta(days=1),
        trained_to=known,
    )


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


class Room:
    """An alerter; several may share tables and telephone.

    Args:
        rules: The rules in the table.
        tables: Another alerter's tables.
        telephone: Another alerter's telephone.
        capacity: Series that are remembered.
        patience: What is too old to open anything.
        backlog: Notices of one channel that wait in memory.
        caps: How many SMS a day.
        countries: To which SMS may go.
        group_wait: Seconds that a message waits for others.
        tracing: Starts spans.
        tariff: What SMS cost.
    """

    def __init__(
        self,
        *rules: Rule,
        tables: MemoryTables | None = None,
        telephone: Telephone | None = None,
        capacity: int = 100,
        patience: Patience | None = None,
        backlog: int = 100,
        caps: Caps | None = None,
        countries: Collection[str] = (),
        group_wait: float = 0.0,
        tracing: Tracing | None = None,
        tariff: Tariff | None = None,
    ) -> None:
        self.now = MIDNIGHT
        self.tables = tables or MemoryTables()
        self.tables.rules += rules
        self.telephone = telephone or Telephone()
        self.vehicle = Telephone()
        self.registry = CollectorRegistry()
        metrics = self.metrics = AlerterMetrics(self.registry)
        self.mailbox, self.hook, self.chat = Telephone(), Telephone(), Telephone()
        senders: dict[Channel, tuple[Sender, int]] = {
            Channel.SMS: (self.telephone, 2),
            Channel.EMAIL: (self.mailbox, 1),
            Channel.WEBHOOK: (self.hook, 1),
            Channel.SLACK: (self.chat, 1),
            Channel.MQTT: (self.vehicle, 1),
        }
        book, inhibit = AddressBook(), InhibitStage()
        pipeline = build_pipeline(
            book, channels=senders.keys(), inhibit=inhibit, countries=countries, count=metrics.hold
        )
        self.announcer = Announcer(
            outbox=self.tables,
            courier=Courier(
                outbox=self.tables,
                deliveries=self.tables,
                writer=Writer(timezone=UTC),
                clock=self.clock,
                metrics=metrics,
                caps=caps or Caps(),
                tracing=tracing,
                tariff=tariff,
            ),
            senders=senders,
            clock=self.clock,
            metrics=metrics,
            group_wait=group_wait,
            backlog=backlog,
        )
        self.past = self.tables.past
        self.origins = Origins()
        incidents: Incidents = self.tables
        if tracing is not None:
            incidents = TracedIncidents(self.tables, origins=self.origins, tracing=tracing)
        self.states = SeriesStates(capacity=capacity)
        self.watchroom = Watchroom(
            states=self.states,
            recorder=Recorder(
                incidents=incidents,
                announcements=Announcements(pipeline, mqtt=True),
                hand_over=self.announcer.hand_over,
                clock=self.clock,
                counts=metrics,
            ),
            incidents=incidents,
            patience=patience or Patience(),
            clock=self.clock,
            counts=metrics,
            past=self.past,
        )
        self.devices = MemoryDevices()
        self.sweeper = Sweep(
            rules=self.tables,
            incidents=incidents,
            watchroom=self.watchroom,
            dispatch=Dispatch(
                book=book,
                inhibit=inhibit,
                pipeline=pipeline,
                contacts=self.tables.book,
                labels=self.tables,
                outbox=self.tables,
                announcer=self.announcer,
                clock=self.clock,
            ),
            metrics=metrics,
            devices=self.devices,
            clock=self.clock,
        )

    def clock(self) -> int:
        return self.now

    async def sweep(self, when: str | None = None) -> None:
        """Look at the tables at `when`, and send what is to be sent."""
        self.now = at(when) if when else self.now
        await self.sweeper.once()
        await self.send()

    async def take(self, *observations: Reading | Forecast, when: str | None = None) -> None:
        """Handle one batch of messages at `when`; by default at the time of the newest observation."""
        self.now = at(when) if when else max(self.now, *map(_time, observations))
        for each in observations:
            if isinstance(each, Reading):
                self.past.keep(each)
        await self.watchroom.take(
            [each for each in observations if isinstance(each, Reading)],
            [(each, self.now) for each in observations if isinstance(each, Forecast)],
        )
        await self.send()

    async def play(self, *observations: Reading | Forecast) -> None:
        """Handle each in a batch of its own, when it was made."""
        for each in observations:
            await self.take(each)

    async def send(self) -> None:
        """Let everything that was handed over be tried."""
        sending = asyncio.create_task(self.announcer.run())
        await self.announcer.drain(within=5)
        sending.cancel()
        await asyncio.wait([sending])

    @property
    def incidents(self) -> list[Incident]:
        """All that people may hear of, oldest first: neither pending ones, nor those that ended so or are withdrawn."""
        told = (
            each.incident
            for each in self.tables.items.values()
            if not (each.incident.passed or each.incident.withdrawn)
        )
        return sorted(
            (each for each in told if each.state is not IncidentState.PENDING), key=lambda each: each.opened_at
        )

    @property
    def withdrawn(self) -> int:
        """How many incidents turned out never to have been."""
        return sum(each.incident.withdrawn for each in self.tables.items.values())

    @property
    def pending(self) -> list[Incident]:
        """Those whose hold time runs."""
        return [each.incident for each in self.tables.items.values() if each.incident.state is IncidentState.PENDING]

    def acknowledge(self, incident: Incident, *, by: str, note: str) -> None:
        """What the API stores when somebody sees to an incident."""
        stored = self.tables.items[incident.incident_id]
        after = stored.incident.model_copy(
            update={
                "state": IncidentState.ACKNOWLEDGED,
                "acknowledged_by": by,
                "acknowledged_at": from_millis(self.now),
                "note": note,
            }
        )
        self.tables.items[incident.incident_id] = stored._replace(incident=after, revision=stored.revision + 1)
        entry = entry_of(after, "acknowledged", now=self.now, reason="acknowledged", by=by, note=note)
        self.tables.history[incident.incident_id].append(entry)

    def history(self, incident: Incident) -> list[str]:
        """The transitions of an incident."""
        return [entry.transition for entry in self.tables.history[incident.incident_id]]

    @property
    def bases(self) -> list[Basis]:
        """What each rests on, oldest first."""
        return [incident.basis for incident in self.incidents]

    @property
    def only(self) -> Incident:
        (incident,) = self.incidents
        return incident

    @property
    def sms(self) -> list[str]:
        """The texts that were sent."""
        return [message.text for message in self.telephone.got]

    def predictions(self, outcome: str) -> float:
        """How many predicted incidents ended so."""
        return self.registry.get_sample_value("sensorcast_alerter_predictions_total", {"outcome": outcome}) or 0

    def decided(self, reason: str) -> float:
        """How often that reason was given."""
        return self.registry.get_sample_value("sensorcast_alerter_decisions_total", {"reason": reason}) or 0


def _time(observation: Reading | Forecast) -> int:
    return observation.received_at if isinstance(observation, Reading) else to_millis(observation.known_at)


async def opened_room(*rules: Rule) -> Room:
    """An alerter that has read its rules."""
    room = Room(*rules)
    await room.sweep()
    return room


def spans(incidents: Iterable[Incident]) -> list[tuple[str, str, str | None]]:
    """Opening, state and end of each, for comparison."""
    return [
        (
            f"{each.opened_at:%H:%M:%S}",
            each.state,
            f"{each.resolved_at:%H:%M:%S}" if each.resolved_at else None,
        )
        for each in incidents
    ]
