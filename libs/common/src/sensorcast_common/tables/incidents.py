"""The table of incidents: each one's present state and history, and the markers that keep it to one at a time.

Items, in one table:

- an incident: pk tenant, sk incident id (time-ordered); the incident as JSON, its `revision`, its `outbox` of notices;
- a marker: pk `{tenant}#series`, sk `{rule}#{device}#{metric}#{side}`; points at the incident that is open there, or
  says when the last one ended. An incident and its marker change in one transaction, so that two alerters that see the
  same breach make one incident, and an old reading that comes again does not reopen what is over;
- a line of an incident's history: pk `{tenant}#{incident id}`, sk a time-ordered id; written in the transaction of the
  transition it tells of, or alone for a comment (see `incident_journal`).

The index `open` is sparse: an incident is in it until it is resolved and its notices are sent. Incidents are never
removed.
"""

from collections.abc import AsyncIterator, Collection, Sequence
from typing import TYPE_CHECKING, Final

from sensorcast_common.clock import rfc3339
from sensorcast_common.incident import Incident, IncidentEntry, IncidentState
from sensorcast_common.names import Names
from sensorcast_common.notice import Notice
from sensorcast_common.stored_incident import AlreadyOpen, AlreadyOver, IncidentConflict, StoredIncident
from sensorcast_common.tables.incident_items import incident_key, marker_key, read_stored
from sensorcast_common.tables.incident_pages import MAX_PAGE, IncidentPages
from sensorcast_common.tables.incident_writes import free_marker, next_state, put_entry, put_new, take_marker

if TYPE_CHECKING:
    from types_aiobotocore_dynamodb import DynamoDBClient
    from types_aiobotocore_dynamodb.type_defs import ScanInputTypeDef, TransactWriteItemTypeDef

_OPEN_TRIES: Final = 5


class IncidentsTable:
    """Incidents per tenant.

    Args:
        client: DynamoDB.
        names: The stack's names.
    """

    def __init__(self, client: "DynamoDBClient", names: Names) -> None:
        self._client = client
        self._table = names.table_incidents
        self._pages = IncidentPages(client, names)

    async def list(
        self,
        tenant: str,
        *,
        states: Collection[IncidentState] = (),
        limit: int = 50,
        cursor: str | None = None,
    ) -> tuple[list[Incident], str | None]:
        """A page of incidents, newest first, and the cursor of the next page or `None`.

        Args:
            tenant: Whose.
            states: Only those in these states; by default all that people have been told of, which leaves out those
                that are pending or ended so.
            limit: Incidents of a page, 1 to 500.
            cursor: Where the page before ended.

        Raises:
            ValueError: `limit` is out of 1 to 500, or `cursor` is not one that this method returned.
        """
        if not 1 <= limit <= MAX_PAGE:
            raise ValueError(f"limit: {limit} is out of 1 to {MAX_PAGE}")
        return await self._pages.page(tenant, states=frozenset(states), limit=limit, cursor=cursor)

    async def get(self, tenant: str, incident_id: str) -> Incident | None:
        """One incident as it is now (consistent read), or `None`."""
        stored = await self.load(tenant, incident_id)
        return stored.incident if stored else None

    async def load(self, tenant: str, incident_id: str) -> StoredIncident | None:
        """One incident with its revision and outbox (consistent read), or `None`."""
        found = await self._client.get_item(
            TableName=self._table, Key=incident_key(tenant, incident_id), ConsistentRead=True
        )
        return StoredIncident(*read_stored(found["Item"])) if "Item" in found else None

    async def live(self) -> AsyncIterator[StoredIncident]:
        """The incidents of all tenants that are not over or have notices to send; a scan of the sparse index.

        The index follows the table within moments, so that a change made just before may be missing.
        """
        scan: ScanInputTypeDef = {"TableName": self._table, "IndexName": "open"}
        while True:
            page = await self._client.scan(**scan)
            for item in page["Items"]:
                yield StoredIncident(*read_stored(item))
            if "LastEvaluatedKey" not in page:
                return
            scan["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    async def recent(self, tenant: str, since_id: str) -> Sequence[StoredIncident]:
        """The incidents of a tenant from an id on, also those that are pending or have passed (consistent read)."""
        found: Sequence[StoredIncident] = ()
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="pk = :tenant AND sk >= :since",
            ExpressionAttributeValues={":tenant": {"S": tenant}, ":since": {"S": since_id}},
            ConsistentRead=True,
        )
        async for page in pages:
            found = [*found, *(StoredIncident(*read_stored(item)) for item in page["Items"])]
        return found

    async def open(
        self,
        incident: Incident,
        notices: Sequence[Notice] = (),
        *,
        entry: IncidentEntry | None = None,
        revised: bool = False,
    ) -> StoredIncident:
        """Store a new incident, its marker, its notices and the first line of its history in one transaction.

        Args:
            incident: The incident.
            notices: To be sent.
            entry: The line of history.
            revised: All readings have been gone through again, in order, so that it may begin before the last one for
                the series, rule and side ended: what ended did so by readings that came out of order.

        Raises:
            AlreadyOpen: There is an open one for the series, rule and side.
            AlreadyOver: The last one for them ended at or after `incident.opened_at`, and this one is not revised.
            IncidentConflict: Others kept writing the marker.
        """
        stored = StoredIncident(incident, 1, {notice.key: notice for notice in notices})
        put_incident = put_new(self._table, stored)
        put_marker = take_marker(self._table, incident, revised=revised)
        for _ in range(_OPEN_TRIES):
            try:
                await self._client.transact_write_items(
                    TransactItems=[put_incident, put_marker, *put_entry(self._table, incident, entry)]
                )
            except self._client.exceptions.TransactionCanceledException:
                standing = await self._standing(incident, revised=revised)
                if standing is not None:  # a request that was repeated because its answer got lost
                    return standing
            else:
                return stored
        raise IncidentConflict(f"{incident.rule_id} of {incident.series}: the marker is being written by others")

    async def add_over(self, incident: Incident, *, entry: IncidentEntry) -> bool:
        """Store an incident that is over already, as late readings tell of it; its id says what it is about.

        Returns:
            Whether it is new: another alerter may have added it.
        """
        try:
            await self._client.transact_write_items(
                TransactItems=[
                    put_new(self._table, StoredIncident(incident, 1, {})),
                    *put_entry(self._table, incident, entry),
                ]
            )
        except self._client.exceptions.TransactionCanceledException:
            if await self.load(incident.tenant, incident.incident_id) is None:
                raise
            return False
        return True

    async def _standing(self, incident: Incident, *, revised: bool) -> StoredIncident | None:
        """What the marker points at: this very incident, or nothing that stands in the way any more.

        Raises:
            AlreadyOpen: Another incident is open.
            AlreadyOver: The last one ended at or after this one's opening, and this one is not revised.
        """
        found = await self._client.get_item(TableName=self._table, Key=marker_key(incident), ConsistentRead=True)
        marker = found.get("Item")
        if marker is None:
            return None
        if "resolved_at" in marker:
            if not revised and marker["resolved_at"]["S"] >= rfc3339(incident.opened_at):
                raise AlreadyOver(f"the last incident ended at {marker['resolved_at']['S']}")
            return None
        standing = await self.load(incident.tenant, marker["incident_id"]["S"])
        if standing is not None and standing.incident.incident_id != incident.incident_id:
            raise AlreadyOpen(standing)
        return standing

    async def change(
        self,
        before: StoredIncident,
        after: Incident,
        notices: Sequence[Notice] = (),
        *,
        entry: IncidentEntry | None = None,
    ) -> StoredIncident:
        """Store the next state of an incident, its notices, and a line of its history, all or nothing.

        Resolving it frees its marker in the same transaction. `notified_at` and `message` stay as the table has
        them: they belong to the outbox.

        Raises:
            IncidentConflict: The table holds another revision than `before.revision`.
        """
        news = {notice.key: notice for notice in notices if notice.key not in before.outbox}
        stored = StoredIncident(after, before.revision + 1, {**before.outbox, **news})
        update = next_state(self._table, before.revision, stored, news)
        writes: list[TransactWriteItemTypeDef] = [{"Update": update}, *put_entry(self._table, after, entry)]
        if after.over and not before.incident.over:
            writes.append({"Put": free_marker(self._table, after)})
        try:
            if len(writes) > 1:
                await self._client.transact_write_items(TransactItems=writes)
            else:
                await self._client.update_item(**update)
        except (
            self._client.exceptions.ConditionalCheckFailedException,
            self._client.exceptions.TransactionCanceledException,
        ) as error:
            raise IncidentConflict(
                f"incident {after.incident_id} is not at revision {before.revision} any more"
            ) from error
        return stored
