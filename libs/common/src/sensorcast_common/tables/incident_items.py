"""The items of the table of incidents: keys, incidents with their outbox, markers, lines of history.

An incident is one JSON attribute, because DynamoDB numbers do not hold every float64; what conditions and indexes look
at stands beside it. `notified_at`, `message` and the outbox stand beside it too, so that whoever sends a notice writes
them without touching the rest.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from sensorcast_common.clock import from_millis, rfc3339
from sensorcast_common.incident import Incident, IncidentEntry
from sensorcast_common.notice import Notice

if TYPE_CHECKING:
    from types_aiobotocore_dynamodb.type_defs import AttributeValueTypeDef

_CHANGING: Final = {"sent_at", "refused", "withheld", "held_until", "attempts", "counted", "together"}

_WRITTEN: Final = ("sent_at", "refused", "withheld", "counted", "text")


def incident_key(tenant: str, incident_id: str) -> "dict[str, AttributeValueTypeDef]":
    """Key of an incident."""
    return {"pk": {"S": tenant}, "sk": {"S": incident_id}}


def marker_key(incident: Incident) -> "dict[str, AttributeValueTypeDef]":
    """Key of the marker of this incident's series, rule and side; none of their names can hold a `#`."""
    sk = "#".join((incident.rule_id, incident.device, incident.metric, incident.side))
    return {"pk": {"S": f"{incident.tenant}#series"}, "sk": {"S": sk}}


def marker_item(incident: Incident) -> "dict[str, AttributeValueTypeDef]":
    """The marker: which incident is open, or which one was the last and when it ended."""
    item = {**marker_key(incident), "incident_id": _text(incident.incident_id)}
    if incident.resolved_at is not None:
        item["resolved_at"] = _text(rfc3339(incident.resolved_at))
    return item


def incident_item(
    incident: Incident, revision: int, outbox: Mapping[str, Notice]
) -> "dict[str, AttributeValueTypeDef]":
    """A new incident's item; one that is over and has nothing to send is not in the index `open`."""
    waiting = not incident.over or any(notice.pending for notice in outbox.values())
    return {
        **incident_key(incident.tenant, incident.incident_id),
        **({"tenant_open": _text(incident.tenant)} if waiting else {}),
        "opened_at": _text(rfc3339(incident.opened_at)),
        "state": _text(incident.state),
        "revision": {"N": str(revision)},
        "incident": incident_value(incident),
        "outbox": {"M": {key: notice_value(notice) for key, notice in outbox.items()}},
    }


def incident_value(incident: Incident) -> "AttributeValueTypeDef":
    """The JSON attribute."""
    return _text(incident.model_dump_json(exclude={"notified_at", "message"}, exclude_none=True))


def history_key(tenant: str, incident_id: str) -> str:
    """Partition of an incident's history; a tenant's name cannot hold a `#`."""
    return f"{tenant}#{incident_id}"


def entry_item(tenant: str, incident_id: str, entry: IncidentEntry) -> "dict[str, AttributeValueTypeDef]":
    """A line of an incident's history."""
    return {
        "pk": _text(history_key(tenant, incident_id)),
        "sk": _text(entry.entry_id),
        "entry": _text(entry.model_dump_json(exclude_none=True)),
    }


def read_entry(item: "Mapping[str, AttributeValueTypeDef]") -> IncidentEntry:
    """The line of an item."""
    return IncidentEntry.model_validate_json(item["entry"]["S"])


def notice_value(notice: Notice) -> "AttributeValueTypeDef":
    """A notice in the outbox; what changes while it is sent stands beside its JSON."""
    fields = {"notice": _text(notice.model_dump_json(exclude=_CHANGING, exclude_none=True))}
    if notice.withheld is not None:
        fields["withheld"] = _text(notice.withheld)
    return {"M": fields}


def read_incident(item: "Mapping[str, AttributeValueTypeDef]") -> Incident:
    """The incident of an item."""
    incident = Incident.model_validate_json(item["incident"]["S"])
    if "notified_at" not in item:
        return incident
    later = {"notified_at": item["notified_at"]["S"], "message": item["message"]["S"]}
    return Incident.model_validate({**incident.model_dump(), **later})


def read_stored(item: "Mapping[str, AttributeValueTypeDef]") -> tuple[Incident, int, dict[str, Notice]]:
    """Incident, revision and outbox of an item."""
    outbox = {key: _notice(value["M"]) for key, value in item["outbox"]["M"].items()}
    return read_incident(item), int(item["revision"]["N"]), outbox


def _notice(fields: "Mapping[str, AttributeValueTypeDef]") -> Notice:
    notice = Notice.model_validate_json(fields["notice"]["S"])
    later: dict[str, object] = {name: fields[name]["S"] for name in _WRITTEN if name in fields}
    later |= {name: int(fields[name]["N"]) for name in ("attempts", "together") if name in fields}
    if "lease_until" in fields:
        later["held_until"] = from_millis(int(fields["lease_until"]["N"]))
    return Notice.model_validate({**notice.model_dump(), **later}) if later else notice


def _text(text: str) -> "AttributeValueTypeDef":
    return {"S": str(text)}
