"""Works out what incidents a series would have had if its readings had come in order, and what has to change.

A reading that comes after a newer one decides nothing when it comes: it opens no incident, ends none, and wakes nobody.
But it is evidence, so a little later the readings around it are gone through again, in order. A breach that had been
missed becomes an incident that is marked late; one that began or ended at another time is dated anew; one that never
was, given all readings, is withdrawn. So the incidents in the end are those of the readings, whatever their order.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from sensorcast_common.clock import to_millis
from sensorcast_common.identity import id_about
from sensorcast_common.incident import Basis, Incident, IncidentState
from sensorcast_common.reading import Reading, SeriesKey
from sensorcast_common.stored_incident import StoredIncident
from sensorcast_rules.decide import decide
from sensorcast_rules.decision import Patience, Progress, Reason
from sensorcast_rules.limits import Limit
from sensorcast_rules.measure import Point

_SLACK_MS = 900_000
_FOREVER = 1 << 62


@dataclass(frozen=True, slots=True)
class Derived:
    """What readings in order come to.

    Attributes:
        incidents: Oldest first; only the last may be open or pending, and none has passed.
        progress: What the limit remembers after the last reading.
    """

    incidents: tuple[Incident, ...]
    progress: Progress


class Step(StrEnum):
    """What is to be done about one incident."""

    DATE_ANEW = "date_anew"
    ADD = "add"
    OPEN = "open"
    WITHDRAW = "withdraw"


@dataclass(frozen=True, slots=True)
class Revision:
    """One change.

    Attributes:
        step: What is to be done.
        before: The incident as it is stored; `None` where there is none.
        after: The incident as it is to be stored.
    """

    step: Step
    before: StoredIncident | None
    after: Incident


def lookback(limit: Limit) -> int:
    """How far before a reading its meaning may begin, in milliseconds."""
    return limit.hold + (limit.measure.window if limit.measure is not None else 0) + _SLACK_MS


def derive(limit: Limit, series: SeriesKey, unit: str, points: Iterable[Point], *, patience: Patience) -> Derived:
    """Go through readings in order.

    Args:
        limit: The limit.
        series: Whose readings.
        unit: SenML unit of the readings.
        points: By time, one per time; they begin where no incident was on.
        patience: As for readings that come.
    """
    progress, incident = Progress(), None
    done: list[Incident] = []
    for point in points:
        reading = Reading(*series, ts=point.ts, value=point.value, unit=unit, received_at=point.ts)
        decision = decide(limit, progress, incident, reading, now=point.ts, patience=patience)
        progress = decision.progress
        incident = decision.incident or incident
        if incident is not None and incident.over:
            done += [] if incident.passed else [incident]
            incident = None
    if incident is not None:
        done.append(incident)
    return Derived(tuple(done), progress)


def begins(existing: Iterable[StoredIncident], late_from: int) -> int:
    """From when on readings matter, in milliseconds: where an incident is on at `late_from`, from its beginning."""
    starts = [_start(each.incident) for each in existing if _end(each.incident) >= late_from]
    return min([late_from, *starts])


def revisions(
    derived: Sequence[Incident], existing: Sequence[StoredIncident], *, late_from: int, until: int, limit: Limit
) -> list[Revision]:
    """What has to change so that the incidents are those that were derived.

    Nothing changes before the first late reading or after the last one that was gone through, nor what another version
    of the rule has opened, nor predictions that did not come true.

    Args:
        derived: Of the limit and series, oldest first.
        existing: Of the same limit and series.
        late_from: Event time of the first late reading, in milliseconds.
        until: Event time of the last reading that `derived` follows from, in milliseconds.
        limit: The limit.
    """
    wanted = [each for each in derived if _end(each) >= late_from and each.state is not IncidentState.PENDING]
    there = [
        each
        for each in existing
        if _end(each.incident) >= late_from and _start(each.incident) <= until and _counts(each.incident)
    ]
    if any(each.incident.rule_version != limit.rule.version for each in there):
        return []
    steps: list[Revision] = []
    pairs = _pairs(wanted, there)
    for incident, stored in pairs:
        if stored is None:
            open_one = not incident.over
            steps.append(Revision(Step.OPEN if open_one else Step.ADD, None, incident if open_one else _late(incident)))
        elif (after := _dated(stored.incident, incident)) != stored.incident:
            steps.append(Revision(Step.DATE_ANEW, stored, after))
    paired = {stored.incident.incident_id for _, stored in pairs if stored is not None}
    steps += [
        Revision(Step.WITHDRAW, stored, _withdrawn(stored.incident))
        for stored in there
        if stored.incident.incident_id not in paired and stored.incident.basis is Basis.OBSERVED
    ]
    # An incident that ends makes room for the one that is to open.
    return sorted(steps, key=lambda each: each.step is Step.OPEN)


def _pairs(wanted: Sequence[Incident], there: Sequence[StoredIncident]) -> list[tuple[Incident, StoredIncident | None]]:
    """Each derived incident with the stored one that it is: what is open with what is open, the rest by overlap."""
    left = sorted(there, key=lambda each: _start(each.incident))
    pairs: dict[int, StoredIncident] = {}
    for at in sorted(range(len(wanted)), key=lambda at: wanted[at].over):
        incident = wanted[at]
        found = next((each for each in left if not incident.over and not each.incident.over), None) or next(
            (each for each in left if _overlap(incident, each.incident)), None
        )
        if found is not None:
            left.remove(found)
            pairs[at] = found
    return [(incident, pairs.get(at)) for at, incident in enumerate(wanted)]


def _overlap(one: Incident, other: Incident) -> bool:
    return _start(one) <= _end(other) and _start(other) <= _end(one)


def _start(incident: Incident) -> int:
    return to_millis(incident.observed_at or incident.opened_at)


def _end(incident: Incident) -> int:
    return _FOREVER if incident.resolved_at is None else to_millis(incident.resolved_at)


def _counts(incident: Incident) -> bool:
    return incident.state is not IncidentState.PENDING and not incident.passed and not incident.withdrawn


def _dated(incident: Incident, derived: Incident) -> Incident:
    """The stored incident with the dates of the derived one."""
    predicted_before = incident.forecast_known_at is not None and incident.opened_at < derived.opened_at
    changes: dict[str, object] = {
        "basis": Basis.OBSERVED,
        "observed_at": derived.observed_at,
        "opened_at": incident.opened_at if predicted_before else derived.opened_at,
        "worst": derived.worst,
    }
    if derived.over:
        same_end = incident.over and incident.resolved_at == derived.resolved_at
        changes |= {
            "state": IncidentState.RESOLVED,
            "resolved_at": derived.resolved_at,
            "reason": incident.reason if same_end else Reason.BACK_INSIDE,
        }
    return incident.model_copy(update=changes)


def _late(incident: Incident) -> Incident:
    what = (*incident.series, incident.rule_id, str(incident.rule_version), incident.side)
    return incident.model_copy(
        update={"incident_id": id_about(to_millis(incident.opened_at), *what), "late": True, "reason": Reason.LATE}
    )


def _withdrawn(incident: Incident) -> Incident:
    return incident.model_copy(
        update={
            "state": IncidentState.RESOLVED,
            "resolved_at": incident.resolved_at or max(incident.opened_at, incident.as_of or incident.opened_at),
            "withdrawn": True,
            "reason": Reason.WITHDRAWN,
        }
    )


def carried(derived: Progress, before: Progress) -> Progress:
    """What the limit remembers after a revision: of readings what was derived, of forecasts what it knew."""
    return replace(derived, likely=before.likely, unlikely=before.unlikely)
