"""Stores what was decided before it counts: a transition with its notices, in one conditional write."""

from collections.abc import Callable, Mapping
from typing import Final

from sensorcast_common import logs
from sensorcast_common.clock import Clock
from sensorcast_common.errors import Retryable
from sensorcast_common.incident import Basis, Incident, IncidentEntry
from sensorcast_common.notice import Notice, Occasion
from sensorcast_common.rule import Rule
from sensorcast_common.stored_incident import AlreadyOpen, AlreadyOver, IncidentConflict, StoredIncident
from sensorcast_common.tables.incident_journal import entry_of
from sensorcast_rules.decision import Decision, Progress, Reason, Transition
from sensorcast_rules.ports import Announce, Counts, Incidents
from sensorcast_rules.series_state import Watch

log = logs.logger(__name__)

Decide = Callable[[Progress, Incident | None], Decision]
"""Decides about one observation; asked again where another alerter was faster."""

HandOver = Callable[[StoredIncident, list[Notice]], None]
"""Takes notices that have just been stored, to be sent."""

Note = Callable[[Decision], None]
"""Notes down a transition that has been stored."""

_TRIES: Final = 6
_UNTOLD: Final = frozenset({Transition.PENDING, Transition.UPDATED, Transition.REVISED})


def log_transition(decision: Decision) -> None:
    """Write a transition to the service's log."""
    incident = decision.incident
    if incident is None or decision.transition in (None, Transition.UPDATED):
        return
    log.info(
        "incident changed",
        transition=decision.transition,
        reason=decision.reason,
        tenant=incident.tenant,
        incident_id=incident.incident_id,
        rule=incident.rule_id,
        device=incident.device,
        metric=incident.metric,
        basis=incident.basis,
    )


class Recorder:
    """Carries decisions out.

    Args:
        incidents: Where incidents are kept.
        announcements: Who is told of what.
        hand_over: Who sends it.
        clock: The present.
        counts: Who counts.
        note: Where a transition is noted once it is stored: the log, except in a dry run.
    """

    def __init__(
        self,
        *,
        incidents: Incidents,
        announcements: Announce,
        hand_over: HandOver,
        clock: Clock,
        counts: Counts,
        note: Note = log_transition,
    ) -> None:
        self._incidents = incidents
        self._announcements = announcements
        self._hand_over = hand_over
        self._clock = clock
        self._counts = counts
        self._note = note

    async def carry_out(self, watch: Watch, decide: Decide, *, ready_at: int | None, revised: bool = False) -> Reason:
        """Decide about one observation and store what follows; only then does `watch` remember it.

        Args:
            watch: The limit and the series it is about.
            decide: The decision.
            ready_at: When the observation was received, in milliseconds.
            revised: It follows from all readings in order; see `IncidentsTable.open`.

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
                stored = await self.store(
                    watch.stored, decision, rule=watch.limit.rule, ready_at=ready_at, revised=revised
                )
            except AlreadyOpen as already:
                watch.stored = already.stored
            except AlreadyOver:
                # The breach began before the last incident ended: what is remembered of it is over as well.
                watch.progress = watch.progress.over()
                if over:
                    return Reason.ALREADY_OVER
                over = True
            except IncidentConflict:
                await self.reload(watch)
            else:
                watch.stored = None if stored.incident.over else stored
                watch.progress = decision.progress
                return decision.reason
            self._counts.conflict()
        raise Retryable(f"the incident of {watch.limit.key} keeps being changed by others")

    async def reload(self, watch: Watch) -> None:
        """Make `watch` hold the incident as it is now; if that is over, so is what was remembered of it."""
        if watch.stored is None:
            return
        stored = await self._incidents.load(watch.stored.incident.tenant, watch.stored.incident.incident_id)
        if stored is not None and not stored.incident.over:
            watch.stored = stored
        else:
            watch.stored, watch.progress = None, watch.progress.over()

    async def store(
        self,
        before: StoredIncident | None,
        decision: Decision,
        *,
        rule: Rule | None = None,
        ready_at: int | None = None,
        revised: bool = False,
    ) -> StoredIncident:
        """Store the transition of a decision that has one, and hand its notices over.

        Args:
            before: The incident before it; `None` for a new one.
            decision: What to store.
            rule: By which it was decided; `None` where the rule is gone.
            ready_at: When what caused it was received, in milliseconds.
            revised: As `carry_out`.

        Raises:
            IncidentConflict: Another was faster; see the tables' errors.
        """
        transition, incident = decision.transition, decision.incident
        if transition is None or incident is None:
            raise ValueError(f"decision: {decision.reason} has no transition to store")
        now = self._clock()
        outbox = before.outbox if before is not None else {}
        notices = self._notices(transition, incident, rule, outbox, now=now, ready_at=ready_at)
        entry = None if transition is Transition.UPDATED else _entry(decision, incident, rule, now=now)
        if before is None:
            stored = await self._incidents.open(incident, notices, entry=entry, revised=revised)
        else:
            stored = await self._incidents.change(before, incident, notices, entry=entry)
        self._counts.transition(incident.basis, transition)
        if before is not None and before.incident.basis is Basis.PREDICTED:
            self._count_prediction(transition, decision.reason)
        self._note(decision)
        self._hand_over(stored, [stored.outbox.get(notice.key, notice) for notice in notices])
        return stored

    async def add(self, incident: Incident, rule: Rule) -> None:
        """Store an incident that is over already, as late readings tell of it; nobody is told.

        Raises:
            Exception: It could not be stored.
        """
        decision = Decision(Reason.LATE, Progress(), Transition.RESOLVED, incident)
        if await self._incidents.add_over(incident, entry=_entry(decision, incident, rule, now=self._clock())):
            self._counts.transition(incident.basis, "added")

    async def announce_acknowledgement(self, stored: StoredIncident, rule: Rule) -> StoredIncident:
        """Tell of an acknowledgement that somebody stored through the API, unless another alerter has.

        Raises:
            IncidentConflict: Another changed the incident meanwhile.
        """
        if any(notice.occasion is Occasion.ACKNOWLEDGED for notice in stored.outbox.values()):
            return stored
        incident = stored.incident
        transition = Transition.ACKNOWLEDGED
        notices = self._notices(transition, incident, rule, stored.outbox, now=self._clock(), ready_at=None)
        if not notices:
            return stored
        stored = await self._incidents.change(stored, incident, notices)
        self._hand_over(stored, [stored.outbox.get(notice.key, notice) for notice in notices])
        return stored

    def _notices(
        self,
        transition: Transition,
        incident: Incident,
        rule: Rule | None,
        outbox: Mapping[str, Notice],
        *,
        now: int,
        ready_at: int | None,
    ) -> list[Notice]:
        if incident.passed or transition in _UNTOLD:
            return []
        sms = rule.sms if rule is not None else ()
        return self._announcements.of(transition, incident, sms=sms, outbox=outbox, now=now, ready_at=ready_at)

    def _count_prediction(self, transition: Transition, reason: Reason) -> None:
        if transition is Transition.OBSERVED:
            self._counts.prediction("came_true")
        elif reason in (Reason.FALSE_ALARM, Reason.FORECAST_CLEARED):
            self._counts.prediction(reason)


def _entry(decision: Decision, incident: Incident, rule: Rule | None, *, now: int) -> IncidentEntry:
    entry = entry_of(incident, str(decision.transition), now=now, reason=decision.reason)
    changes: dict[str, object] = {}
    if rule is not None:
        changes["rule_version"] = rule.version
    if decision.foreseen is not None:
        changes |= {
            "probability": decision.foreseen.probability,
            "expected_at": decision.foreseen.expected_at,
            "forecast_known_at": decision.foreseen.known_at,
        }
    return entry.model_copy(update=changes)
