"""What a caller has shown: an API key or a token of the company's own sign-in. No I/O."""

from dataclasses import dataclass
from datetime import datetime

from sensorcast_common.clock import to_millis
from sensorcast_common.tables.api_keys import ApiKey, Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """A credential that was valid when it was checked.

    Attributes:
        key_id: Names it in logs and limits; opens nothing.
        tenant: The only tenant it opens.
        role: What it may do there.
        name: What people call it.
        expires_at: From when on it opens nothing.
        scopes: The resources that it opens; all of them where empty.
        key_hash: Hash of the API key, with which a long stream asks again; `None` for a token.
    """

    key_id: str
    tenant: str
    role: Role
    name: str
    expires_at: datetime
    scopes: frozenset[str] = frozenset()
    key_hash: str | None = None

    @classmethod
    def of_key(cls, key: ApiKey, hashed: str) -> "Credential":
        """Of an API key."""
        return cls(
            key_id=key.key_id,
            tenant=key.tenant,
            role=key.role,
            name=key.name,
            expires_at=key.expires_at,
            scopes=key.scopes,
            key_hash=hashed,
        )

    def is_valid(self, now: int) -> bool:
        """Tell whether it has not expired at `now`, milliseconds since 1970 UTC."""
        return now < to_millis(self.expires_at)

    def opens(self, resource: str) -> bool:
        """Tell whether its scopes include a resource."""
        return not self.scopes or resource in self.scopes
