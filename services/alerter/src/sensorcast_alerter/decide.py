"""Decides what a reading means under one limit: observed breaches, their hold time and their end."""

from dataclasses import replace

from sensorcast_alerter.decision import Decision, Patience, Progress, Reason, Transition
from sensorcast_alerter.limits import Limit
from sensorcast_common.clock import from_millis, to_millis
from sensorcast_common.identity import new_id
from sensorcast_common.incident import Basis, Incident, IncidentState
from sensorcast_common.reading import Reading


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

    Args:
        limit: The limit.
        progress: What the limit remembers of the series.
        incident: The open incident, if there is one.
        reading: The reading.
        now: Milliseconds since 1970 UTC.
        patience: What is too old to open anything.
    """
    if incident is not None and _before(reading, incident):
        return Decision(Reason.OUT_OF_ORDER, progress)
    if not limit.outside(reading.value):
        return _inside(limit, progress, incident, reading)
    progress = replace(
        progress,
        breach_since=reading.ts if progress.breach_since is None else progress.breach_since,
        worst=limit.worse(reading.value, progress.worst),
    )
    if incident is not None and incident.basis is Basis.OBSERVED:
        return _ongoing(limit, progress, incident, reading, patience)
    since = reading.ts if progress.breach_since is None else progress.breach_since
    if reading.ts - since < limit.rule.condition.hold_seconds * 1000:
        return Decision(Reason.HOLDING, progress)
    late = now - reading.ts > patience.late_after
    if late and (incident is None or reading.ts <= to_millis(incident.opened_at)):
        return Decision(Reason.LATE, progress)
    if incident is not None:
        return Decision(Reason.OUTSIDE, progress, Transition.OBSERVED, _observed(incident, progress, reading, since))
    return Decision(Reason.OUTSIDE, progress, Transition.OPENED, _opened(limit, progress, reading, since))


def _before(reading: Reading, incident: Incident) -> bool:
    """Whether an observed incident already rests on something newer.

    A predicted one does not count: it rests on the forecaster's clock, and a device's clock may be minutes behind.
    """
    return incident.basis is Basis.OBSERVED and incident.as_of is not None and reading.ts <= to_millis(incident.as_of)


def _inside(limit: Limit, progress: Progress, incident: Incident | None, reading: Reading) -> Decision:
    progress = replace(progress, breach_since=None, worst=None if incident is None else progress.worst)
    if incident is None or incident.basis is Basis.PREDICTED:
        return Decision(Reason.INSIDE, progress)
    if not limit.cleared(reading.value):
        return Decision(Reason.NOT_CLEAR, progress)
    resolved = incident.model_copy(
        update={
            "state": IncidentState.RESOLVED,
            "resolved_at": from_millis(reading.ts),
            "as_of": from_millis(reading.ts),
            "value": reading.value,
            "worst": _worst(limit, incident, progress),
            "reason": Reason.BACK_INSIDE,
        }
    )
    return Decision(Reason.BACK_INSIDE, Progress(), Transition.RESOLVED, resolved)


def _ongoing(limit: Limit, progress: Progress, incident: Incident, reading: Reading, patience: Patience) -> Decision:
    worst = _worst(limit, incident, progress)
    saved = 0 if incident.as_of is None else to_millis(incident.as_of)
    if worst == incident.worst or reading.ts - saved < patience.save_worst_every:
        return Decision(Reason.ONGOING, progress)
    worsened = incident.model_copy(update={"worst": worst, "value": reading.value, "as_of": from_millis(reading.ts)})
    return Decision(Reason.WORSENED, progress, Transition.UPDATED, worsened)


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


def _opened(limit: Limit, progress: Progress, reading: Reading, since: int) -> Incident:
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
        state=IncidentState.OPEN,
        basis=Basis.OBSERVED,
        side=limit.side,
        threshold=limit.threshold,
        opened_at=from_millis(since),
        observed_at=from_millis(since),
        as_of=from_millis(reading.ts),
        value=reading.value,
        worst=progress.worst,
        reason=Reason.OUTSIDE,
    )
