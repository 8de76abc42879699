"""The alerter's core: every observation goes through it, and so does the sweep that looks at time alone."""

import asyncio
from collections import Counter
from collections.abc import Iterable
from functools import partial
from typing import Final

from sensorcast_common.clock import Clock, to_millis
from sensorcast_common.device import Device
from sensorcast_common.forecast import Forecast
from sensorcast_common.incident import Incident
from sensorcast_common.reading import Reading
from sensorcast_common.stored_incident import StoredIncident
from sensorcast_rules.decide import decide
from sensorcast_rules.decision import Decision, Patience, Progress, Reason
from sensorcast_rules.foresee import foresee
from sensorcast_rules.listen import Listener
from sensorcast_rules.observe import Observations, by_series, is_newer, keep_late, oldest_first, worth_deciding
from sensorcast_rules.ports import Counts, Incidents, LateMarks, Past
from sensorcast_rules.reconcile import Reconciler
from sensorcast_rules.record import Recorder
from sensorcast_rules.revision import Reviser
from sensorcast_rules.rules_index import RulesIndex
from sensorcast_rules.series_state import SeriesState, SeriesStates, Watch, remember

_SERIES_AT_ONCE: Final = 16
"""Series whose transitions are stored side by side; within a series they stay in order."""

_MOST_OWED: Final = 64
"""Readings kept of a series whose transition could not be stored, the oldest first; the rest only come again."""


class Watchroom:
    """Keeps the state of the series, and turns observations into transitions.

    One batch or sweep is in it at a time. What it remembers of a series moves on only after the transition that it
    leads to is stored, so that a batch that failed halfway can be handled again as a whole.

    Args:
        states: What is remembered.
        recorder: Stores transitions.
        incidents: Where incidents are read.
        patience: What is too old to open anything.
        clock: The present.
        counts: Who counts.
        past: The hot store; without it, what comes out of order changes nothing, and silence is believed at once.
        marks: Where series that are to be revised are marked, so that a crash forgets none.
    """

    def __init__(
        self,
        *,
        states: SeriesStates,
        recorder: Recorder,
        incidents: Incidents,
        patience: Patience,
        clock: Clock,
        counts: Counts,
        past: Past | None = None,
        marks: LateMarks | None = None,
    ) -> None:
        self._states = states
        self._recorder = recorder
        self._patience = patience
        self._clock = clock
        self._counts = counts
        self._past = past
        self._listener = Listener(states=states, recorder=recorder, past=past, clock=clock, counts=counts)
        self._reviser = (
            None
            if past is None
            else Reviser(
                states=states,
                recorder=recorder,
                incidents=incidents,
                past=past,
                patience=patience,
                clock=clock,
                counts=counts,
                marks=marks,
            )
        )
        self._reconciler = Reconciler(
            states=states, recorder=recorder, incidents=incidents, patience=patience, clock=clock, counts=counts
        )
        self._lock = asyncio.Lock()

    async def take(self, readings: Iterable[Reading], forecasts: Iterable[tuple[Forecast, int]]) -> None:
        """Look at observations, and return once every transition they lead to is stored.

        Args:
            readings: In any order.
            forecasts: Each with the time it was published, in milliseconds.

        Raises:
            Exception: Whatever kept a transition from being stored; all of it may be taken again.
        """
        found = by_series(readings, forecasts)
        slots = asyncio.Semaphore(_SERIES_AT_ONCE)
        reasons: Counter[Reason] = Counter()
        async with self._lock:
            busy, seen = [], []
            for key, observations in found.items():
                state = self._states.of(key)
                ends_silence = state.listens and self._listener.note(state, observations.readings)
                seen.append(state)
                if self._skip(state, observations, reasons) and not ends_silence:
                    continue
                busy.append(self._series(state, observations, reasons, slots))
            outcomes = await asyncio.gather(*busy, return_exceptions=True)
            if self._reviser is not None:
                await self._reviser.mark(state for state in seen if state.late)
        for reason, count in reasons.items():
            self._counts.decided(reason, count)
        self._counts.watching(series=len(self._states), rules=len(self._states.index.rules))
        for outcome in outcomes:
            if outcome is not None:
                raise outcome

    def _skip(self, state: SeriesState, observations: Observations, reasons: "Counter[Reason]") -> bool:
        """Leave out the readings that change nothing; True where nothing remains. Most series end here."""
        if state.owed:
            observations.readings = oldest_first([*state.owed, *observations.readings])
            state.owed = []
        readings = observations.readings
        for at, reading in enumerate(readings):
            if worth_deciding(state, reading, reasons):
                del readings[:at]
                return False
        readings.clear()
        return not observations.forecasts

    async def _series(
        self, state: SeriesState, observations: Observations, reasons: "Counter[Reason]", slots: asyncio.Semaphore
    ) -> None:
        async with slots:
            if state.listens:
                await self._listener.end(state)
            await self._warm(state, observations)
            for at, reading in enumerate(observations.readings):
                if worth_deciding(state, reading, reasons):
                    try:
                        await self._reading(state, reading, reasons)
                    except Exception:
                        state.owed = observations.readings[at : at + _MOST_OWED]
                        raise
            for forecast, published in observations.forecasts:
                if is_newer(state, forecast, reasons):
                    await self._forecast(state, forecast, published, reasons)

    async def _warm(self, state: SeriesState, observations: Observations) -> None:
        """Give the measures of a series that is new here the readings that they would remember."""
        cold = [watch for watch in state.comparing if watch.limit.measure and watch.progress.memory is None]
        if self._past is not None and not state.warm and cold and observations.readings:
            first = observations.readings[0].ts
            start = first - max(watch.limit.measure.window for watch in cold if watch.limit.measure)
            points = await self._past.read(state.key, start=start, end=first)
            for watch in cold:
                watch.progress = remember(watch, points)
        state.warm = True

    async def _reading(self, state: SeriesState, reading: Reading, reasons: "Counter[Reason]") -> None:
        now = self._clock()
        was_quiet = state.quiet
        if state.newest_ts < 0:
            # The alerter before may have seen newer ones: what this one is about is looked at again in order.
            keep_late(state, reading)
        try:
            for watch in state.comparing:
                judge = partial(self._judge_reading, watch, reading, now)
                reasons[await self._recorder.carry_out(watch, judge, ready_at=reading.received_at)] += 1
        finally:
            state.settle()
        if state.quiet and (state.newest_ts < 0 or not was_quiet):
            state.quiet_since = reading.ts
        state.newest_ts = reading.ts
        state.unit = reading.unit

    async def _forecast(
        self, state: SeriesState, forecast: Forecast, published: int, reasons: "Counter[Reason]"
    ) -> None:
        now = self._clock()
        before = [watch.progress for watch in state.comparing]
        try:
            for watch in state.comparing:
                judge = partial(self._judge_forecast, watch, forecast, now)
                reasons[await self._recorder.carry_out(watch, judge, ready_at=published)] += 1
        except Exception:
            # It comes again as a whole, and must not be counted twice among the forecasts in a row.
            for watch, progress in zip(state.comparing, before, strict=True):
                watch.progress = progress
            raise
        finally:
            state.settle()
        state.newest_forecast = to_millis(forecast.known_at)

    def _judge_reading(
        self, watch: Watch, reading: Reading, now: int, progress: Progress, incident: Incident | None
    ) -> Decision:
        return decide(watch.limit, progress, incident, reading, now=now, patience=self._patience)

    def _judge_forecast(
        self, watch: Watch, forecast: Forecast, now: int, progress: Progress, incident: Incident | None
    ) -> Decision:
        return foresee(watch.limit, progress, incident, forecast, now=now, patience=self._patience)

    async def follow(self, index: RulesIndex) -> bool:
        """Judge by these rules from now on; tells whether they differ from those before."""
        async with self._lock:
            changed = index.rules != self._states.index.rules
            if changed:
                self._states.follow(index)
            self._counts.watching(series=len(self._states), rules=len(index.rules))
            return changed

    async def meet(self, devices: Iterable[Device]) -> None:
        """Know the devices, for rules about labels and silence."""
        async with self._lock:
            self._listener.meet(devices)

    async def look_around(self) -> None:
        """Notice silence, and revise what readings that came out of order have changed.

        Raises:
            Exception: The tables could not be reached; the next look tries again.
        """
        async with self._lock:
            await self._listener.sweep()
            if self._reviser is not None:
                await self._reviser.sweep()

    async def finish(self) -> None:
        """Revise what is left, before the process ends.

        Raises:
            Exception: The tables could not be reached.
        """
        async with self._lock:
            if self._reviser is not None:
                await self._reviser.sweep(everything=True)

    async def reconcile(self, live: Iterable[StoredIncident]) -> None:
        """Learn what other alerters have done, and end what only time or a removed rule ends.

        Args:
            live: The incidents of the table, as its index has them; what differs from memory is read again.
        """
        async with self._lock:
            await self._reconciler.follow(live)
