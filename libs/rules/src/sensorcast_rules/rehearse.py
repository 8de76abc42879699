"""Replays history through the code that decides live, and says what it would have come to.

The clock is that of the history: each reading is decided about when it was measured, each forecast when it was known,
and what only time brings once a minute in between.
"""

from collections.abc import Iterable, Mapping
from heapq import merge
from types import MappingProxyType

from sensorcast_common.clock import to_millis
from sensorcast_common.forecast import Forecast
from sensorcast_common.reading import Reading, SeriesKey
from sensorcast_common.rule import Rule
from sensorcast_rules.decision import Patience
from sensorcast_rules.memory import MemoryIncidents, NoCounts, Texts
from sensorcast_rules.outcome import Foresight, Rehearsal, outcomes_of
from sensorcast_rules.record import Recorder
from sensorcast_rules.risks import rated
from sensorcast_rules.rules_index import RulesIndex
from sensorcast_rules.series_state import SeriesStates
from sensorcast_rules.watchroom import Watchroom

_SWEEP_MS = 60_000
_CAPACITY = 100_000


async def rehearse(
    rules: Iterable[Rule],
    readings: Iterable[Reading],
    forecasts: Iterable[Forecast] = (),
    *,
    labels: Mapping[tuple[str, str], Mapping[str, str]] = MappingProxyType({}),
    until: int | None = None,
) -> Rehearsal:
    """Replay readings and forecasts.

    Args:
        rules: With the profiles of their products.
        readings: In order of event time.
        forecasts: In order of `known_at`; where they lack the risk of a rule's limit, it is estimated.
        labels: Of devices, by tenant and device, for rules that ask for them.
        until: How long to wait (ms) for what only time brings; by default until the last reading or forecast.
    """
    rules = list(rules)
    incidents, texts, foresight = MemoryIncidents(), Texts(), Foresight()
    index = RulesIndex(rules)
    clock = _HistoryClock(listens=any(rule.condition.kind == "silence" for rule in rules))
    nobody = NoCounts()
    recorder = Recorder(
        incidents=incidents,
        announcements=texts,
        hand_over=lambda *_: None,
        clock=clock.now,
        counts=nobody,
        note=lambda _: None,
    )
    states = SeriesStates(capacity=_CAPACITY)
    room = Watchroom(
        states=states, recorder=recorder, incidents=incidents, patience=Patience(), clock=clock.now, counts=nobody
    )
    await room.follow(index)
    states.label(labels)
    seen = known = estimated = 0
    observed = ((each.ts, 0, each) for each in readings)
    foreseen = ((to_millis(each.known_at), 1, each) for each in forecasts)
    for at, _, each in merge(observed, foreseen, key=lambda entry: entry[:2]):
        await clock.to(at, room, incidents)
        if isinstance(each, Reading):
            seen += 1
            await room.take([each], [])
        elif isinstance(each, Forecast):
            forecast, is_estimate = rated(each, _about(each.series, rules, labels))
            known, estimated = known + 1, estimated + is_estimate
            foresight.add(forecast)
            await room.take([], [(forecast, at)])
    if until is not None:
        await clock.to(until, room, incidents)
    told = (each.incident for each in incidents.items.values() if not each.incident.passed)
    shown = sorted((each for each in told if each.state != "pending"), key=lambda each: each.opened_at)
    return Rehearsal(tuple(shown), outcomes_of(shown, rules, foresight), texts.sms, seen, known, estimated)


def _about(series: SeriesKey, rules: Iterable[Rule], labels: Mapping[tuple[str, str], Mapping[str, str]]) -> list[Rule]:
    return [rule for rule in rules if rule.applies_to(series, labels.get((series.tenant, series.device)))]


class _HistoryClock:
    """The time of what is replayed.

    Args:
        listens: Whether a rule waits for silence, so that every minute counts.
    """

    def __init__(self, *, listens: bool) -> None:
        self._listens = listens
        self._now = 0
        self._swept = 0

    def now(self) -> int:
        return self._now

    async def to(self, at: int, room: Watchroom, incidents: MemoryIncidents) -> None:
        """Go on to `at`, and look around once a minute on the way while there may be something to see."""
        if not self._now:
            self._now = self._swept = at
        while at - self._swept >= _SWEEP_MS:
            if not self._listens and not incidents.are_open:
                self._swept = at - (at - self._swept) % _SWEEP_MS
                break
            self._swept += _SWEEP_MS
            self._now = max(self._now, self._swept)
            await room.reconcile([each async for each in incidents.live()])
            await room.look_around()
        self._now = max(self._now, at)
