"""Revises the incidents of the series whose readings came out of order."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Final

from sensorcast_common import logs
from sensorcast_common.clock import Clock
from sensorcast_common.identity import first_id_at
from sensorcast_common.incident import Incident
from sensorcast_common.late_mark import LateMark
from sensorcast_common.stored_incident import IncidentConflict, StoredIncident
from sensorcast_rules.decision import Decision, Patience, Progress, Reason, Transition
from sensorcast_rules.measure import MINUTE_MS, Point
from sensorcast_rules.ports import Counts, Incidents, LateMarks, Past
from sensorcast_rules.record import Recorder
from sensorcast_rules.revise import Revision, Step, begins, carried, derive, lookback, revisions
from sensorcast_rules.series_state import SeriesState, SeriesStates, Watch

log = logs.logger(__name__)

AT_ONCE: Final = 50
"""Series that one sweep revises; the others wait for the next."""

_MARKS_AT_ONCE: Final = 16
"""Marks that are stored side by side: the batch waits for them."""

_LOOK_EVERY_MS: Final = 300_000
"""How often marks that others have left are looked for."""

_PATIENCE: Final = 4
"""After so many times the settling time, whoever set a mark is taken to be gone."""

_AHEAD_MS: Final = 5 * MINUTE_MS
"""How far ahead a device's clock may be."""

_CREATED_BEFORE_MS: Final = 86_400_000
"""How long before its readings an incident may have begun and still be on."""


class Reviser:
    """Goes through the readings of a series again, some time after late ones came, so that the hot store has them.

    What has to be revised is marked in a table, so that another alerter does it where this one is killed in between.
    Not to be used by two at once: whoever calls holds the watchroom's lock.

    Args:
        states: What is remembered.
        recorder: Stores transitions.
        incidents: Where incidents are read.
        past: The hot store.
        patience: How long to wait for it.
        clock: The present.
        counts: Who counts.
        marks: Where the series to be revised are marked; without it, only memory knows.
    """

    def __init__(
        self,
        *,
        states: SeriesStates,
        recorder: Recorder,
        incidents: Incidents,
        past: Past,
        patience: Patience,
        clock: Clock,
        counts: Counts,
        marks: LateMarks | None = None,
    ) -> None:
        self._states = states
        self._recorder = recorder
        self._incidents = incidents
        self._past = past
        self._patience = patience
        self._clock = clock
        self._counts = counts
        self._marks = marks
        self._looked = -_LOOK_EVERY_MS

    async def mark(self, states: Iterable[SeriesState]) -> None:
        """Mark series that have late readings, before the messages of their readings are deleted.

        Raises:
            Exception: The table could not be reached; the messages may come again.
        """
        if self._marks is None:
            return
        slots = asyncio.Semaphore(_MARKS_AT_ONCE)
        await asyncio.gather(*(self._mark(self._marks, state, slots) for state in states))

    async def _mark(self, marks: LateMarks, state: SeriesState, slots: asyncio.Semaphore) -> None:
        ts = min(state.late)
        if state.marked is None or ts < state.marked:
            async with slots:
                await marks.note(LateMark(state.key, ts, state.late[ts], state.unit), now=self._clock())
            state.marked = ts

    async def _adopt(self) -> None:
        """Take over what another alerter, or this one before a crash, has left marked."""
        now = self._clock()
        if self._marks is None or now - self._looked < _LOOK_EVERY_MS:
            return
        for mark in await self._marks.left(before=now - _PATIENCE * self._patience.settle_after):
            state = self._states.of(mark.series)
            state.unit = state.unit or mark.unit
            state.late.setdefault(mark.ts, mark.value)
            state.late_since = min(state.late_since, now - self._patience.settle_after)
            state.marked = mark.ts if state.marked is None else min(state.marked, mark.ts)
        self._looked = now

    async def sweep(self, *, everything: bool = False) -> None:
        """Revise what is due.

        Args:
            everything: Also what may not be in the hot store yet: the process ends.

        Raises:
            Exception: Incidents or readings could not be read or stored; the next sweep tries again.
        """
        await self._adopt()
        now = self._clock()
        due = [
            state
            for state in self._states
            if state.late and (everything or now - state.late_since >= self._patience.settle_after)
        ]
        for state in due if everything else due[:AT_ONCE]:
            try:
                await self._revise(state)
            except IncidentConflict:
                continue  # another alerter is at it; the next sweep looks again
            state.late.clear()
            if self._marks is not None and state.marked is not None:
                await self._marks.done(state.key, ts=state.marked)
                state.marked = None

    async def _revise(self, state: SeriesState) -> None:
        watches = state.comparing
        if not watches:
            return
        late_from, was_quiet = min(state.late), state.quiet
        since = first_id_at(late_from - _CREATED_BEFORE_MS)
        known = [
            stored
            for stored in await self._incidents.recent(state.key.tenant, since)
            if stored.incident.series == state.key
        ]
        for watch in watches:
            mine = [each for each in known if (each.incident.rule_id, each.incident.side) == watch.limit.key]
            if watch.stored is not None and all(
                each.incident.incident_id != watch.stored.incident.incident_id for each in mine
            ):
                mine.append(watch.stored)
            await self._revise_watch(state, watch, mine, late_from)
        state.settle()
        if state.quiet and (not was_quiet or state.quiet_since < 0):
            state.quiet_since = state.newest_ts

    async def _revise_watch(
        self, state: SeriesState, watch: Watch, existing: Sequence[StoredIncident], late_from: int
    ) -> None:
        start = begins(existing, late_from) - lookback(watch.limit)
        # Another alerter may have seen more of the series than this one, and the hot store may lag behind both.
        end = max(state.newest_ts + 1, self._clock() + _AHEAD_MS)
        stored = await self._past.read(state.key, start=start, end=end)
        points = merged(stored, state.late)
        if not points:
            return
        until = points[-1].ts
        derived = derive(watch.limit, state.key, state.unit, points, patience=self._patience)
        for revision in revisions(derived.incidents, existing, late_from=late_from, until=until, limit=watch.limit):
            await self._carry_out(watch, revision)
        await self._recorder.reload(watch)
        if until >= state.newest_ts:
            state.newest_ts = until
            watch.progress = carried(derived.progress, watch.progress)

    async def _carry_out(self, watch: Watch, revision: Revision) -> None:
        rule = watch.limit.rule
        if revision.step is Step.OPEN:
            await self._open(watch, revision.after)
        elif revision.before is None:
            await self._recorder.add(revision.after, rule)
        else:
            reason = Reason.WITHDRAWN if revision.step is Step.WITHDRAW else Reason.REVISED
            decision = Decision(reason, watch.progress, Transition.REVISED, revision.after)
            await self._recorder.store(revision.before, decision, rule=rule)
            if watch.stored is not None and watch.stored.incident.incident_id == revision.after.incident_id:
                await self._recorder.reload(watch)
        self._counts.decided(Reason.REVISED)
        log.info(
            "incident revised",
            step=revision.step,
            tenant=revision.after.tenant,
            incident_id=revision.after.incident_id,
            device=revision.after.device,
            metric=revision.after.metric,
        )

    async def _open(self, watch: Watch, derived: Incident) -> None:
        """Open what is still going on: late readings show that it has lasted for long enough."""
        late = self._clock() - _millis(derived) > self._patience.late_after
        reason = Reason.LATE if late else Reason.OUTSIDE
        opened = derived.model_copy(update={"late": late, "reason": reason})

        def judge(progress: Progress, incident: Incident | None) -> Decision:
            if incident is None:
                return Decision(reason, progress, Transition.OPENED, opened)
            dated = {**dict(opened), "incident_id": incident.incident_id}
            return Decision(reason, progress, Transition.OPENED, incident.model_copy(update=dated))

        await self._recorder.carry_out(watch, judge, ready_at=None, revised=True)


def merged(stored: Iterable[Point], late: dict[int, float]) -> list[Point]:
    """Readings of the hot store with those that came late and may not be in it yet; the store's own value stands."""
    values = late | {point.ts: point.value for point in stored}
    return [Point(ts, value) for ts, value in sorted(values.items())]


def _millis(incident: Incident) -> int:
    moment = incident.as_of or incident.opened_at
    return round(moment.timestamp() * 1000)
