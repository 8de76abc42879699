"""An alerter without a network: a fake clock, tables in memory, a telephone."""

import asyncio
from collections.abc import Collection, Iterable
from datetime import UTC
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry
from tests.services.alerter.memory import MemoryDevices, MemoryTables, Telephone
from tests.services.alerter.observations import MIDNIGHT, at

from sensorcast_alerter.announce import Announcer
from sensorcast_alerter.deliver import Caps, Courier
from sensorcast_alerter.dispatch import Dispatch
from sensorcast_alerter.metrics import AlerterMetrics
from sensorcast_alerter.notices import Announcements
from sensorcast_alerter.notify.address_book import AddressBook
from sensorcast_alerter.notify.inhibit import InhibitStage
from sensorcast_alerter.notify.message import Writer
from sensorcast_alerter.notify.pipeline import build_pipeline
from sensorcast_alerter.notify.tariff import Tariff
from sensorcast_alerter.sweep import Sweep
from sensorcast_alerter.traced import Origins, TracedIncidents
from sensorcast_common.clock import from_millis, to_millis
from sensorcast_common.forecast import Forecast
from sensorcast_common.incident import Basis, Incident, IncidentState
from sensorcast_common.notice import Channel
from sensorcast_common.reading import Reading
from sensorcast_common.rule import Rule
from sensorcast_common.tables.incident_journal import entry_of
from sensorcast_common.tracing import Tracing
from sensorcast_rules.decision import Patience
from sensorcast_rules.record import Recorder
from sensorcast_rules.series_state import SeriesStates
from sensorcast_rules.watchroom import Watchroom

if TYPE_CHECKING:
    from sensorcast_alerter.ports import Sender
    from sensorcast_rules.ports import Incidents


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
            marks=self.tables.marks,
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
