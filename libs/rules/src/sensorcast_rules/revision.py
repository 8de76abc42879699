"""Revises the incidents of the series whose readings came out of order."""

from collections.abc import Iterable, Sequence
from typing import Final

from sensorcast_common import logs
from sensorcast_common.clock import Clock
from sensorcast_common.identity import first_id_at
from sensorcast_common.incident import Incident
from sensorcast_common.stored_incident import IncidentConflict, StoredIncident
from sensorcast_rules.decision import Decision, Patience, Progress, Reason, Transition
from sensorcast_rules.measure import Point
from sensorcast_rules.ports import Counts, Incidents, Past
from sensorcast_rules.record import Recorder
from sensorcast_rules.revise import Revision, Step, begins, carried, derive, lookback, revisions
from sensorcast_rules.series_state import SeriesState, SeriesStates, Watch

log = logs.logger(__name__)

AT_ONCE: Final = 50
"""Series that one sweep revises; the others wait for the next."""

_CREATED_BEFORE_MS: Final = 86_400_000
"""How long before its readings an incident may have begun and still be on."""


class Reviser:
    """Goes through the readings of a series again, some time after late ones came, so that the hot store has them.

    What has to be revised is only in memory: an alerter that is killed in between leaves a breach undated that only
    late readings tell of. Not to be used by two at once: whoever calls holds the watchroom's lock.

    Args:
        states: What is remembered.
        recorder: Stores transitions.
        incidents: Where incidents are read.
        past: The hot store.
        patience: How long to wait for it.
        clock: The present.
        counts: Who counts.
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
    ) -> None:
        self._states = states
        self._recorder = recorder
        self._incidents = incidents
        self._past = past
        self._patience = patience
        self._clock = clock
        self._counts = counts

    async def sweep(self, *, everything: bool = False) -> None:
        """Revise what is due.

        Args:
            everything: Also what may not be in the hot store yet: the process ends.

        Raises:
            Exception: Incidents or readings could not be read or stored; the next sweep tries again.
        """
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

    async def _revise(self, state: SeriesState) -> None:
        watches = state.comparing
        if not watches:
            return
        late_from = min(state.late)
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

    async def _revise_watch(
        self, state: SeriesState, watch: Watch, existing: Sequence[StoredIncident], late_from: int
    ) -> None:
        start = begins(existing, late_from) - lookback(watch.limit)
        stored = await self._past.read(state.key, start=start, end=state.newest_ts + 1)
        points = merged(stored, state.late, until=state.newest_ts)
        if not points:
            return
        derived = derive(watch.limit, state.key, state.unit, points, patience=self._patience)
        for revision in revisions(derived.incidents, existing, late_from=late_from, limit=watch.limit):
            await self._carry_out(watch, revision)
        await self._recorder.reload(watch)
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


def merged(stored: Iterable[Point], late: dict[int, float], *, until: int) -> list[Point]:
    """Readings of the hot store with those that came late and may not be in it yet; the store's own value stands."""
    values = {ts: value for ts, value in late.items() if ts <= until}
    values |= {point.ts: point.value for point in stored}
    return [Point(ts, value) for ts, value in sorted(values.items())]


def _millis(incident: Incident) -> int:
    moment = incident.as_of or incident.opened_at
    return round(moment.timestamp() * 1000)
