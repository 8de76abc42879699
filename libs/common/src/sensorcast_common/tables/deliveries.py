"""What was sent: messages per number and day, and when each group of incidents last had one.

Items, pk tenant, all with a TTL:

- a count: sk `count#{day}#{number}`, and `count#{day}#*` of all numbers together;
- what is still to be revised: see `late_marks`;
- a group: sk `group#{key}`: `sent_at` and `severity` of its last message, and the lease of whoever sends the next.
"""

import hashlib
from typing import TYPE_CHECKING, Final, Literal

from sensorcast_common.incident import Incident
from sensorcast_common.names import Names
from sensorcast_common.notice import Notice
from sensorcast_common.recipient import SEVERITIES, Severity
from sensorcast_common.tables.incident_items import incident_key

if TYPE_CHECKING:
    from types_aiobotocore_dynamodb import DynamoDBClient
    from types_aiobotocore_dynamodb.type_defs import AttributeValueTypeDef, TransactWriteItemTypeDef

ALL_NUMBERS: Final = "*"
_KEPT_SECONDS: Final = 3 * 86_400

Cap = Literal["number", "tenant"]


class DeliveriesTable:
    """Counts messages, and lets one alerter at a time send to a group.

    Args:
        client: DynamoDB.
        names: The stack's names.
        owner: Who leases; unique among the running alerters.
    """

    def __init__(self, client: "DynamoDBClient", names: Names, *, owner: str) -> None:
        self._client = client
        self._table = names.table_deliveries
        self._incidents = names.table_incidents
        self._owner = owner

    async def count(
        self, incident: Incident, notice: Notice, *, day: str, per_number: int, per_tenant: int, now: int
    ) -> Cap | None:
        """Count a message toward its number's and its tenant's day, once, however often it is tried.

        Args:
            incident: Whose notice.
            notice: The message; its recipient is the number.
            day: The day, e.g. `2025-01-15`.
            per_number: Messages that a number may get on one day.
            per_tenant: Messages that a tenant may send on one day.
            now: Milliseconds since 1970 UTC.

        Returns:
            Which cap is reached, and then nothing is counted; `None` where the message may be sent.
        """
        mark: TransactWriteItemTypeDef = {
            "Update": {
                "TableName": self._incidents,
                "Key": incident_key(incident.tenant, incident.incident_id),
                "UpdateExpression": "SET outbox.#key.counted = :day",
                "ConditionExpression": "attribute_not_exists(outbox.#key.counted)",
                "ExpressionAttributeNames": {"#key": notice.key},
                "ExpressionAttributeValues": {":day": {"S": day}},
            }
        }
        counts = [
            self._plus_one(incident.tenant, f"count#{day}#{of}", most, now)
            for of, most in ((notice.recipient, per_number), (ALL_NUMBERS, per_tenant))
        ]
        try:
            await self._client.transact_write_items(TransactItems=[mark, *counts])
        except self._client.exceptions.TransactionCanceledException as error:
            marked, number, tenant = (
                each.get("Code") == "ConditionalCheckFailed" for each in error.response["CancellationReasons"]
            )
            if marked:
                return None
            if number:
                return "number"
            if tenant:
                return "tenant"
            raise
        return None

    async def counted(self, tenant: str, *, day: str, number: str = ALL_NUMBERS) -> int:
        """Messages of a day to one number, or to all of a tenant's."""
        found = await self._client.get_item(
            TableName=self._table, Key=_key(tenant, f"count#{day}#{number}"), ConsistentRead=True
        )
        return int(found["Item"]["messages"]["N"]) if "Item" in found else 0

    async def enter(self, tenant: str, group: str, *, now: int, until: int, interval: int, severity: Severity) -> bool:
        """Take the right to send to a group until `until` (ms).

        It is free where nobody else has it, and where its last message is `interval` ms old or was of something less
        severe.
        """
        try:
            await self._client.update_item(
                TableName=self._table,
                Key=_key(tenant, f"group#{_short(group)}"),
                UpdateExpression="SET lease_by = :owner, lease_until = :until, expires_at = :expires",
                ConditionExpression=(
                    "(attribute_not_exists(lease_until) OR lease_until <= :now) AND "
                    "(attribute_not_exists(sent_at) OR sent_at <= :latest OR severity < :severity)"
                ),
                ExpressionAttributeValues={
                    ":owner": {"S": self._owner},
                    ":until": {"N": str(until)},
                    ":now": {"N": str(now)},
                    ":latest": {"N": str(now - interval)},
                    ":severity": {"N": str(SEVERITIES.index(severity))},
                    ":expires": {"N": str(now // 1000 + _KEPT_SECONDS)},
                },
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    async def leave(self, tenant: str, group: str, *, sent_at: int | None, severity: Severity) -> None:
        """Give the right to send back, after a message at `sent_at` (ms) or after none."""
        values: dict[str, AttributeValueTypeDef] = {":owner": {"S": self._owner}}
        changes = "REMOVE lease_by, lease_until"
        if sent_at is not None:
            changes = f"SET sent_at = :sent, severity = :severity {changes}"
            values[":sent"] = {"N": str(sent_at)}
            values[":severity"] = {"N": str(SEVERITIES.index(severity))}
        try:
            await self._client.update_item(
                TableName=self._table,
                Key=_key(tenant, f"group#{_short(group)}"),
                UpdateExpression=changes,
                ConditionExpression="lease_by = :owner",
                ExpressionAttributeValues=values,
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return  # the lease ran out, and another has it

    def _plus_one(self, tenant: str, sk: str, most: int, now: int) -> "TransactWriteItemTypeDef":
        return {
            "Update": {
                "TableName": self._table,
                "Key": _key(tenant, sk),
                "UpdateExpression": "ADD messages :one SET expires_at = :expires",
                "ConditionExpression": "attribute_not_exists(messages) OR messages < :most",
                "ExpressionAttributeValues": {
                    ":one": {"N": "1"},
                    ":most": {"N": str(most)},
                    ":expires": {"N": str(now // 1000 + _KEPT_SECONDS)},
                },
            }
        }


def _key(tenant: str, sk: str) -> "dict[str, AttributeValueTypeDef]":
    return {"pk": {"S": tenant}, "sk": {"S": sk}}


def _short(group: str) -> str:
    """A key of one length, whatever the labels are."""
    return hashlib.sha256(group.encode()).hexdigest()[:32]
