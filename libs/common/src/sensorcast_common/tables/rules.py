"""The table of alert rules: pk tenant, sk rule id, the rule as JSON beside its version.

Product profiles lie in the same partition (see `products`), so that one query reads a tenant's rules together with the
profiles that they name.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from sensorcast_common.clock import Clock, system_clock
from sensorcast_common.condition import ProductCondition
from sensorcast_common.names import Names
from sensorcast_common.rule import Rule, RuleVersion
from sensorcast_common.tables.products import ProductsTable, is_profile, read_profile
from sensorcast_common.tables.versioned import VersionConflict, VersionedItems

if TYPE_CHECKING:
    from types_aiobotocore_dynamodb import DynamoDBClient
    from types_aiobotocore_dynamodb.type_defs import AttributeValueTypeDef, QueryInputTypeDef, ScanInputTypeDef

    from sensorcast_common.product import ProductProfile

_APPLY_TRIES: Final = 5
SOMEBODY: Final = "sensorcast"
"""Who changed what no person did, such as the demonstration's own rules."""


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

    A rule about a product is read with the profile it names; where there is none, it watches nothing.

    Args:
        client: DynamoDB.
        names: The stack's names.
        clock: The present, for the line that each change leaves.
    """

    def __init__(self, client: "DynamoDBClient", names: Names, *, clock: Clock = system_clock) -> None:
        self._client = client
        self._table = names.table_rules
        self._products = ProductsTable(client, names, clock=clock)
        self._items = VersionedItems(client, names, attribute="rule", clock=clock)

    async def list(self, tenant: str) -> list[Rule]:
        """All rules of one tenant, by rule id."""
        items: list[Mapping[str, AttributeValueTypeDef]] = []
        query: QueryInputTypeDef = {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :tenant",
            "ExpressionAttributeValues": {":tenant": {"S": tenant}},
        }
        while True:
            page = await self._client.query(**query)
            items += page["Items"]
            if "LastEvaluatedKey" not in page:
                return _resolved(items)
            query["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    async def every(self) -> AsyncIterator[Rule]:
        """The rules of all tenants, in no order; a consistent scan, for services that watch everything.

        It is consistent because an alerter ends the incidents of a rule that it does not find here.
        """
        items: list[Mapping[str, AttributeValueTypeDef]] = []
        scan: ScanInputTypeDef = {"TableName": self._table, "ConsistentRead": True}
        while True:
            page = await self._client.scan(**scan)
            items += page["Items"]
            if "LastEvaluatedKey" not in page:
                break
            scan["ExclusiveStartKey"] = page["LastEvaluatedKey"]
        for rule in _resolved(items):
            yield rule

    async def get(self, tenant: str, rule_id: str) -> Rule | None:
        """One rule as it is now (consistent read), or `None`."""
        found = await self._client.get_item(TableName=self._table, Key=_key(tenant, rule_id), ConsistentRead=True)
        if "Item" not in found:
            return None
        rule = _rule(found["Item"])
        if not isinstance(rule.condition, ProductCondition):
            return rule
        profile = await self._products.get(tenant, rule.condition.product)
        return rule.model_copy(update={"profile": profile})

    async def put(self, rule: Rule, *, by: str = SOMEBODY) -> None:
        """Store a rule as the version after the one that is there.

        A new rule has version 1; a changed one has the version it was read with plus 1.

        Raises:
            RuleConflict: The table holds another version than `rule.version - 1`.
        """
        body = rule.model_dump_json(exclude={"profile"})
        try:
            await self._items.put(rule.tenant, rule.rule_id, body, version=rule.version, by=by)
        except VersionConflict as error:
            raise RuleConflict(rule) from error

    async def apply(self, rule: Rule, *, by: str = SOMEBODY) -> Rule:
        """Make the stored rule say what `rule` says, whatever its version; nothing is written where it already does.

        Returns:
            The rule as stored, with its version.

        Raises:
            RuleConflict: Others kept changing it meanwhile.
        """
        wanted = rule.without_profile()
        for attempt in range(1, _APPLY_TRIES + 1):
            stored = await self.get(rule.tenant, rule.rule_id)
            if stored is not None:
                if stored.without_profile() == wanted.model_copy(update={"version": stored.version}):
                    return stored
                wanted = wanted.model_copy(update={"version": stored.version + 1})
            else:
                wanted = wanted.model_copy(update={"version": 1})
            try:
                await self.put(wanted, by=by)
            except RuleConflict:
                if attempt == _APPLY_TRIES:
                    raise
            else:
                return wanted
        raise AssertionError("unreachable")

    async def delete(self, tenant: str, rule_id: str, *, by: str = SOMEBODY) -> bool:
        """Remove a rule; tells whether there was one.

        Raises:
            VersionConflict: It was changed meanwhile.
        """
        return await self._items.delete(tenant, rule_id, by=by)

    async def versions(self, tenant: str, rule_id: str) -> Sequence[RuleVersion]:
        """What a rule said from when on and who changed it, newest first; also of one that is deleted."""
        return [
            RuleVersion.model_validate(
                {
                    "changed_at": change.at,
                    "changed_by": change.by,
                    "version": change.version,
                    "rule": None if change.body is None else Rule.model_validate_json(change.body),
                }
            )
            for change in await self._items.changes(tenant, rule_id)
        ]


def _key(tenant: str, rule_id: str) -> "dict[str, AttributeValueTypeDef]":
    return {"pk": {"S": tenant}, "sk": {"S": rule_id}}


def _resolved(items: "Iterable[Mapping[str, AttributeValueTypeDef]]") -> "list[Rule]":
    """The rules among the items, each with the profile that it names."""
    rules: list[Rule] = []
    profiles: dict[tuple[str, str], ProductProfile] = {}
    for item in items:
        if is_profile(item):
            profile = read_profile(item)
            profiles[profile.tenant, profile.product_id] = profile
        else:
            rules.append(_rule(item))
    return [
        rule.model_copy(update={"profile": profiles.get((rule.tenant, rule.condition.product))})
        if isinstance(rule.condition, ProductCondition)
        else rule
        for rule in rules
    ]


def _rule(item: "Mapping[str, AttributeValueTypeDef]") -> Rule:
    return Rule.model_validate_json(item["rule"]["S"])
