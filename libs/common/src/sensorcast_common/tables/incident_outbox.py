"""The outbox of each incident: who may send a notice now, and which were sent.

Whoever sends claims the notice first, for a time, by a conditional write: of several alerters one sends. One that dies
between sending and `settle` leaves a claim that runs out, and the notice is sent again: at least once, and short of
such a crash once.
"""

from typing import TYPE_CHECKING

from sensorcast_common.clock import from_millis, rfc3339
from sensorcast_common.incident import Incident, IncidentState, Notice
from sensorcast_common.names import Names
from sensorcast_common.tables.incident_items import incident_key, read_stored

if TYPE_CHECKING:
    from types_aiobotocore_dynamodb import DynamoDBClient


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

    async def claim(self, incident: Incident, notice: Notice, *, now: int, until: int) -> bool:
        """Take a pending notice until `until` (ms); False if it is sent, or another has it.

        The notice is still held by a former claim of this owner: that one counts as another's.
        """
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

    async def settle(self, incident: Incident, notice: Notice, *, now: int) -> None:
        """The channel accepted the notice at `now` (ms); the first SMS becomes the incident's message."""
        sent_at = rfc3339(from_millis(now))
        sms = notice.channel == "sms"
        settled = await self._client.update_item(
            TableName=self._table,
            Key=incident_key(incident.tenant, incident.incident_id),
            UpdateExpression="SET outbox.#key.sent_at = :now"
            + (
                ", notified_at = if_not_exists(notified_at, :now), message = if_not_exists(message, :text)"
                if sms
                else ""
            ),
            ConditionExpression="attribute_exists(pk)",
            ExpressionAttributeNames={"#key": notice.key},
            ExpressionAttributeValues={":now": {"S": sent_at}, **({":text": {"S": notice.text}} if sms else {})},
            ReturnValues="ALL_NEW",
        )
        after, revision, outbox = read_stored(settled["Attributes"])
        if after.state is IncidentState.RESOLVED and all(each.sent_at for each in outbox.values()):
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
