"""Decides what a reading means under one limit: observed breaches, their hold time and their end."""

from dataclasses import replace
from typing import NamedTuple

from sensorcast_common.clock import from_millis, to_millis
from sensorcast_common.identity import new_id
from sensorcast_common.incident import Basis, Incident, IncidentState
from sensorcast_common.reading import Reading
from sensorcast_rules.decision import Decision, Patience, Progress, Reason, Transition
from sensorcast_rules.limits import Limit
from sensorcast_rules.measure import point_of


def decide(
    limit: Limit,
    progress: Progress,
    incident: Incident | None,
    reading: Reading,
    *,
    now: int,
    patience: Patience,
) -> Decision:
    """Judge a reading that is newer than all its series has seen.

    A breach that has not lasted for the rule's hold time is pending: it is stored, so that another alerter or a
    restarted one goes on counting, and nobody is told. One whose readings came too late to warn of it is marked late,
    and people are told only if a reading in time shows that it still goes on.

    Args:
        limit: The limit.
        progress: What the limit remembers of the series.
        incident: The incident that is not over, if there is one.
        reading: The reading.
        now: Milliseconds since 1970 UTC.
        patience: What is too old to be news.
    """
    measured: float | None = reading.value
    if limit.measure is not None:
        memory = limit.measure.step(progress.memory, point_of(reading))
        progress, measured = replace(progress, memory=memory), memory.measured
    if measured is None:
        return Decision(Reason.NOT_ENOUGH, progress)
    if incident is not None and _before(reading, incident):
        return Decision(Reason.OUT_OF_ORDER, progress)
    seen = _Seen(limit, reading, measured, late=now - reading.ts > patience.late_after)
    decision = _judge(seen, progress, incident, patience)
    if decision.incident is None or limit.rule.profile is None:
        return decision
    excursion = limit.excursion(progress.memory, decision.incident.excursion)
    return replace(decision, incident=decision.incident.model_copy(update={"excursion": excursion}))


class _Seen(NamedTuple):
    """A reading under a limit.

    Attributes:
        limit: The limit.
        reading: The reading.
        measured: What is compared with the limit's threshold.
        late: Whether it came too late to warn of it.
    """

    limit: Limit
    reading: Reading
    measured: float
    late: bool

    @property
    def values(self) -> dict[str, object]:
        """What an incident keeps of it."""
        return {"as_of": from_millis(self.reading.ts), "value": self.reading.value}


def _judge(seen: _Seen, progress: Progress, incident: Incident | None, patience: Patience) -> Decision:
    limit, reading = seen.limit, seen.reading
    if not limit.outside(seen.measured):
        return _inside(seen, progress, incident)
    since = _since(progress, incident, reading)
    progress = replace(progress, breach_since=since, worst=limit.worse(seen.measured, progress.worst))
    pending = incident is not None and incident.state is IncidentState.PENDING
    if incident is not None and incident.basis is Basis.OBSERVED and not pending:
        return _ongoing(seen, progress, incident, patience)
    if not limit.counts(progress.memory, lasted=reading.ts - since):
        return _holding(seen, progress, incident, patience, since)
    why = Reason.LATE if seen.late else Reason.OUTSIDE
    if incident is None:
        return Decision(why, progress, Transition.OPENED, _opened(seen, progress, since))
    if pending:
        return Decision(why, progress, Transition.OPENED, _promoted(seen, progress, incident, since))
    if seen.late and reading.ts <= to_millis(incident.opened_at):
        return Decision(Reason.LATE, progress)
    return Decision(Reason.OUTSIDE, progress, Transition.OBSERVED, _observed(seen, progress, incident, since))


def _before(reading: Reading, incident: Incident) -> bool:
    """Whether an observed incident already rests on something newer.

    A predicted one does not count: it rests on the forecaster's clock, and a device's clock may be minutes behind.
    """
    return incident.basis is Basis.OBSERVED and incident.as_of is not None and reading.ts <= to_millis(incident.as_of)


def _since(progress: Progress, incident: Incident | None, reading: Reading) -> int:
    """When the breach began: as remembered, or as another alerter has stored it."""
    if progress.breach_since is not None:
        return progress.breach_since
    if incident is not None and incident.state is IncidentState.PENDING:
        return to_millis(incident.opened_at)
    return reading.ts


def _inside(seen: _Seen, progress: Progress, incident: Incident | None) -> Decision:
    progress = replace(progress, breach_since=None, worst=None if incident is None else progress.worst)
    if incident is None or incident.basis is Basis.PREDICTED:
        return Decision(Reason.INSIDE, progress)
    if incident.state is IncidentState.PENDING:
        passed = _resolved(seen, progress, incident, reason=Reason.PASSED)
        return Decision(Reason.PASSED, progress.over(), Transition.RESOLVED, passed.model_copy(update={"passed": True}))
    if not seen.limit.cleared(seen.measured):
        return Decision(Reason.NOT_CLEAR, progress)
    resolved = _resolved(seen, progress, incident, reason=Reason.BACK_INSIDE)
    return Decision(Reason.BACK_INSIDE, progress.over(), Transition.RESOLVED, resolved)


def _holding(seen: _Seen, progress: Progress, incident: Incident | None, patience: Patience, since: int) -> Decision:
    if incident is None and not seen.late:
        return Decision(Reason.HOLDING, progress, Transition.PENDING, _pending(seen, progress, since))
    if incident is not None and seen.limit.budget is not None and _save_is_due(seen, incident, patience):
        return Decision(Reason.HOLDING, progress, Transition.UPDATED, incident.model_copy(update=seen.values))
    return Decision(Reason.HOLDING, progress)


def _ongoing(seen: _Seen, progress: Progress, incident: Incident, patience: Patience) -> Decision:
    worst = _worst(seen.limit, incident, progress)
    now_known = {**seen.values, "worst": worst}
    if incident.late and incident.confirmed_at is None and not seen.late:
        confirmed = {"confirmed_at": from_millis(seen.reading.ts), "reason": Reason.STILL_OUTSIDE}
        after = incident.model_copy(update={**now_known, **confirmed})
        return Decision(Reason.STILL_OUTSIDE, progress, Transition.CONFIRMED, after)
    unchanged = worst == incident.worst and seen.limit.budget is None
    if unchanged or not _save_is_due(seen, incident, patience):
        return Decision(Reason.ONGOING, progress)
    return Decision(Reason.WORSENED, progress, Transition.UPDATED, incident.model_copy(update=now_known))


def _save_is_due(seen: _Seen, incident: Incident, patience: Patience) -> bool:
    saved = 0 if incident.as_of is None else to_millis(incident.as_of)
    return seen.reading.ts - saved >= patience.save_worst_every


def _worst(limit: Limit, incident: Incident, progress: Progress) -> float | None:
    return incident.worst if progress.worst is None else limit.worse(progress.worst, incident.worst)


def _resolved(seen: _Seen, progress: Progress, incident: Incident, *, reason: Reason) -> Incident:
    over = {
        "state": IncidentState.RESOLVED,
        "resolved_at": from_millis(seen.reading.ts),
        "worst": _worst(seen.limit, incident, progress),
        "reason": reason,
    }
    return incident.model_copy(update={**seen.values, **over})


def _observed(seen: _Seen, progress: Progress, incident: Incident, since: int) -> Incident:
    happened = {
        "basis": Basis.OBSERVED,
        "observed_at": from_millis(since),
        "worst": progress.worst,
        "expires_at": None,
        "reason": Reason.OUTSIDE,
    }
    return incident.model_copy(update={**seen.values, **happened})


def _promoted(seen: _Seen, progress: Progress, incident: Incident, since: int) -> Incident:
    counted = {
        "opened_at": from_millis(since),
        "observed_at": from_millis(since),
        "state": IncidentState.OPEN,
        "worst": progress.worst,
        "late": seen.late,
        "reason": Reason.LATE if seen.late else Reason.OUTSIDE,
    }
    return incident.model_copy(update={**seen.values, **counted})


def _pending(seen: _Seen, progress: Progress, since: int) -> Incident:
    opened = _opened(seen, progress, since)
    return opened.model_copy(update={"state": IncidentState.PENDING, "reason": Reason.HOLDING})


def _opened(seen: _Seen, progress: Progress, since: int) -> Incident:
    limit, reading = seen.limit, seen.reading
    return Incident(
        tenant=reading.tenant,
        incident_id=new_id(),
        rule_id=limit.rule.rule_id,
        rule_version=limit.rule.version,
        rule_name=limit.rule.name,
        severity=limit.rule.severity,
        device=reading.device,
        metric=reading.metric,
        unit=reading.unit,
        kind=limit.rule.condition.kind,
        state=IncidentState.OPEN,
        basis=Basis.OBSERVED,
        side=limit.side,
        threshold=limit.threshold,
        opened_at=from_millis(since),
        observed_at=from_millis(since),
        as_of=from_millis(reading.ts),
        value=reading.value,
        worst=progress.worst,
        late=seen.late,
        reason=Reason.LATE if seen.late else Reason.OUTSIDE,
    )
