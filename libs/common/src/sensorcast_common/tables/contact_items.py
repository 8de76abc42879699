"""Things that people write, kept per tenant with a version, so that nobody undoes another's change unseen."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from sensorcast_common.versioned import Versioned

if TYPE_CHECKING:
    from types_aiobotocore_dynamodb import DynamoDBClient
    from types_aiobotocore_dynamodb.type_defs import AttributeValueTypeDef, PutItemInputTypeDef, QueryInputTypeDef

_APPLY_TRIES: Final = 5


ModelT = TypeVar("ModelT", bound=Versioned)


class ContactConflict(Exception):  # noqa: N818 - what happened, told to the one who asked for the change
    """Somebody else changed it meanwhile: read it again."""

    def __init__(self, what: str, version: int) -> None:
        super().__init__(f"version: {what} is not at version {version - 1} any more; read it again and change that one")


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactKind(Generic[ModelT]):
    """A kind of thing.

    Attributes:
        name: Its part of the key, and what messages call it.
        model: Its pydantic model.
        identity: Its id within the tenant.
    """

    name: str
    model: type[ModelT]
    identity: Callable[[ModelT], str]


class ContactItems(Generic[ModelT]):
    """The things of one kind in a table: pk tenant, sk `{kind}#{id}`, the thing as JSON beside its version.

    Args:
        client: DynamoDB.
        table: The table's name.
        kind: Which kind.
    """

    def __init__(self, client: "DynamoDBClient", table: str, kind: ContactKind[ModelT]) -> None:
        self._client = client
        self._table = table
        self._kind = kind

    async def list(self, tenant: str) -> list[ModelT]:
        """All of one tenant, by id."""
        found: list[ModelT] = []
        query: QueryInputTypeDef = {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :tenant AND begins_with(sk, :kind)",
            "ExpressionAttributeValues": {":tenant": {"S": tenant}, ":kind": {"S": f"{self._kind.name}#"}},
        }
        while True:
            page = await self._client.query(**query)
            found += map(self.read, page["Items"])
            if "LastEvaluatedKey" not in page:
                return found
            query["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    async def get(self, tenant: str, identity: str) -> ModelT | None:
        """One as it is now (consistent read), or `None`."""
        found = await self._client.get_item(TableName=self._table, Key=self._key(tenant, identity), ConsistentRead=True)
        return self.read(found["Item"]) if "Item" in found else None

    async def put(self, thing: ModelT) -> None:
        """Store it as the version after the one that is there; a new one has version 1.

        Raises:
            ContactConflict: The table holds another version than `thing.version - 1`.
        """
        tenant, version = thing.tenant, thing.version
        identity = self._kind.identity(thing)
        put: PutItemInputTypeDef = {
            "TableName": self._table,
            "Item": {
                **self._key(tenant, identity),
                "version": {"N": str(version)},
                "body": {"S": thing.model_dump_json(exclude_none=True)},
            },
            "ConditionExpression": "attribute_not_exists(pk)",
        }
        if version > 1:
            put["ConditionExpression"] = "version = :before"
            put["ExpressionAttributeValues"] = {":before": {"N": str(version - 1)}}
        try:
            await self._client.put_item(**put)
        except self._client.exceptions.ConditionalCheckFailedException as error:
            raise ContactConflict(f"{self._kind.name} {identity!r} of {tenant!r}", version) from error

    async def apply(self, thing: ModelT) -> ModelT:
        """Make the stored one say what `thing` says, whatever its version; nothing is written where it already does.

        Returns:
            The thing as stored, with its version.

        Raises:
            ContactConflict: Others kept changing it meanwhile.
        """
        for attempt in range(1, _APPLY_TRIES + 1):
            stored = await self.get(thing.tenant, self._kind.identity(thing))
            if stored is not None and stored == thing.model_copy(update={"version": stored.version}):
                return stored
            wanted = thing.model_copy(update={"version": stored.version + 1 if stored else 1})
            try:
                await self.put(wanted)
            except ContactConflict:
                if attempt == _APPLY_TRIES:
                    raise
            else:
                return wanted
        raise AssertionError("unreachable")

    async def delete(self, tenant: str, identity: str) -> bool:
        """Remove one; tells whether there was one."""
        gone = await self._client.delete_item(
            TableName=self._table, Key=self._key(tenant, identity), ReturnValues="ALL_OLD"
        )
        return bool(gone.get("Attributes"))

    def is_one(self, item: "Mapping[str, AttributeValueTypeDef]") -> bool:
        """Whether an item of the table is of this kind."""
        return item["sk"]["S"].startswith(f"{self._kind.name}#")

    def read(self, item: "Mapping[str, AttributeValueTypeDef]") -> ModelT:
        """The thing of an item."""
        return self._kind.model.model_validate_json(item["body"]["S"])

    def _key(self, tenant: str, identity: str) -> "dict[str, AttributeValueTypeDef]":
        return {"pk": {"S": tenant}, "sk": {"S": f"{self._kind.name}#{identity}"}}
