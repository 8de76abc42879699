"""What the API needs of API keys and of writes that named themselves."""

from collections.abc import Collection, Sequence
from typing import Protocol

from sensorcast_common.tables.api_keys import ApiKey, Role
from sensorcast_common.tables.idempotency import Claim, KeptAnswer


class ApiKeys(Protocol):
    """The API keys."""

    async def find(self, hashed: str) -> ApiKey | None:
        """The key with this hash."""
        ...

    async def page(self, tenant: str, *, limit: int, cursor: str | None) -> tuple[Sequence[ApiKey], str | None]:
        """One page of a tenant's keys, oldest first, and where the next one begins."""
        ...

    async def create(
        self, *, tenant: str, role: Role, expires_at: int, now: int, name: str = "", scopes: Collection[str] = ()
    ) -> tuple[str, ApiKey]:
        """Make a key; the key itself is not kept."""
        ...

    async def revoke(self, key_id: str, *, now: int, tenant: str | None = None) -> ApiKey | None:
        """Make a key open nothing; `None` if the tenant has no such key."""
        ...


class Idempotency(Protocol):
    """Writes that named themselves."""

    async def claim(self, name: str, fingerprint: str, *, now: int) -> Claim:
        """Begin a write, unless one of this name has begun."""
        ...

    async def finish(self, name: str, answer: KeptAnswer) -> None:
        """Keep what it was answered."""
        ...

    async def release(self, name: str) -> None:
        """Forget it: it failed."""
        ...
