"""The table of payloads that could not be accepted, by tenant and time of receipt."""

import re
from typing import TYPE_CHECKING, Final

from sensorcast_common.clock import from_millis
from sensorcast_common.names import Names
from sensorcast_common.quarantine import Quarantined

if TYPE_CHECKING:
    from collections.abc import Mapping

    from types_aiobotocore_dynamodb import DynamoDBClient
    from types_aiobotocore_dynamodb.type_defs import AttributeValueTypeDef, QueryInputTypeDef

DEFAULT_TTL_SECONDS: Final = 14 * 24 * 3600
"""As long as the queue would have kept it."""

MAX_PAGE: Final = 200
_ID: Final = re.compile(r"[0-9]{13}-[0-9a-f]{16}")
_LISTED: Final = "sk, reason, detail, topic, redelivered, size, sha256, truncated"


class QuarantineTable:
    """Reads and writes table `quarantine`.

    Items: pk tenant, sk `Quarantined.message_id`; `payload` is binary; `expires_at` is the TTL in seconds since 1970.

    Args:
        client: An open DynamoDB client.
        names: Names of the stack.
        ttl_seconds: How long after its receipt a message is kept.
    """

    def __init__(self, client: "DynamoDBClient", names: Names, *, ttl_seconds: int = DEFAULT_TTL_SECONDS) -> None:
        self._client = client
        self._table = names.table_quarantine
        self._ttl = ttl_seconds

    async def put(self, message: Quarantined, *, now: int) -> None:
        """Keep a message; the same one again changes nothing.

        Args:
            message: The message.
            now: Milliseconds since 1970 UTC, from which its time to live counts.
        """
        await self._client.put_item(
            TableName=self._table,
            Item={
                "pk": {"S": message.tenant},
                "sk": {"S": message.message_id},
                "reason": {"S": message.reason},
                "detail": {"S": message.detail},
                "topic": {"S": message.topic},
                "redelivered": {"BOOL": message.redelivered},
                "payload": {"B": message.payload},
                "size": {"N": str(message.size)},
                "sha256": {"S": message.sha256},
                "truncated": {"BOOL": message.truncated},
                "expires_at": {"N": str(now // 1000 + self._ttl)},
            },
        )

    async def list(self, tenant: str, *, limit: int, cursor: str | None) -> tuple[list[Quarantined], str | None]:
        """One page of a tenant's messages, newest first, without their payloads.

        Raises:
            ValueError: `limit` is out of range, or `cursor` was not returned by this method.
        """
        if not 1 <= limit <= MAX_PAGE:
            raise ValueError(f"limit: {limit} is not between 1 and {MAX_PAGE}")
        if cursor is not None and not _ID.fullmatch(cursor):
            raise ValueError("cursor: not one of ours")
        found: list[Quarantined] = []
        query: QueryInputTypeDef = {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :pk AND sk < :before" if cursor else "pk = :pk",
            "ExpressionAttributeValues": {":pk": {"S": tenant}, **({":before": {"S": cursor}} if cursor else {})},
            "ProjectionExpression": _LISTED.replace("size", "#size"),
            "ExpressionAttributeNames": {"#size": "size"},  # a reserved word of DynamoDB
            "ScanIndexForward": False,
            "Limit": limit + 1,
        }
        while True:
            page = await self._client.query(**query)
            found += map(_message, page["Items"])
            if len(found) > limit:
                return found[:limit], found[limit - 1].message_id
            if "LastEvaluatedKey" not in page:
                return found, None
            query["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    async def get(self, tenant: str, message_id: str) -> Quarantined | None:
        """One message with its payload, or `None`."""
        found = await self._client.get_item(TableName=self._table, Key=_key(tenant, message_id), ConsistentRead=True)
        return _message(found["Item"]) if "Item" in found else None

    async def delete(self, tenant: str, message_id: str) -> bool:
        """Forget a message; tells whether there was one."""
        gone = await self._client.delete_item(
            TableName=self._table, Key=_key(tenant, message_id), ReturnValues="ALL_OLD"
        )
        return bool(gone.get("Attributes"))

    async def count(self, tenant: str) -> int:
        """How many messages of a tenant are kept."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": tenant}},
            Select="COUNT",
        )
        return sum([page["Count"] async for page in pages])


def _key(tenant: str, message_id: str) -> "dict[str, AttributeValueTypeDef]":
    return {"pk": {"S": tenant}, "sk": {"S": message_id}}


def _message(item: "Mapping[str, AttributeValueTypeDef]") -> Quarantined:
    return Quarantined(
        reason=item["reason"]["S"],
        detail=item["detail"]["S"],
        topic=item["topic"]["S"],
        received_at=from_millis(int(item["sk"]["S"].partition("-")[0])),
        redelivered=item["redelivered"]["BOOL"],
        payload=bytes(item["payload"]["B"]) if "payload" in item else b"",
        size=int(item["size"]["N"]),
        sha256=item["sha256"]["S"],
        truncated=item["truncated"]["BOOL"],
    )
