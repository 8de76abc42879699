"""Decides what a forecast means under one limit: predicted breaches, their renewal and their end.

Of a product, a breach is predicted where the median path uses up what is left of a budget.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Self

from sensorcast_common.clock import from_millis, to_millis
from sensorcast_common.forecast import Forecast, LimitRisk
from sensorcast_common.identity import new_id
from sensorcast_common.incident import Basis, Incident, IncidentState
from sensorcast_common.rule import ForecastCondition
from sensorcast_rules.budget import BudgetMemory, Outlook
from sensorcast_rules.decision import Decision, Foreseen, Patience, Progress, Reason, Transition
from sensorcast_rules.ending import ended
from sensorcast_rules.limits import Limit
from sensorcast_rules.measure import Point


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

    A prediction is about leaving a limit, or about using up a budget. While the series is outside already, the hold
    time of the rule decides, and a forecast opens nothing, unless what is left of a budget will not last.

    Args:
        limit: The limit.
        progress: What the limit remembers of the series.
        incident: The incident that is not over, if there is one.
        forecast: The forecast.
        now: Milliseconds since 1970 UTC.
        patience: What is too old to be news.
    """
    condition, risk = limit.forecast, _risk(limit, forecast)
    if condition is None or risk is None:
        return _without_risk(limit, progress, incident, forecast)
    ahead = _Ahead.of(limit, progress, forecast, risk)
    likely = ahead.probability >= condition.min_probability and ahead.breaches
    too_far = likely and ahead.too_far(condition)
    progress = replace(
        progress,
        likely=progress.likely + 1 if likely and not too_far else 0,
        unlikely=progress.unlikely + 1 if ahead.probability < condition.clears_below or not ahead.breaches else 0,
    )
    if incident is not None and not _may_promote(limit, incident):
        return _known(ahead, progress, incident, enough=condition.clear_consecutive)
    if progress.likely == 0:
        return _shown(ahead, progress, incident, Reason.TOO_FAR if too_far else Reason.UNLIKELY)
    if incident is None and (progress.breach_since is not None or limit.outside(forecast.last_value)):
        return Decision(Reason.ALREADY_OUTSIDE, progress)
    if progress.likely < condition.min_consecutive:
        return _shown(ahead, progress, incident, Reason.NOT_YET)
    if now - to_millis(forecast.known_at) > 2 * patience.forecast_period:
        return Decision(Reason.STALE_FORECAST, progress)
    predicted = _predicted(ahead, incident)
    return Decision(Reason.PREDICTED, progress, Transition.OPENED, ahead.on(predicted, progress), ahead.foreseen)


@dataclass(frozen=True, slots=True)
class _Ahead:
    """What a forecast says of a limit.

    Attributes:
        limit: The limit.
        forecast: The forecast.
        probability: Of leaving the limit.
        expected_at: When the breach is expected.
        outlook: What it means for a budget, where the limit has one.
    """

    limit: Limit
    forecast: Forecast
    probability: float
    expected_at: datetime | None
    outlook: Outlook | None

    @classmethod
    def of(cls, limit: Limit, progress: Progress, forecast: Forecast, risk: LimitRisk) -> Self:
        budget = limit.budget
        if budget is None:
            return cls(limit, forecast, risk.probability, risk.expected_at, None)
        used = progress.memory if isinstance(progress.memory, BudgetMemory) else BudgetMemory(-1, 0.0)
        start, step = to_millis(forecast.start), forecast.step_seconds * 1000
        path = [Point(to_millis(forecast.known_at), forecast.last_value)]
        path += [Point(start + at * step, value) for at, value in enumerate(forecast.q50)]
        outlook = Outlook.of(budget, path, minutes=used.minutes, cumulative=used.cumulative)
        used_up_at = None if outlook.used_up_at is None else from_millis(outlook.used_up_at)
        return cls(limit, forecast, risk.probability, used_up_at, outlook)

    @property
    def breaches(self) -> bool:
        """Whether what is likely would be a breach: of a budget, only if the median path uses it up."""
        return self.outlook is None or self.outlook.used_up_at is not None

    @property
    def foreseen(self) -> Foreseen:
        return Foreseen(self.forecast.known_at, self.probability, self.expected_at)

    def too_far(self, condition: ForecastCondition) -> bool:
        if condition.max_lead_minutes is None or self.expected_at is None:
            return False
        return self.expected_at - self.forecast.known_at > timedelta(minutes=condition.max_lead_minutes)

    def on(self, incident: Incident, progress: Progress) -> Incident:
        """The incident with the minutes that it will use."""
        excursion = self.limit.excursion(progress.memory, incident.excursion)
        if self.outlook is None or excursion is None:
            return incident
        foreseen = {
            "foreseen_minutes": self.outlook.minutes,
            "foreseen_cumulative_minutes": self.outlook.cumulative,
        }
        return incident.model_copy(update={"excursion": excursion.model_copy(update=foreseen)})


def _may_promote(limit: Limit, incident: Incident) -> bool:
    """Whether a forecast may turn a pending incident into a predicted one: where a budget is being used up."""
    return limit.budget is not None and incident.state is IncidentState.PENDING


def _shown(ahead: _Ahead, progress: Progress, incident: Incident | None, reason: Reason) -> Decision:
    """Nothing happens but that an incident shows the minutes it will use."""
    if incident is None or ahead.outlook is None:
        return Decision(reason, progress)
    after = ahead.on(incident, progress)
    if after == incident:
        return Decision(reason, progress)
    return Decision(reason, progress, Transition.UPDATED, after)


def _risk(limit: Limit, forecast: Forecast) -> LimitRisk | None:
    wanted = (limit.rule.rule_id, limit.side, limit.threshold)
    return next((risk for risk in forecast.risks if (risk.rule_id, risk.side, risk.threshold) == wanted), None)


def _without_risk(limit: Limit, progress: Progress, incident: Incident | None, forecast: Forecast) -> Decision:
    """Neither counts nor ends anything, unless the rule does not want predictions any more."""
    if incident is None or incident.basis is Basis.OBSERVED or limit.forecast is not None:
        return Decision(Reason.NO_RISK, progress)
    over = ended(incident, at=to_millis(forecast.known_at), reason=Reason.RULE_REMOVED)
    return Decision(Reason.RULE_REMOVED, progress.over(), Transition.RESOLVED, over)


def _known(ahead: _Ahead, progress: Progress, incident: Incident, *, enough: int) -> Decision:
    forecast = ahead.forecast
    if incident.basis is Basis.OBSERVED:
        return _shown(ahead, progress, incident, Reason.ONGOING)
    if incident.as_of is not None and forecast.known_at <= incident.as_of:
        return Decision(Reason.OUT_OF_ORDER, progress)
    outside = progress.breach_since is not None or ahead.limit.outside(forecast.last_value)
    if progress.unlikely >= enough and not outside:
        over = ended(incident, at=to_millis(forecast.known_at), reason=Reason.FORECAST_CLEARED)
        return Decision(Reason.FORECAST_CLEARED, progress.over(), Transition.RESOLVED, over, ahead.foreseen)
    until = _horizon_end(forecast)
    if progress.unlikely or (incident.expires_at is not None and until <= incident.expires_at):
        return _shown(ahead, progress, incident, Reason.UNLIKELY if progress.unlikely else Reason.ONGOING)
    renewed = incident.model_copy(
        update={"expires_at": until, "as_of": forecast.known_at, "value": forecast.last_value}
    )
    return Decision(Reason.STILL_PREDICTED, progress, Transition.UPDATED, ahead.on(renewed, progress))


def _horizon_end(forecast: Forecast) -> datetime:
    return forecast.start + timedelta(seconds=forecast.step_seconds * (len(forecast.q50) - 1))


def _predicted(ahead: _Ahead, pending: Incident | None) -> Incident:
    rule, forecast = ahead.limit.rule, ahead.forecast
    predicted: dict[str, object] = {
        "state": IncidentState.OPEN,
        "basis": Basis.PREDICTED,
        "as_of": forecast.known_at,
        "value": forecast.last_value,
        "observed_at": None,
        "probability": ahead.probability,
        "expected_at": ahead.expected_at,
        "forecast_known_at": forecast.known_at,
        "expires_at": _horizon_end(forecast),
        "reason": Reason.PREDICTED,
    }
    if pending is not None:
        return pending.model_copy(update=predicted)
    return Incident.model_validate(
        {
            **predicted,
            "tenant": forecast.tenant,
            "incident_id": new_id(),
            "rule_id": rule.rule_id,
            "rule_version": rule.version,
            "rule_name": rule.name,
            "severity": rule.severity,
            "device": forecast.device,
            "metric": forecast.metric,
            "unit": forecast.unit,
            "kind": rule.condition.kind,
            "side": ahead.limit.side,
            "threshold": ahead.limit.threshold,
            "opened_at": forecast.known_at,
        }
    )
