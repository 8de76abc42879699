"""Decides when a series has been silent for too long, and that something was heard of it again."""

from typing import NamedTuple

from sensorcast_common.clock import from_millis, to_millis
from sensorcast_common.identity import new_id
from sensorcast_common.incident import Basis, Incident, IncidentState
from sensorcast_common.reading import SeriesKey
from sensorcast_rules.decision import Decision, Progress, Reason, Transition
from sensorcast_rules.limits import Limit
from sensorcast_rules.measure import MINUTE_MS


class Heard(NamedTuple):
    """When something was last received of a series, in milliseconds since 1970 UTC, and what."""

    at: int
    value: float
    unit: str


def is_silent(limit: Limit, heard: Heard, *, now: int) -> bool:
    """Whether nothing was received for longer than the rule allows."""
    return now - heard.at > limit.threshold * MINUTE_MS


def fall_silent(
    limit: Limit, progress: Progress, incident: Incident | None, series: SeriesKey, heard: Heard
) -> Decision:
    """Open an incident of a series that is silent, dated by when the rule's time was up."""
    if incident is not None:
        return Decision(Reason.ONGOING, progress)
    since = from_millis(heard.at + round(limit.threshold * MINUTE_MS))
    opened = Incident(
        tenant=series.tenant,
        incident_id=new_id(),
        rule_id=limit.rule.rule_id,
        rule_version=limit.rule.version,
        rule_name=limit.rule.name,
        severity=limit.rule.severity,
        device=series.device,
        metric=series.metric,
        unit=heard.unit,
        kind=limit.rule.condition.kind,
        state=IncidentState.OPEN,
        basis=Basis.OBSERVED,
        side=limit.side,
        threshold=limit.threshold,
        opened_at=since,
        observed_at=since,
        as_of=from_millis(heard.at),
        value=heard.value,
        worst=limit.threshold,
        reason=Reason.SILENT,
    )
    return Decision(Reason.SILENT, progress, Transition.OPENED, opened)


def hear(progress: Progress, incident: Incident | None, heard: Heard) -> Decision:
    """End the incident of a series of which something was received again."""
    if incident is None:
        return Decision(Reason.INSIDE, progress)
    began = to_millis(incident.as_of or incident.opened_at)
    if heard.at <= began:
        return Decision(Reason.ONGOING, progress)
    resolved = incident.model_copy(
        update={
            "state": IncidentState.RESOLVED,
            "resolved_at": max(from_millis(heard.at), incident.opened_at),
            "as_of": from_millis(heard.at),
            "value": heard.value,
            "worst": (heard.at - began) / MINUTE_MS,
            "reason": Reason.HEARD,
        }
    )
    return Decision(Reason.HEARD, progress.over(), Transition.RESOLVED, resolved)
