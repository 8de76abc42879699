"""API keys: who may call the API, for which tenant, in which role, until when.

Only the SHA-256 of a key is stored. A slow password hash guards secrets that people choose; a key is 256 random bits,
so guessing it from its hash is as hopeless as guessing it outright, and a fast hash keeps the check cheap.
"""

import hashlib
import hmac
import re
import secrets
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from pydantic import BaseModel, ConfigDict

from sensorcast_common.clock import UtcDatetime, from_millis, to_millis
from sensorcast_common.names import Names, is_name

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Mapping, Sequence

    from types_aiobotocore_dynamodb import DynamoDBClient
    from types_aiobotocore_dynamodb.type_defs import AttributeValueTypeDef, QueryInputTypeDef

PREFIX: Final = "sc_"
"""What every key begins with, so that secret scanners and people recognise one."""

_SECRET_BYTES: Final = 32
_KEY: Final = re.compile(r"sc_[A-Za-z0-9_-]{43}")
_HASH: Final = re.compile(r"[0-9a-f]{64}")
_ID_DIGITS: Final = 16
_BY_TENANT: Final = "tenant"


class Role(StrEnum):
    """What a key may do; each role includes the ones before it."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"

    def includes(self, needed: "Role") -> bool:
        """Tell whether this role may do what `needed` may."""
        order = list(Role)
        return order.index(self) >= order.index(needed)


class ApiKey(BaseModel):
    """What is known of a key, which is everything but the key.

    Attributes:
        key_id: The first 16 hexadecimal digits of its hash; safe to show and to log.
        tenant: The only tenant it opens.
        role: What it may do there.
        name: What people call it, e.g. `dashboard in the dispatch room`.
        created_at: When it was made.
        expires_at: From when on it opens nothing.
        revoked_at: From when on it opens nothing, by decision; absent where nobody revoked it.
        scopes: The resources of the API that it opens, such as `readings`; all of them where empty.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    key_id: str
    tenant: str
    role: Role
    name: str = ""
    created_at: UtcDatetime
    expires_at: UtcDatetime
    revoked_at: UtcDatetime | None = None
    scopes: frozenset[str] = frozenset()

    def is_valid(self, now: int) -> bool:
        """Tell whether it opens anything at `now`, milliseconds since 1970 UTC."""
        return self.revoked_at is None and now < to_millis(self.expires_at)


def is_key(text: str) -> bool:
    """Tell whether `text` has the form of a key; says nothing about whether it exists."""
    return _KEY.fullmatch(text) is not None


def key_hash(key: str) -> str:
    """SHA-256 of a key in hexadecimal: its identity in the table and in caches."""
    return hashlib.sha256(key.encode()).hexdigest()


class ApiKeysTable:
    """The keys in DynamoDB: pk is the hash of the key.

    Args:
        client: An open DynamoDB client.
        names: Names of the stack.
    """

    def __init__(self, client: "DynamoDBClient", names: Names) -> None:
        self._client = client
        self._table = names.table_api_keys

    async def create(
        self,
        *,
        tenant: str,
        role: Role,
        expires_at: int,
        now: int,
        name: str = "",
        scopes: "Collection[str]" = (),
    ) -> tuple[str, ApiKey]:
        """Make a key and store its hash.

        Args:
            tenant: Whose key.
            role: What it may do.
            expires_at: Milliseconds since 1970 UTC.
            now: Milliseconds since 1970 UTC.
            name: What people call it, at most 80 characters.
            scopes: The resources that it opens; all of them where empty.

        Returns:
            The key, which is shown once and never stored, and what is known of it.

        Raises:
            ValueError: The tenant is not a name, the expiry is not after `now`, or the name is too long.
        """
        if not is_name(tenant):
            raise ValueError(f"tenant: {tenant[:64]!r} is not a name")
        if expires_at <= now:
            raise ValueError("expires_at: must be in the future")
        if len(name) > 80:
            raise ValueError("name: at most 80 characters")
        key = PREFIX + secrets.token_urlsafe(_SECRET_BYTES)
        hashed = key_hash(key)
        made = ApiKey(
            key_id=hashed[:_ID_DIGITS],
            tenant=tenant,
            role=role,
            name=name,
            created_at=from_millis(now),
            expires_at=from_millis(expires_at),
            scopes=frozenset(scopes),
        )
        await self._client.put_item(
            TableName=self._table,
            Item={
                "pk": {"S": hashed},
                "tenant": {"S": tenant},
                "role": {"S": role.value},
                "name": {"S": name},
                "created_at": {"N": str(now)},
                "expires_at": {"N": str(expires_at)},
                # DynamoDB has no empty sets.
                **({"scopes": {"SS": sorted(made.scopes)}} if scopes else {}),
            },
            ConditionExpression="attribute_not_exists(pk)",
        )
        return key, made

    async def find(self, hashed: str) -> ApiKey | None:
        """The key with this hash (see `key_hash`), valid or not; `None` if there is none."""
        answer = await self._client.get_item(TableName=self._table, Key={"pk": {"S": hashed}})
        item = answer.get("Item")
        if item is None or not hmac.compare_digest(item["pk"]["S"], hashed):
            return None
        return _api_key(item)

    async def list(self, tenant: str | None = None) -> list[ApiKey]:
        """The keys of one tenant, or of all, which reads the whole table; oldest first."""
        found = [_api_key(item) async for item in self._items(tenant)]
        return sorted(found, key=lambda key: key.created_at)

    async def page(self, tenant: str, *, limit: int, cursor: str | None) -> "tuple[Sequence[ApiKey], str | None]":
        """One page of a tenant's keys, oldest first, and where the next one begins.

        Raises:
            ValueError: `cursor` was not returned by this method.
        """
        query: QueryInputTypeDef = {**self._of(tenant), "Limit": limit + 1}
        if cursor is not None:
            query["ExclusiveStartKey"] = _position(tenant, cursor)
        found: list[Mapping[str, AttributeValueTypeDef]] = []
        while True:
            answer = await self._client.query(**query)
            found += answer["Items"]
            if len(found) > limit:
                last = found[limit - 1]
                return [_api_key(item) for item in found[:limit]], f"{last['created_at']['N']}:{last['pk']['S']}"
            if "LastEvaluatedKey" not in answer:
                return [_api_key(item) for item in found], None
            query["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    async def revoke(self, key_id: str, *, now: int, tenant: str | None = None) -> ApiKey | None:
        """Make a key open nothing from now on; revoking again changes nothing.

        Args:
            key_id: Which.
            now: Milliseconds since 1970 UTC.
            tenant: Whose it must be; where `None`, the whole table is looked through.

        Returns:
            The key, `None` if there is no such key.
        """
        async for item in self._items(tenant):
            if item["pk"]["S"].startswith(key_id) and len(key_id) >= _ID_DIGITS:
                answer = await self._client.update_item(
                    TableName=self._table,
                    Key={"pk": item["pk"]},
                    UpdateExpression="SET revoked_at = if_not_exists(revoked_at, :now)",
                    ConditionExpression="attribute_exists(pk)",
                    ExpressionAttributeValues={":now": {"N": str(now)}},
                    ReturnValues="ALL_NEW",
                )
                return _api_key(answer["Attributes"])
        return None

    async def _items(self, tenant: str | None) -> "AsyncIterator[Mapping[str, AttributeValueTypeDef]]":
        if tenant is None:
            async for page in self._client.get_paginator("scan").paginate(TableName=self._table, ConsistentRead=True):
                for item in page["Items"]:
                    yield item
            return
        query = self._of(tenant)
        while True:
            found = await self._client.query(**query)
            for item in found["Items"]:
                yield item
            if "LastEvaluatedKey" not in found:
                return
            query["ExclusiveStartKey"] = found["LastEvaluatedKey"]

    def _of(self, tenant: str) -> "QueryInputTypeDef":
        return {
            "TableName": self._table,
            "IndexName": _BY_TENANT,
            "KeyConditionExpression": "tenant = :tenant",
            "ExpressionAttributeValues": {":tenant": {"S": tenant}},
        }


def _position(tenant: str, cursor: str) -> "dict[str, AttributeValueTypeDef]":
    created_at, _, hashed = cursor.partition(":")
    if not (created_at.isascii() and created_at.isdigit() and _HASH.fullmatch(hashed)):
        raise ValueError("cursor: not one of ours")
    return {"tenant": {"S": tenant}, "created_at": {"N": created_at}, "pk": {"S": hashed}}


def _api_key(item: "Mapping[str, AttributeValueTypeDef]") -> ApiKey:
    return ApiKey(
        key_id=item["pk"]["S"][:_ID_DIGITS],
        tenant=item["tenant"]["S"],
        role=Role(item["role"]["S"]),
        name=item["name"]["S"],
        created_at=from_millis(int(item["created_at"]["N"])),
        expires_at=from_millis(int(item["expires_at"]["N"])),
        revoked_at=from_millis(int(item["revoked_at"]["N"])) if "revoked_at" in item else None,
        scopes=frozenset(item["scopes"]["SS"]) if "scopes" in item else frozenset(),
    )
