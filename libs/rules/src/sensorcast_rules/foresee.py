"""Decides what a forecast means under one limit: predicted breaches, their renewal and their end."""

from dataclasses import replace
from datetime import datetime, timedelta

from sensorcast_common.clock import from_millis, to_millis
from sensorcast_common.forecast import Forecast, LimitRisk
from sensorcast_common.identity import new_id
from sensorcast_common.incident import Basis, Incident, IncidentState
from sensorcast_common.rule import ForecastCondition
from sensorcast_rules.decision import Decision, Foreseen, Patience, Progress, Reason, Transition
from sensorcast_rules.limits import Limit


def foresee(
    limit: Limit,
    progress: Progress,
    incident: Incident | None,
    forecast: Forecast,
    *,
    now: int,
    patience: Patience,
) -> Decision:
    """Judge a forecast that is newer than all its series has seen.

    A prediction is about leaving a limit. While the series is outside already, the hold time of the rule decides, and a
    forecast opens nothing.

    Args:
        limit: The limit.
        progress: What the limit remembers of the series.
        incident: The open incident, if there is one.
        forecast: The forecast.
        now: Milliseconds since 1970 UTC.
        patience: What is too old to open anything.
    """
    condition = limit.forecast
    risk = _risk(limit, forecast)
    if condition is None or risk is None:
        return _without_risk(limit, progress, incident, forecast)
    probability = risk.probability
    likely = probability >= condition.min_probability
    too_far = likely and _too_far(condition, forecast, risk)
    progress = replace(
        progress,
        likely=progress.likely + 1 if likely and not too_far else 0,
        unlikely=progress.unlikely + 1 if probability < condition.clears_below else 0,
    )
    foreseen = Foreseen(forecast.known_at, probability, risk.expected_at)
    if incident is not None:
        return _known(limit, progress, incident, forecast, foreseen, enough=condition.clear_consecutive)
    if progress.likely == 0:
        return Decision(Reason.TOO_FAR if too_far else Reason.UNLIKELY, progress)
    if progress.breach_since is not None or limit.outside(forecast.last_value):
        return Decision(Reason.ALREADY_OUTSIDE, progress)
    if progress.likely < condition.min_consecutive:
        return Decision(Reason.NOT_YET, progress)
    if now - to_millis(forecast.known_at) > 2 * patience.forecast_period:
        return Decision(Reason.STALE_FORECAST, progress)
    return Decision(Reason.PREDICTED, progress, Transition.OPENED, _predicted(limit, forecast, risk), foreseen)


def expire(progress: Progress, incident: Incident, *, now: int, patience: Patience) -> Decision | None:
    """End a predicted incident that neither happened nor was predicted again; `None` while it may yet.

    It waits one forecast period longer than the horizon, since the next forecast may be on its way. A pending incident
    of which nothing was heard for very long ends as well.
    """
    if incident.state is IncidentState.PENDING:
        return _forgotten(incident, now=now, patience=patience)
    if incident.basis is not Basis.PREDICTED or incident.expires_at is None or progress.breach_since is not None:
        return None
    if now < to_millis(incident.expires_at) + patience.forecast_period:
        return None
    over = _over(incident, at=to_millis(incident.expires_at), reason=Reason.FALSE_ALARM)
    return Decision(Reason.FALSE_ALARM, Progress(), Transition.RESOLVED, over)


def abandon(incident: Incident, *, now: int) -> Decision:
    """End an incident whose rule is gone, disabled or no longer about its series."""
    over = _over(incident, at=now, reason=Reason.RULE_REMOVED)
    return Decision(Reason.RULE_REMOVED, Progress(), Transition.RESOLVED, over)


def _forgotten(incident: Incident, *, now: int, patience: Patience) -> Decision | None:
    heard = to_millis(incident.as_of or incident.opened_at)
    if now - heard <= patience.longest_pending:
        return None
    return Decision(Reason.PASSED, Progress(), Transition.RESOLVED, _over(incident, at=heard, reason=Reason.PASSED))


def _too_far(condition: ForecastCondition, forecast: Forecast, risk: LimitRisk) -> bool:
    if condition.max_lead_minutes is None or risk.expected_at is None:
        return False
    return risk.expected_at - forecast.known_at > timedelta(minutes=condition.max_lead_minutes)


def _risk(limit: Limit, forecast: Forecast) -> LimitRisk | None:
    wanted = (limit.rule.rule_id, limit.side, limit.threshold)
    return next((risk for risk in forecast.risks if (risk.rule_id, risk.side, risk.threshold) == wanted), None)


def _without_risk(limit: Limit, progress: Progress, incident: Incident | None, forecast: Forecast) -> Decision:
    """Neither counts nor ends anything, unless the rule does not want predictions any more."""
    if incident is None or incident.basis is Basis.OBSERVED or limit.forecast is not None:
        return Decision(Reason.NO_RISK, progress)
    over = _over(incident, at=to_millis(forecast.known_at), reason=Reason.RULE_REMOVED)
    return Decision(Reason.RULE_REMOVED, Progress(), Transition.RESOLVED, over)


def _known(
    limit: Limit,
    progress: Progress,
    incident: Incident,
    forecast: Forecast,
    foreseen: Foreseen,
    *,
    enough: int,
) -> Decision:
    if incident.basis is Basis.OBSERVED:
        return Decision(Reason.ONGOING, progress)
    if incident.as_of is not None and forecast.known_at <= incident.as_of:
        return Decision(Reason.OUT_OF_ORDER, progress)
    outside = progress.breach_since is not None or limit.outside(forecast.last_value)
    if progress.unlikely >= enough and not outside:
        over = _over(incident, at=to_millis(forecast.known_at), reason=Reason.FORECAST_CLEARED)
        return Decision(Reason.FORECAST_CLEARED, Progress(), Transition.RESOLVED, over, foreseen)
    until = _horizon_end(forecast)
    if progress.unlikely or (incident.expires_at is not None and until <= incident.expires_at):
        return Decision(Reason.UNLIKELY if progress.unlikely else Reason.ONGOING, progress)
    renewed = incident.model_copy(
        update={"expires_at": until, "as_of": forecast.known_at, "value": forecast.last_value}
    )
    return Decision(Reason.STILL_PREDICTED, progress, Transition.UPDATED, renewed)


def _over(incident: Incident, *, at: int, reason: Reason) -> Incident:
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


def _horizon_end(forecast: Forecast) -> datetime:
    return forecast.start + timedelta(seconds=forecast.step_seconds * (len(forecast.q50) - 1))


def _predicted(limit: Limit, forecast: Forecast, risk: LimitRisk) -> Incident:
    return Incident(
        tenant=forecast.tenant,
        incident_id=new_id(),
        rule_id=limit.rule.rule_id,
        rule_version=limit.rule.version,
        rule_name=limit.rule.name,
        severity=limit.rule.severity,
        device=forecast.device,
        metric=forecast.metric,
        unit=forecast.unit,
        kind=limit.rule.condition.kind,
        state=IncidentState.OPEN,
        basis=Basis.PREDICTED,
        side=limit.side,
        threshold=limit.threshold,
        opened_at=forecast.known_at,
        as_of=forecast.known_at,
        value=forecast.last_value,
        probability=risk.probability,
        expected_at=risk.expected_at,
        forecast_known_at=forecast.known_at,
        expires_at=_horizon_end(forecast),
        reason=Reason.PREDICTED,
    )
