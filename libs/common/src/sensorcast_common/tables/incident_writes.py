"""The conditional writes that transitions of incidents consist of, as DynamoDB wants them; no I/O."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from sensorcast_common.clock import rfc3339
from sensorcast_common.incident import Incident, IncidentEntry
from sensorcast_common.notice import Notice
from sensorcast_common.stored_incident import StoredIncident
from sensorcast_common.tables.incident_items import (
    entry_item,
    incident_item,
    incident_key,
    incident_value,
    marker_item,
    notice_value,
)

if TYPE_CHECKING:
    from types_aiobotocore_dynamodb.type_defs import (
        AttributeValueTypeDef,
        PutTypeDef,
        TransactWriteItemTypeDef,
        UpdateTypeDef,
    )

_AFTER_ALL: Final = "~"
"""Sorts after every time."""


def put_new(table: str, stored: StoredIncident) -> "TransactWriteItemTypeDef":
    """Store an incident that is not there yet."""
    return {
        "Put": {
            "TableName": table,
            "Item": incident_item(*stored),
            "ConditionExpression": "attribute_not_exists(pk)",
        }
    }


def put_entry(table: str, incident: Incident, entry: IncidentEntry | None) -> "Sequence[TransactWriteItemTypeDef]":
    """Add a line to its history, where there is one."""
    if entry is None:
        return []
    return [{"Put": {"TableName": table, "Item": entry_item(incident.tenant, incident.incident_id, entry)}}]


def take_marker(table: str, incident: Incident, *, revised: bool) -> "TransactWriteItemTypeDef":
    """Point the marker at a new incident, where none is open and the last one ended before."""
    return {
        "Put": {
            "TableName": table,
            "Item": marker_item(incident),
            "ConditionExpression": "attribute_not_exists(pk) OR resolved_at < :before",
            "ExpressionAttributeValues": {":before": {"S": _AFTER_ALL if revised else rfc3339(incident.opened_at)}},
        }
    }


def next_state(table: str, revision: int, stored: StoredIncident, news: Mapping[str, Notice]) -> "UpdateTypeDef":
    """Store its next state and the new notices, where it is still at `revision`."""
    changes = ["incident = :incident", "#state = :state", "revision = :next"]
    names = {"#state": "state"}
    values: dict[str, AttributeValueTypeDef] = {
        ":incident": incident_value(stored.incident),
        ":state": {"S": stored.incident.state},
        ":before": {"N": str(revision)},
        ":next": {"N": str(stored.revision)},
    }
    for at, (key, notice) in enumerate(news.items()):
        changes.append(f"outbox.#n{at} = :n{at}")
        names[f"#n{at}"] = key
        values[f":n{at}"] = notice_value(notice)
    if stored.incident.passed:
        changes.append("passed = :passed")
        values[":passed"] = {"BOOL": True}
    expression = "SET " + ", ".join(changes)
    if stored.incident.over and not any(notice.pending for notice in stored.outbox.values()):
        expression += " REMOVE tenant_open"
    return {
        "TableName": table,
        "Key": incident_key(stored.incident.tenant, stored.incident.incident_id),
        "UpdateExpression": expression,
        "ConditionExpression": "revision = :before",
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
    }


def free_marker(table: str, incident: Incident) -> "PutTypeDef":
    """Note on the marker when the incident ended, where it still points at it."""
    return {
        "TableName": table,
        "Item": marker_item(incident),
        "ConditionExpression": "incident_id = :incident_id",
        "ExpressionAttributeValues": {":incident_id": {"S": incident.incident_id}},
    }
