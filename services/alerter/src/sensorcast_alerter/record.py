"""Stores what was decided before it counts: a transition with its notices, in one conditional write."""

from collections.abc import Callable, Sequence
from typing import Final

from sensorcast_alerter.decision import Decision, Progress, Reason, Transition
from sensorcast_alerter.notices import Announcements
from sensorcast_alerter.ports import Counts, Incidents
from sensorcast_alerter.series_state import Watch
from sensorcast_common import logs
from sensorcast_common.clock import Clock
from sensorcast_common.errors import Retryable
from sensorcast_common.incident import Incident, IncidentState, Notice
from sensorcast_common.tables.incidents import AlreadyOpen, AlreadyOver, IncidentConflict, StoredIncident

log = logs.logger(__name__)

Decide = Callable[[Progress, Incident | None], Decision]
"""Decides about one observation; asked again where another alerter was faster."""

HandOver = Callable[[StoredIncident, list[Notice]], None]
"""Takes notices that have just been stored, to be sent."""

_TRIES: Final = 6


class Recorder:
    """Carries decisions out.

    Args:
        incidents: Where incidents are kept.
        announcements: Who is told of what.
        hand_over: Who sends it.
        clock: The present.
        counts: Who counts.
    """

    def __init__(
        self,
        *,
        incidents: Incidents,
        announcements: Announcements,
        hand_over: HandOver,
        clock: Clock,
        counts: Counts,
    ) -> None:
        self._incidents = incidents
        self._announcements = announcements
        self._hand_over = hand_over
        self._clock = clock
        self._counts = counts

    async def carry_out(self, watch: Watch, decide: Decide, *, ready_at: int | None) -> Reason:
        """Decide about one observation and store what follows; only then does `watch` remember it.

        Args:
            watch: The limit and the series it is about.
            decide: The decision.
            ready_at: When the observation was received, in milliseconds.

        Returns:
            Why what was done was done.

        Raises:
            Retryable: Other alerters kept changing the incident. Nothing is remembered.
        """
        over = False
        for _ in range(_TRIES):
            decision = decide(watch.progress, watch.stored.incident if watch.stored else None)
            if decision.incident is None:
                watch.progress = decision.progress
                return decision.reason
            try:
                stored = await self.store(watch.stored, decision, sms=watch.limit.rule.sms, ready_at=ready_at)
            except AlreadyOpen as already:
                watch.stored = already.stored
            except AlreadyOver:
                # The breach began before the last incident ended: what is remembered of it is over as well.
                watch.progress = Progress()
                if over:
                    return Reason.ALREADY_OVER
                over = True
            except IncidentConflict:
                await self.reload(watch)
            else:
                watch.stored = stored if stored.incident.state is IncidentState.OPEN else None
                watch.progress = decision.progress
                return decision.reason
            self._counts.conflict()
        raise Retryable(f"the incident of {watch.limit.key} keeps being changed by others")

    async def reload(self, watch: Watch) -> None:
        """Make `watch` hold the incident as it is now; if that is over, so is what was remembered of it."""
        if watch.stored is None:
            return
        stored = await self._incidents.load(watch.stored.incident.tenant, watch.stored.incident.incident_id)
        if stored is not None and stored.incident.state is IncidentState.OPEN:
            watch.stored = stored
        else:
            watch.stored, watch.progress = None, Progress()

    async def store(
        self, before: StoredIncident | None, decision: Decision, *, sms: Sequence[str] = (), ready_at: int | None = None
    ) -> StoredIncident:
        """Store the transition of a decision that has one, and hand its notices over.

        Raises:
            IncidentConflict: Another was faster; see the tables' errors.
        """
        transition, incident = decision.transition, decision.incident
        if transition is None or incident is None:
            raise ValueError(f"decision: {decision.reason} has no transition to store")
        notices = self._announcements.of(transition, incident, sms=sms, now=self._clock(), ready_at=ready_at)
        if before is None:
            stored = await self._incidents.open(incident, notices)
        else:
            stored = await self._incidents.change(before, incident, notices)
        self._counts.transition(incident.basis, transition)
        if transition is not Transition.UPDATED:
            log.info(
                "incident changed",
                transition=transition,
                reason=decision.reason,
                tenant=incident.tenant,
                incident_id=incident.incident_id,
                rule=incident.rule_id,
                device=incident.device,
                metric=incident.metric,
                basis=incident.basis,
            )
        self._hand_over(stored, notices)
        return stored
