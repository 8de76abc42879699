"""What people do with incidents - acknowledge, comment - and the history that holds this and every transition."""

from typing import TYPE_CHECKING, Final

from sensorcast_common.clock import from_millis
from sensorcast_common.identity import new_id
from sensorcast_common.incident import LIVE_STATES, Incident, IncidentEntry, IncidentState
from sensorcast_common.names import Names
from sensorcast_common.stored_incident import IncidentConflict
from sensorcast_common.tables.incident_items import entry_item, history_key, incident_key, read_entry
from sensorcast_common.tables.incidents import IncidentsTable

if TYPE_CHECKING:
    from types_aiobotocore_dynamodb import DynamoDBClient

_TRIES: Final = 8
MOST_ENTRIES: Final = 500
"""Lines of a history that are read at most, the newest."""


class NotLive(Exception):  # noqa: N818 - what happened, told to the one who asked for the change
    """The incident is pending or over: there is nothing to acknowledge."""

    def __init__(self, state: IncidentState) -> None:
        super().__init__(f"state: the incident is {state}; only one that is open can be acknowledged")
        self.state = state


class IncidentJournal:
    """Acknowledgements, comments, history.

    Args:
        client: DynamoDB.
        names: The stack's names.
    """

    def __init__(self, client: "DynamoDBClient", names: Names) -> None:
        self._client = client
        self._table = names.table_incidents
        self._incidents = IncidentsTable(client, names)

    async def acknowledge(self, tenant: str, incident_id: str, *, by: str, note: str | None, now: int) -> Incident:
        """Note who sees to an open incident; of several the first one stands.

        Args:
            tenant: Whose incident.
            incident_id: Which.
            by: Who.
            note: What they write with it.
            now: Milliseconds since 1970 UTC.

        Raises:
            KeyError: The tenant has no such incident.
            NotLive: It is pending or over.
            IncidentConflict: Others kept changing it meanwhile.
        """
        for _ in range(_TRIES):
            stored = await self._incidents.load(tenant, incident_id)
            if stored is None:
                raise KeyError(incident_id)
            incident = stored.incident
            if incident.state not in LIVE_STATES:
                raise NotLive(incident.state)
            if incident.state is IncidentState.ACKNOWLEDGED:
                return incident
            after = incident.model_copy(
                update={
                    "state": IncidentState.ACKNOWLEDGED,
                    "acknowledged_by": by,
                    "acknowledged_at": from_millis(now),
                    "note": note,
                }
            )
            entry = entry_of(after, "acknowledged", now=now, reason="acknowledged", by=by, note=note)
            try:
                return (await self._incidents.change(stored, after, entry=entry)).incident
            except IncidentConflict:
                continue
        raise IncidentConflict(f"incident {incident_id} keeps being changed by others")

    async def comment(self, tenant: str, incident_id: str, *, by: str, note: str, now: int) -> IncidentEntry:
        """Add a comment, also to an incident that is over.

        Raises:
            KeyError: The tenant has no such incident.
        """
        incident = await self._incidents.get(tenant, incident_id)
        if incident is None:
            raise KeyError(incident_id)
        entry = entry_of(incident, "commented", now=now, reason="commented", by=by, note=note)
        await self._client.put_item(TableName=self._table, Item=entry_item(tenant, incident_id, entry))
        return entry

    async def history(self, tenant: str, incident_id: str) -> list[IncidentEntry]:
        """Every transition and comment, oldest first; at most the newest 500.

        Raises:
            KeyError: The tenant has no such incident.
        """
        found = await self._client.get_item(
            TableName=self._table, Key=incident_key(tenant, incident_id), ProjectionExpression="pk"
        )
        if "Item" not in found:
            raise KeyError(incident_id)
        entries: list[IncidentEntry] = []
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": history_key(tenant, incident_id)}},
            ScanIndexForward=False,
            ConsistentRead=True,
        )
        async for page in pages:
            entries += map(read_entry, page["Items"])
            if len(entries) >= MOST_ENTRIES:
                break
        return entries[:MOST_ENTRIES][::-1]


def entry_of(
    incident: Incident, transition: str, *, now: int, reason: str, by: str | None = None, note: str | None = None
) -> IncidentEntry:
    """The line that tells what just happened to an incident, which is as it is after it."""
    return IncidentEntry(
        entry_id=new_id(),
        at=from_millis(now),
        transition=transition,
        state=incident.state,
        basis=incident.basis,
        reason=reason,
        value=incident.value,
        as_of=incident.as_of,
        rule_version=incident.rule_version,
        by=by,
        note=note,
    )
