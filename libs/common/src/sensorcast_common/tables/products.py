"""Product profiles in table `rules`: pk tenant, sk `product#{id}`, which no rule id can be."""

from typing import TYPE_CHECKING, Final

from sensorcast_common.clock import Clock, system_clock
from sensorcast_common.names import Names
from sensorcast_common.product import ProductProfile
from sensorcast_common.tables.versioned import VersionConflict, VersionedItems

if TYPE_CHECKING:
    from collections.abc import Mapping

    from types_aiobotocore_dynamodb import DynamoDBClient
    from types_aiobotocore_dynamodb.type_defs import AttributeValueTypeDef

_PREFIX: Final = "product#"
_APPLY_TRIES: Final = 5


class ProductConflict(Exception):  # noqa: N818 - what happened, told to the one who asked for the change
    """Somebody else changed the profile meanwhile: read it again."""

    def __init__(self, profile: ProductProfile) -> None:
        super().__init__(
            f"version: product {profile.product_id!r} of {profile.tenant!r} is not at version {profile.version - 1} "
            "any more; read it again and change that one"
        )


class ProductsTable:
    """Product profiles per tenant.

    Args:
        client: DynamoDB.
        names: The stack's names.
        clock: The present, for the line that each change leaves.
    """

    def __init__(self, client: "DynamoDBClient", names: Names, *, clock: Clock = system_clock) -> None:
        self._client = client
        self._table = names.table_rules
        self._items = VersionedItems(client, names, attribute="profile", clock=clock)

    async def list(self, tenant: str) -> list[ProductProfile]:
        """All profiles of one tenant, by id."""
        profiles: list[ProductProfile] = []
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="pk = :tenant AND begins_with(sk, :prefix)",
            ExpressionAttributeValues={":tenant": {"S": tenant}, ":prefix": {"S": _PREFIX}},
        )
        async for page in pages:
            profiles += map(read_profile, page["Items"])
        return profiles

    async def get(self, tenant: str, product_id: str) -> ProductProfile | None:
        """One profile as it is now (consistent read), or `None`."""
        found = await self._client.get_item(
            TableName=self._table,
            Key={"pk": {"S": tenant}, "sk": {"S": _PREFIX + product_id}},
            ConsistentRead=True,
        )
        return read_profile(found["Item"]) if "Item" in found else None

    async def put(self, profile: ProductProfile, *, by: str) -> None:
        """Store a profile as the version after the one that is there.

        Raises:
            ProductConflict: The table holds another version than `profile.version - 1`.
        """
        key = _PREFIX + profile.product_id
        try:
            await self._items.put(profile.tenant, key, profile.model_dump_json(), version=profile.version, by=by)
        except VersionConflict as error:
            raise ProductConflict(profile) from error

    async def apply(self, profile: ProductProfile, *, by: str) -> ProductProfile:
        """Make the stored profile say what `profile` says; nothing is written where it already does.

        Raises:
            ProductConflict: Others kept changing it meanwhile.
        """
        for attempt in range(1, _APPLY_TRIES + 1):
            stored = await self.get(profile.tenant, profile.product_id)
            if stored is not None and stored == profile.model_copy(update={"version": stored.version}):
                return stored
            wanted = profile.model_copy(update={"version": stored.version + 1 if stored else 1})
            try:
                await self.put(wanted, by=by)
            except ProductConflict:
                if attempt == _APPLY_TRIES:
                    raise
            else:
                return wanted
        raise AssertionError("unreachable")

    async def delete(self, tenant: str, product_id: str, *, by: str) -> bool:
        """Remove a profile; tells whether there was one. A rule that names it watches nothing from then on."""
        return await self._items.delete(tenant, _PREFIX + product_id, by=by)


def is_profile(item: "Mapping[str, AttributeValueTypeDef]") -> bool:
    """Whether an item of table `rules` is a profile."""
    return item["sk"]["S"].startswith(_PREFIX)


def read_profile(item: "Mapping[str, AttributeValueTypeDef]") -> ProductProfile:
    """The profile of an item."""
    return ProductProfile.model_validate_json(item["profile"]["S"])
