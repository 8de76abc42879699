"""Decides what a reading means under one limit: observed breaches, their hold time and their end."""

from dataclasses import replace

from sensorcast_common.clock import from_millis, to_millis
from sensorcast_common.identity import new_id
from sensorcast_common.incident import Basis, Incident, IncidentState
from sensorcast_common.reading import Reading
from sensorcast_rules.decision import Decision, Patience, Progress, Reason, Transition
from sensorcast_rules.limits import Limit


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
    if incident is not None and _before(reading, incident):
        return Decision(Reason.OUT_OF_ORDER, progress)
    if not limit.outside(reading.value):
        return _inside(limit, progress, incident, reading)
    since = _since(progress, incident, reading)
    progress = replace(progress, breach_since=since, worst=limit.worse(reading.value, progress.worst))
    late = now - reading.ts > patience.late_after
    pending = incident is not None and incident.state is IncidentState.PENDING
    if incident is not None and incident.basis is Basis.OBSERVED and not pending:
        return _ongoing(limit, progress, incident, reading, patience, late=late)
    if reading.ts - since < limit.hold:
        if incident is not None or late:
            return Decision(Reason.HOLDING, progress)
        return Decision(Reason.HOLDING, progress, Transition.PENDING, _pending(limit, progress, reading, since))
    if incident is None:
        opened = _opened(limit, progress, reading, since, late=late)
        return Decision(Reason.LATE if late else Reason.OUTSIDE, progress, Transition.OPENED, opened)
    if pending:
        return Decision(
            Reason.LATE if late else Reason.OUTSIDE,
            progress,
            Transition.OPENED,
            _promoted(incident, progress, reading, late=late),
        )
    if late and reading.ts <= to_millis(incident.opened_at):
        return Decision(Reason.LATE, progress)
    return Decision(Reason.OUTSIDE, progress, Transition.OBSERVED, _observed(incident, progress, reading, since))


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


def _inside(limit: Limit, progress: Progress, incident: Incident | None, reading: Reading) -> Decision:
    progress = replace(progress, breach_since=None, worst=None if incident is None else progress.worst)
    if incident is None or incident.basis is Basis.PREDICTED:
        return Decision(Reason.INSIDE, progress)
    if incident.state is IncidentState.PENDING:
        passed = _resolved(limit, progress, incident, reading, reason=Reason.PASSED)
        return Decision(Reason.PASSED, Progress(), Transition.RESOLVED, passed.model_copy(update={"passed": True}))
    if not limit.cleared(reading.value):
        return Decision(Reason.NOT_CLEAR, progress)
    resolved = _resolved(limit, progress, incident, reading, reason=Reason.BACK_INSIDE)
    return Decision(Reason.BACK_INSIDE, Progress(), Transition.RESOLVED, resolved)


def _resolved(limit: Limit, progress: Progress, incident: Incident, reading: Reading, *, reason: Reason) -> Incident:
    return incident.model_copy(
        update={
            "state": IncidentState.RESOLVED,
            "resolved_at": from_millis(reading.ts),
            "as_of": from_millis(reading.ts),
            "value": reading.value,
            "worst": _worst(limit, incident, progress),
            "reason": reason,
        }
    )


def _ongoing(
    limit: Limit, progress: Progress, incident: Incident, reading: Reading, patience: Patience, *, late: bool
) -> Decision:
    worst = _worst(limit, incident, progress)
    now_known = {"worst": worst, "value": reading.value, "as_of": from_millis(reading.ts)}
    if incident.late and incident.confirmed_at is None and not late:
        confirmed = incident.model_copy(
            update={**now_known, "confirmed_at": from_millis(reading.ts), "reason": Reason.STILL_OUTSIDE}
        )
        return Decision(Reason.STILL_OUTSIDE, progress, Transition.CONFIRMED, confirmed)
    saved = 0 if incident.as_of is None else to_millis(incident.as_of)
    if worst == incident.worst or reading.ts - saved < patience.save_worst_every:
        return Decision(Reason.ONGOING, progress)
    return Decision(Reason.WORSENED, progress, Transition.UPDATED, incident.model_copy(update=now_known))


def _worst(limit: Limit, incident: Incident, progress: Progress) -> float | None:
    return incident.worst if progress.worst is None else limit.worse(progress.worst, incident.worst)


def _observed(incident: Incident, progress: Progress, reading: Reading, since: int) -> Incident:
    return incident.model_copy(
        update={
            "basis": Basis.OBSERVED,
            "observed_at": from_millis(since),
            "as_of": from_millis(reading.ts),
            "value": reading.value,
            "worst": progress.worst,
            "expires_at": None,
            "reason": Reason.OUTSIDE,
        }
    )


def _promoted(incident: Incident, progress: Progress, reading: Reading, *, late: bool) -> Incident:
    return incident.model_copy(
        update={
            "state": IncidentState.OPEN,
            "as_of": from_millis(reading.ts),
            "value": reading.value,
            "worst": progress.worst,
            "late": late,
            "reason": Reason.LATE if late else Reason.OUTSIDE,
        }
    )


def _pending(limit: Limit, progress: Progress, reading: Reading, since: int) -> Incident:
    opened = _opened(limit, progress, reading, since, late=False)
    return opened.model_copy(update={"state": IncidentState.PENDING, "reason": Reason.HOLDING})


def _opened(limit: Limit, progress: Progress, reading: Reading, since: int, *, late: bool) -> Incident:
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
        late=late,
        reason=Reason.LATE if late else Reason.OUTSIDE,
    )
