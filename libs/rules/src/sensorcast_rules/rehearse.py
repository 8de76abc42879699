"""Replays history through the code that decides live, and says what it would have come to.

The clock is that of the history: each reading is decided about when it was measured, each forecast when it was known,
and what only time brings once a minute in between.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import merge

from sensorcast_common.clock import from_millis, to_millis
from sensorcast_common.forecast import Forecast
from sensorcast_common.incident import Basis, Channel, Incident, IncidentEntry, Notice, Occasion
from sensorcast_common.reading import Reading
from sensorcast_common.rule import Rule
from sensorcast_common.tables.incidents import AlreadyOpen, AlreadyOver, IncidentConflict, StoredIncident
from sensorcast_rules.decision import Patience, Reason, Transition
from sensorcast_rules.record import Recorder
from sensorcast_rules.rules_index import RulesIndex
from sensorcast_rules.series_state import SeriesStates
from sensorcast_rules.watchroom import Watchroom

_SWEEP_MS = 60_000
_CAPACITY = 100_000


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What rules would have done.

    Attributes:
        incidents: Those that people would have heard of, oldest first.
        sms: How many SMS would have been sent, one to each number of the rule when an incident opens.
    """

    incidents: tuple[Incident, ...]
    sms: int

    @property
    def came_true(self) -> int:
        """Incidents that were predicted and happened."""
        return sum(each.forecast_known_at is not None and each.observed_at is not None for each in self.incidents)

    @property
    def false_alarms(self) -> int:
        """Incidents that were predicted and did not happen."""
        return sum(each.basis is Basis.PREDICTED and each.over for each in self.incidents)

    @property
    def unforeseen(self) -> int:
        """Breaches that no forecast had warned of."""
        return sum(each.forecast_known_at is None for each in self.incidents)

    @property
    def lead_minutes(self) -> tuple[float, ...]:
        """How long before each predicted breach the warning came, ascending."""
        return tuple(
            sorted(
                (each.observed_at - each.opened_at).total_seconds() / 60
                for each in self.incidents
                if each.forecast_known_at is not None and each.observed_at is not None
            )
        )


async def rehearse(rules: Iterable[Rule], readings: Iterable[Reading], forecasts: Iterable[Forecast] = ()) -> Rehearsal:
    """Replay readings and forecasts.

    Args:
        rules: With the profiles of their products.
        readings: In order of event time.
        forecasts: In order of `known_at`.
    """
    incidents, texts, clock = MemoryIncidents(), Texts(), _HistoryClock()
    nobody = NoCounts()
    recorder = Recorder(
        incidents=incidents, announcements=texts, hand_over=lambda *_: None, clock=clock.now, counts=nobody
    )
    room = Watchroom(
        states=SeriesStates(capacity=_CAPACITY),
        recorder=recorder,
        incidents=incidents,
        patience=Patience(),
        clock=clock.now,
        counts=nobody,
    )
    await room.follow(RulesIndex(rules))
    observed = ((each.ts, 0, each) for each in readings)
    foreseen = ((to_millis(each.known_at), 1, each) for each in forecasts)
    for at, _, each in merge(observed, foreseen, key=lambda entry: entry[:2]):
        await clock.to(at, room, incidents)
        if isinstance(each, Reading):
            await room.take([each], [])
        elif isinstance(each, Forecast):
            await room.take([], [(each, at)])
    told = (each.incident for each in incidents.items.values() if not each.incident.passed)
    shown = [each for each in told if each.state != "pending"]
    return Rehearsal(tuple(sorted(shown, key=lambda each: each.opened_at)), texts.sms)


class _HistoryClock:
    """The time of what is replayed."""

    def __init__(self) -> None:
        self._now = 0
        self._swept = 0

    def now(self) -> int:
        return self._now

    async def to(self, at: int, room: Watchroom, incidents: "MemoryIncidents") -> None:
        """Go on to `at`, and look around once a minute on the way while there may be something to see."""
        if not self._now:
            self._now = self._swept = at
        while at - self._swept >= _SWEEP_MS:
            self._swept += _SWEEP_MS
            self._now = max(self._now, self._swept)
            await room.reconcile([each async for each in incidents.live()])
            await room.look_around()
        self._now = max(self._now, at)


class MemoryIncidents:
    """The table of incidents in memory, for one alerter; see `ports.Incidents`."""

    def __init__(self) -> None:
        self.items: dict[str, StoredIncident] = {}
        self._last: dict[tuple[str, ...], str] = {}
        self._open: set[str] = set()

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
