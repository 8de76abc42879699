"""The outbox of each incident: who may send a notice now, and which were sent.

Whoever sends claims the notice first, for a time, by a conditional write: of several alerters one sends. One that dies
between sending and `settle` leaves a claim that runs out, and the notice is sent again: at least once, and short of
such a crash once.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sensorcast_common.clock import from_millis, rfc3339
from sensorcast_common.incident import Incident, IncidentState
from sensorcast_common.names import Names
from sensorcast_common.notice import Channel, Notice
from sensorcast_common.stored_incident import IncidentConflict, StoredIncident
from sensorcast_common.tables.incident_items import incident_key, notice_value, read_stored

if TYPE_CHECKING:
    from types_aiobotocore_dynamodb import DynamoDBClient
    from types_aiobotocore_dynamodb.type_defs import AttributeValueTypeDef


class IncidentOutbox:
    """Claims and settles notices.

    Args:
        client: DynamoDB.
        names: The stack's names.
        owner: Who claims; unique among the running alerters.
    """

    def __init__(self, client: "DynamoDBClient", names: Names, *, owner: str) -> None:
        self._client = client
        self._table = names.table_incidents
        self._owner = owner

    async def add(self, stored: StoredIncident, notices: Sequence[Notice]) -> StoredIncident:
        """Put notices into the outbox that time alone has brought; of several alerters one adds them.

        Raises:
            IncidentConflict: The incident is not at `stored.revision` any more.
        """
        changes, names, values = ["revision = :next"], {}, {}
        for at, notice in enumerate(notices):
            changes.append(f"outbox.#n{at} = :n{at}")
            names[f"#n{at}"] = notice.key
            values[f":n{at}"] = notice_value(notice)
        try:
            await self._client.update_item(
                TableName=self._table,
                Key=incident_key(stored.incident.tenant, stored.incident.incident_id),
                UpdateExpression="SET " + ", ".join(changes),
                ConditionExpression="revision = :before",
                ExpressionAttributeNames=names,
                ExpressionAttributeValues={
                    **values,
                    ":before": {"N": str(stored.revision)},
                    ":next": {"N": str(stored.revision + 1)},
                },
            )
        except self._client.exceptions.ConditionalCheckFailedException as error:
            raise IncidentConflict(f"incident {stored.incident.incident_id} has changed") from error
        added = {notice.key: notice for notice in notices}
        return StoredIncident(stored.incident, stored.revision + 1, {**stored.outbox, **added})

    async def claim(self, incident: Incident, notice: Notice, *, now: int, until: int) -> bool:
        """Take a pending notice until `until` (ms); False if it is sent, or held: by a claim that has not run out."""
        try:
            await self._client.update_item(
                TableName=self._table,
                Key=incident_key(incident.tenant, incident.incident_id),
                UpdateExpression=(
                    "SET outbox.#key.lease_by = :owner, outbox.#key.lease_until = :until, "
                    "outbox.#key.attempts = if_not_exists(outbox.#key.attempts, :zero) + :one"
                ),
                ConditionExpression=(
                    "attribute_exists(outbox.#key) AND attribute_not_exists(outbox.#key.sent_at) AND "
                    "attribute_not_exists(outbox.#key.refused) AND attribute_not_exists(outbox.#key.withheld) AND "
                    "(attribute_not_exists(outbox.#key.lease_until) OR outbox.#key.lease_until <= :now)"
                ),
                ExpressionAttributeNames={"#key": notice.key},
                ExpressionAttributeValues={
                    ":owner": {"S": self._owner},
                    ":until": {"N": str(until)},
                    ":now": {"N": str(now)},
                    ":zero": {"N": "0"},
                    ":one": {"N": "1"},
                },
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    async def postpone(self, incident: Incident, notice: Notice, *, until: int) -> None:
        """Nobody tries this notice before `until` (ms): what its sender says when it was not accepted."""
        try:
            await self._client.update_item(
                TableName=self._table,
                Key=incident_key(incident.tenant, incident.incident_id),
                UpdateExpression="SET outbox.#key.lease_until = :until",
                ConditionExpression="outbox.#key.lease_by = :owner AND attribute_not_exists(outbox.#key.sent_at)",
                ExpressionAttributeNames={"#key": notice.key},
                ExpressionAttributeValues={":owner": {"S": self._owner}, ":until": {"N": str(until)}},
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return  # the claim ran out and another has it, or has sent it

    async def settle(
        self,
        incident: Incident,
        notice: Notice,
        *,
        now: int,
        text: str | None = None,
        together: int = 1,
        refused: str | None = None,
        withheld: str | None = None,
    ) -> None:
        """The channel accepted the notice at `now` (ms), or refused it for good, or it is kept back for good.

        Args:
            incident: Whose outbox.
            notice: Which.
            now: When.
            text: What was sent; the first SMS becomes the incident's message.
            together: How many incidents it told of.
            refused: Why the channel never will.
            withheld: Why it is not to be sent.
        """
        values: dict[str, AttributeValueTypeDef]
        if refused is not None:
            changes, values = "SET outbox.#key.refused = :reason", {":reason": {"S": refused}}
        elif withheld is not None:
            changes, values = "SET outbox.#key.withheld = :reason", {":reason": {"S": withheld}}
        else:
            sent = notice.text if text is None else text
            changes = "SET outbox.#key.sent_at = :now, outbox.#key.together = :together"
            values = {":now": {"S": rfc3339(from_millis(now))}, ":together": {"N": str(together)}}
            if notice.channel is not Channel.MQTT:
                changes, values[":text"] = f"{changes}, outbox.#key.#text = :text", {"S": sent}
            if notice.channel is Channel.SMS:
                changes += ", notified_at = if_not_exists(notified_at, :now), message = if_not_exists(message, :text)"
        settled = await self._client.update_item(
            TableName=self._table,
            Key=incident_key(incident.tenant, incident.incident_id),
            UpdateExpression=changes,
            ConditionExpression="attribute_exists(outbox.#key)",
            ExpressionAttributeNames={"#key": notice.key, **({"#text": "text"} if ":text" in values else {})},
            ExpressionAttributeValues=values,
            ReturnValues="ALL_NEW",
        )
        after, revision, outbox = read_stored(settled["Attributes"])
        if after.state is IncidentState.RESOLVED and not any(each.pending for each in outbox.values()):
            await self.retire(after, revision=revision)

    async def retire(self, incident: Incident, *, revision: int) -> None:
        """Take a resolved incident, all of whose notices are sent, out of the index `open`."""
        try:
            await self._client.update_item(
                TableName=self._table,
                Key=incident_key(incident.tenant, incident.incident_id),
                UpdateExpression="REMOVE tenant_open",
                ConditionExpression="revision = :revision AND #state = :resolved",
                ExpressionAttributeNames={"#state": "state"},
                ExpressionAttributeValues={
                    ":revision": {"N": str(revision)},
                    ":resolved": {"S": IncidentState.RESOLVED},
                },
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return  # it changed meanwhile; the next sweep looks again
