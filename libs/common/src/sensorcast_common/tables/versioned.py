"""Items that people change: a change names the version it was made on, and every version is kept with its author."""

from typing import TYPE_CHECKING, Final, NamedTuple

from sensorcast_common.clock import Clock, from_millis, rfc3339, system_clock
from sensorcast_common.identity import new_id
from sensorcast_common.names import Names

if TYPE_CHECKING:
    from collections.abc import Mapping

    from types_aiobotocore_dynamodb import DynamoDBClient
    from types_aiobotocore_dynamodb.type_defs import AttributeValueTypeDef, PutTypeDef, TransactWriteItemTypeDef

MOST_VERSIONS: Final = 200
"""Versions that are read at most, the newest."""


class VersionConflict(Exception):  # noqa: N818 - what happened, told to the one who asked for the change
    """The table holds another version."""


class Change(NamedTuple):
    """One change.

    Attributes:
        at: RFC 3339 time.
        by: Who made it.
        version: After the change.
        body: JSON after the change; `None` where the item was deleted.
    """

    at: str
    by: str
    version: int
    body: str | None


class VersionedItems:
    """Changes items of table `rules` together with their line in table `rule-versions`.

    Args:
        client: DynamoDB.
        names: The stack's names.
        attribute: Holds the item's JSON.
        clock: The present.
    """

    def __init__(self, client: "DynamoDBClient", names: Names, *, attribute: str, clock: Clock = system_clock) -> None:
        self._client = client
        self._table = names.table_rules
        self._versions = names.table_rule_versions
        self._attribute = attribute
        self._clock = clock

    async def put(self, tenant: str, key: str, body: str, *, version: int, by: str) -> None:
        """Store a body as the version after the one that is there.

        Raises:
            VersionConflict: The table holds another version than `version - 1`.
        """
        put: PutTypeDef = {
            "TableName": self._table,
            "Item": {
                **_key(tenant, key),
                "version": {"N": str(version)},
                self._attribute: {"S": body},
            },
            "ConditionExpression": "attribute_not_exists(pk)",
        }
        if version > 1:
            put["ConditionExpression"] = "version = :before"
            put["ExpressionAttributeValues"] = {":before": {"N": str(version - 1)}}
        try:
            await self._client.transact_write_items(
                TransactItems=[{"Put": put}, self._line(tenant, key, version, body, by)]
            )
        except self._client.exceptions.TransactionCanceledException as error:
            raise VersionConflict(key) from error

    async def delete(self, tenant: str, key: str, *, by: str) -> bool:
        """Remove an item; tells whether there was one.

        Raises:
            VersionConflict: It was changed meanwhile.
        """
        found = await self._client.get_item(TableName=self._table, Key=_key(tenant, key), ConsistentRead=True)
        if "Item" not in found:
            return False
        version = found["Item"]["version"]["N"]
        delete: TransactWriteItemTypeDef = {
            "Delete": {
                "TableName": self._table,
                "Key": _key(tenant, key),
                "ConditionExpression": "version = :version",
                "ExpressionAttributeValues": {":version": {"N": version}},
            }
        }
        try:
            await self._client.transact_write_items(
                TransactItems=[delete, self._line(tenant, key, int(version), None, by)]
            )
        except self._client.exceptions.TransactionCanceledException as error:
            raise VersionConflict(key) from error
        return True

    async def changes(self, tenant: str, key: str) -> list[Change]:
        """Every change of an item, newest first; at most 200. Empty where there never was one."""
        found: list[Change] = []
        pages = self._client.get_paginator("query").paginate(
            TableName=self._versions,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": f"{tenant}#{key}"}},
            ScanIndexForward=False,
            ConsistentRead=True,
        )
        async for page in pages:
            found += map(_change, page["Items"])
            if len(found) >= MOST_VERSIONS:
                break
        return found[:MOST_VERSIONS]

    def _line(self, tenant: str, key: str, version: int, body: str | None, by: str) -> "TransactWriteItemTypeDef":
        item: dict[str, AttributeValueTypeDef] = {
            "pk": {"S": f"{tenant}#{key}"},
            "sk": {"S": new_id()},
            "changed_at": {"S": rfc3339(from_millis(self._clock()))},
            "changed_by": {"S": by},
            "version": {"N": str(version)},
        }
        if body is not None:
            item["body"] = {"S": body}
        return {"Put": {"TableName": self._versions, "Item": item}}


def _key(tenant: str, key: str) -> "dict[str, AttributeValueTypeDef]":
    return {"pk": {"S": tenant}, "sk": {"S": key}}


def _change(item: "Mapping[str, AttributeValueTypeDef]") -> Change:
    body = item["body"]["S"] if "body" in item else None
    return Change(item["changed_at"]["S"], item["changed_by"]["S"], int(item["version"]["N"]), body)
