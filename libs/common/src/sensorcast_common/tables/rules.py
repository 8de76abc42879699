"""The table of alert rules: pk tenant, sk rule id, the rule as JSON beside its version."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Final

from sensorcast_common.names import Names
from sensorcast_common.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Mapping

    from types_aiobotocore_dynamodb import DynamoDBClient
    from types_aiobotocore_dynamodb.type_defs import (
        AttributeValueTypeDef,
        PutItemInputTypeDef,
        QueryInputTypeDef,
        ScanInputTypeDef,
    )

_APPLY_TRIES: Final = 5


class RuleConflict(Exception):  # noqa: N818 - what happened, told to the one who asked for the change
    """Somebody else changed the rule meanwhile: read it again."""

    def __init__(self, rule: Rule) -> None:
        super().__init__(
            f"version: rule {rule.rule_id!r} of {rule.tenant!r} is not at version {rule.version - 1} any more; "
            "read it again and change that one"
        )
        self.tenant = rule.tenant
        self.rule_id = rule.rule_id


class RulesTable:
    """Alert rules per tenant.

    Args:
        client: DynamoDB.
        names: The stack's names.
    """

    def __init__(self, client: "DynamoDBClient", names: Names) -> None:
        self._client = client
        self._table = names.table_rules

    async def list(self, tenant: str) -> list[Rule]:
        """All rules of one tenant, by rule id."""
        rules: list[Rule] = []
        query: QueryInputTypeDef = {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :tenant",
            "ExpressionAttributeValues": {":tenant": {"S": tenant}},
        }
        while True:
            page = await self._client.query(**query)
            rules += map(_rule, page["Items"])
            if "LastEvaluatedKey" not in page:
                return rules
            query["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    async def every(self) -> AsyncIterator[Rule]:
        """The rules of all tenants, in no order; a consistent scan, for services that watch everything.

        It is consistent because an alerter ends the incidents of a rule that it does not find here.
        """
        scan: ScanInputTypeDef = {"TableName": self._table, "ConsistentRead": True}
        while True:
            page = await self._client.scan(**scan)
            for item in page["Items"]:
                yield _rule(item)
            if "LastEvaluatedKey" not in page:
                return
            scan["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    async def get(self, tenant: str, rule_id: str) -> Rule | None:
        """One rule as it is now (consistent read), or `None`."""
        found = await self._client.get_item(TableName=self._table, Key=_key(tenant, rule_id), ConsistentRead=True)
        return _rule(found["Item"]) if "Item" in found else None

    async def put(self, rule: Rule) -> None:
        """Store a rule as the version after the one that is there.

        A new rule has version 1; a changed one has the version it was read with plus 1.

        Raises:
            RuleConflict: The table holds another version than `rule.version - 1`.
        """
        put: PutItemInputTypeDef = {
            "TableName": self._table,
            "Item": {
                **_key(rule.tenant, rule.rule_id),
                "version": {"N": str(rule.version)},
                "rule": {"S": rule.model_dump_json()},
            },
            "ConditionExpression": "attribute_not_exists(pk)",
        }
        if rule.version > 1:
            put["ConditionExpression"] = "version = :before"
            put["ExpressionAttributeValues"] = {":before": {"N": str(rule.version - 1)}}
        try:
            await self._client.put_item(**put)
        except self._client.exceptions.ConditionalCheckFailedException as error:
            raise RuleConflict(rule) from error

    async def apply(self, rule: Rule) -> Rule:
        """Make the stored rule say what `rule` says, whatever its version; nothing is written where it already does.

        Returns:
            The rule as stored, with its version.

        Raises:
            RuleConflict: Others kept changing it meanwhile.
        """
        for attempt in range(1, _APPLY_TRIES + 1):
            stored = await self.get(rule.tenant, rule.rule_id)
            if stored is not None and stored == rule.model_copy(update={"version": stored.version}):
                return stored
            wanted = rule.model_copy(update={"version": stored.version + 1 if stored else 1})
            try:
                await self.put(wanted)
            except RuleConflict:
                if attempt == _APPLY_TRIES:
                    raise
            else:
                return wanted
        raise AssertionError("unreachable")

    async def delete(self, tenant: str, rule_id: str) -> bool:
        """Remove a rule; tells whether there was one."""
        gone = await self._client.delete_item(TableName=self._table, Key=_key(tenant, rule_id), ReturnValues="ALL_OLD")
        return bool(gone.get("Attributes"))


def _key(tenant: str, rule_id: str) -> "dict[str, AttributeValueTypeDef]":
    return {"pk": {"S": tenant}, "sk": {"S": rule_id}}


def _rule(item: "Mapping[str, AttributeValueTypeDef]") -> Rule:
    return Rule.model_validate_json(item["rule"]["S"])
