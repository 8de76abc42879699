"""Ends what only time or a removed rule ends."""

from sensorcast_common.clock import from_millis, to_millis
from sensorcast_common.incident import Basis, Incident, IncidentState
from sensorcast_rules.decision import Decision, Patience, Progress, Reason, Transition


def expire(progress: Progress, incident: Incident, *, now: int, patience: Patience) -> Decision | None:
    """End a predicted incident that neither happened nor was predicted again; `None` while it may yet.

    It waits one forecast period longer than the horizon, since the next forecast may be on its way. A pending incident
    of which nothing was heard for very long ends as well.
    """
    if incident.state is IncidentState.PENDING:
        return _forgotten(progress, incident, now=now, patience=patience)
    if incident.basis is not Basis.PREDICTED or incident.expires_at is None or progress.breach_since is not None:
        return None
    if now < to_millis(incident.expires_at) + patience.forecast_period:
        return None
    over = ended(incident, at=to_millis(incident.expires_at), reason=Reason.FALSE_ALARM)
    return Decision(Reason.FALSE_ALARM, progress.over(), Transition.RESOLVED, over)


def abandon(incident: Incident, *, now: int) -> Decision:
    """End an incident whose rule is gone, disabled or no longer about its series."""
    over = ended(incident, at=now, reason=Reason.RULE_REMOVED)
    return Decision(Reason.RULE_REMOVED, Progress(), Transition.RESOLVED, over)


def _forgotten(progress: Progress, incident: Incident, *, now: int, patience: Patience) -> Decision | None:
    heard = to_millis(incident.as_of or incident.opened_at)
    if now - heard <= patience.longest_pending:
        return None
    return Decision(
        Reason.PASSED, progress.over(), Transition.RESOLVED, ended(incident, at=heard, reason=Reason.PASSED)
    )


def ended(incident: Incident, *, at: int, reason: Reason) -> Incident:
    """The incident as it is once it is over; it never ends before it began."""
    ended = max(from_millis(at), incident.opened_at, incident.as_of or incident.opened_at)
    return incident.model_copy(
        update={
            "state": IncidentState.RESOLVED,
            "resolved_at": ended,
            "as_of": ended,
            "reason": reason,
            "passed": incident.state is IncidentState.PENDING,
        }
    )
