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
    from collections.abc import AsyncIterator, Mapping

    from types_aiobotocore_dynamodb import DynamoDBClient
    from types_aiobotocore_dynamodb.type_defs import AttributeValueTypeDef

PREFIX: Final = "sc_"
"""What every key begins with, so that secret scanners and people recognise one."""

_SECRET_BYTES: Final = 32
_KEY: Final = re.compile(r"sc_[A-Za-z0-9_-]{43}")
_ID_DIGITS: Final = 16


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
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    key_id: str
    tenant: str
    role: Role
    name: str = ""
    created_at: UtcDatetime
    expires_at: UtcDatetime
    revoked_at: UtcDatetime | None = None

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

    async def create(self, *, tenant: str, role: Role, expires_at: int, now: int, name: str = "") -> tuple[str, ApiKey]:
        """Make a key and store its hash.

        Args:
            tenant: Whose key.
            role: What it may do.
            expires_at: Milliseconds since 1970 UTC.
            now: Milliseconds since 1970 UTC.
            name: What people call it, at most 80 characters.

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
        """The keys of one tenant or of all, oldest first; reads the whole table, so it is for the command line."""
        found = [_api_key(item) async for item in self._scan()]
        return sorted((key for key in found if tenant in (None, key.tenant)), key=lambda key: key.created_at)

    async def revoke(self, key_id: str, *, now: int) -> ApiKey | None:
        """Make a key open nothing from now on; `None` if there is no such key. Revoking again changes nothing."""
        async for item in self._scan():
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

    async def _scan(self) -> "AsyncIterator[Mapping[str, AttributeValueTypeDef]]":
        async for page in self._client.get_paginator("scan").paginate(TableName=self._table, ConsistentRead=True):
            for item in page["Items"]:
                yield item


def _api_key(item: "Mapping[str, AttributeValueTypeDef]") -> ApiKey:
    return ApiKey(
        key_id=item["pk"]["S"][:_ID_DIGITS],
        tenant=item["tenant"]["S"],
        role=Role(item["role"]["S"]),
        name=item["name"]["S"],
        created_at=from_millis(int(item["created_at"]["N"])),
        expires_at=from_millis(int(item["expires_at"]["N"])),
        revoked_at=from_millis(int(item["revoked_at"]["N"])) if "revoked_at" in item else None,
    )
