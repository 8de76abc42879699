"""Brings what is remembered into line with the table: what other alerters did, what time or a removed rule ends."""

from collections.abc import Iterable

from sensorcast_common.clock import Clock
from sensorcast_common.incident import LIVE_STATES, IncidentState
from sensorcast_common.reading import SeriesKey
from sensorcast_common.rule import Rule
from sensorcast_common.stored_incident import IncidentConflict, StoredIncident
from sensorcast_rules.decision import Decision, Patience
from sensorcast_rules.ending import abandon, expire
from sensorcast_rules.ports import Counts, Incidents
from sensorcast_rules.record import Recorder
from sensorcast_rules.series_state import SeriesStates


class Reconciler:
    """Compares the series with the live incidents. Whoever calls holds the watchroom's lock.

    Args:
        states: What is remembered.
        recorder: Stores transitions.
        incidents: Where incidents are read.
        patience: How long what is predicted or pending may last.
        clock: The present.
        counts: Who counts.
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
    ) -> None:
        self._states = states
        self._recorder = recorder
        self._incidents = incidents
        self._patience = patience
        self._clock = clock
        self._counts = counts

    async def follow(self, live: Iterable[StoredIncident]) -> None:
        """Take over what the table says, and end what has run out.

        Args:
            live: The incidents of the table, as its index has them; what differs from memory is read again.
        """
        opened = {stored.incident.incident_id: stored for stored in live if not stored.incident.over}
        await self._forget_closed(set(opened))
        for stored in opened.values():
            await self._look_at(stored)
        self._counts.live(sum(stored.incident.state in LIVE_STATES for stored in opened.values()))

    async def _forget_closed(self, opened: set[str]) -> None:
        for state in self._states:
            for watch in state.watches:
                if watch.stored is not None and watch.stored.incident.incident_id not in opened:
                    await self._recorder.reload(watch)
                    state.settle()

    async def _look_at(self, stored: StoredIncident) -> None:
        incident = stored.incident
        state = self._states.of(SeriesKey(incident.tenant, incident.device, incident.metric))
        watch = state.watch(incident.rule_id, incident.side)
        known = watch.stored if watch else None
        if known is None or known.incident.incident_id != incident.incident_id or known.revision < stored.revision:
            known = await self._incidents.load(incident.tenant, incident.incident_id)
            if known is None or known.incident.over:
                return
        if watch is None:
            await self._end(known, abandon(known.incident, now=self._clock()), None)
            return
        watch.stored = await self._acknowledged(known, watch.limit.rule)
        over = expire(watch.progress, watch.stored.incident, now=self._clock(), patience=self._patience)
        if over is not None and await self._end(watch.stored, over, watch.limit.rule):
            watch.stored, watch.progress = None, over.progress
        state.settle()

    async def _acknowledged(self, stored: StoredIncident, rule: Rule) -> StoredIncident:
        if stored.incident.state is not IncidentState.ACKNOWLEDGED:
            return stored
        try:
            return await self._recorder.announce_acknowledgement(stored, rule)
        except IncidentConflict:
            return stored  # another alerter did something about it; the next sweep sees what

    async def _end(self, stored: StoredIncident, decision: Decision, rule: Rule | None) -> bool:
        try:
            await self._recorder.store(stored, decision, rule=rule)
        except IncidentConflict:
            return False
        self._counts.decided(decision.reason)
        return True
