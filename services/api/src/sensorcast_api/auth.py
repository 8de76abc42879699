"""Who is calling: an API key, looked up by its hash and remembered briefly."""

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Annotated, Final

import structlog
from fastapi import Depends, Request, Security
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer

from sensorcast_api.metrics import ApiMetrics
from sensorcast_api.ports import ApiKeys
from sensorcast_api.problems import ProblemError
from sensorcast_common.clock import Clock
from sensorcast_common.tables.api_keys import ApiKey, Role, is_key, key_hash

_REALM: Final = 'Bearer realm="sensorcast"'
_BEARER = HTTPBearer(auto_error=False, scheme_name="bearer", description="`Authorization: Bearer sc_...`")
_HEADER = APIKeyHeader(name="X-API-Key", auto_error=False, scheme_name="apiKey", description="`X-API-Key: sc_...`")


class KeyRing:
    """Checks keys; remembers what the table said, also that it knows no such key.

    A revoked key therefore works on for up to `ttl_seconds`. Expiry is checked at each use. What is remembered is
    bounded, unknown keys apart from known ones, so that guessing crowds out nobody.

    Args:
        keys: The table.
        clock: The present, for expiry.
        metrics: Counts the lookups.
        ttl_seconds: How long an answer of the table is used.
        max_known: Known keys that are remembered.
        max_unknown: Unknown keys that are remembered.
        monotonic: Seconds on a clock that never goes back.
    """

    def __init__(
        self,
        keys: ApiKeys,
        *,
        clock: Clock,
        metrics: ApiMetrics,
        ttl_seconds: float = 30.0,
        max_known: int = 10_000,
        max_unknown: int = 1_000,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        if min(ttl_seconds, max_known, max_unknown) <= 0:
            raise ValueError("ttl_seconds, max_known, max_unknown: must be positive")
        self._keys = keys
        self._clock = clock
        self._metrics = metrics
        self._ttl = ttl_seconds
        self._monotonic = monotonic
        self._bounds = (max_known, max_unknown)
        self._known: OrderedDict[str, tuple[float, ApiKey]] = OrderedDict()
        self._unknown: OrderedDict[str, float] = OrderedDict()

    async def check(self, key: str) -> ApiKey | None:
        """The key's tenant and role, or `None` where it opens nothing: malformed, unknown, revoked or expired."""
        if not is_key(key):
            return None
        return await self.recheck(key_hash(key))

    async def recheck(self, hashed: str) -> ApiKey | None:
        """As `check`, for a key of which only the hash was kept."""
        found = await self._lookup(hashed)
        return found if found is not None and found.is_valid(self._clock()) else None

    async def _lookup(self, hashed: str) -> ApiKey | None:
        now = self._monotonic()
        known = self._known.get(hashed)
        if known is not None and now - known[0] < self._ttl:
            self._metrics.key_lookups.labels("cache").inc()
            return known[1]
        unknown = self._unknown.get(hashed)
        if unknown is not None and now - unknown < self._ttl:
            self._metrics.key_lookups.labels("cache").inc()
            return None
        found = await self._keys.find(hashed)
        self._metrics.key_lookups.labels("table" if found else "unknown").inc()
        self._remember(hashed, found, now)
        return found

    def _remember(self, hashed: str, found: ApiKey | None, now: float) -> None:
        self._known.pop(hashed, None)
        self._unknown.pop(hashed, None)
        if found is None:
            self._unknown[hashed] = now
        else:
            self._known[hashed] = (now, found)
        while len(self._known) > self._bounds[0]:
            self._known.popitem(last=False)
        while len(self._unknown) > self._bounds[1]:
            self._unknown.popitem(last=False)


class Principal:
    """The caller of one request.

    Attributes:
        key: What is known of its key.
        hashed: The key's hash, with which a long stream asks again whether the key still opens anything.
    """

    __slots__ = ("hashed", "key")

    def __init__(self, key: ApiKey, hashed: str) -> None:
        self.key = key
        self.hashed = hashed

    @property
    def tenant(self) -> str:
        """The only tenant this caller sees."""
        return self.key.tenant


async def _authenticated(
    request: Request,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)],
    header: Annotated[str | None, Security(_HEADER)],
) -> Principal:
    key = bearer.credentials if bearer is not None else header
    if key is None:
        raise ProblemError(
            401,
            "Send an API key as `Authorization: Bearer sc_...` or `X-API-Key`.",
            headers={"WWW-Authenticate": _REALM},
        )
    ring = request.app.state.services.key_ring
    if not isinstance(ring, KeyRing):
        raise TypeError("app.state.services: not wired")
    found = await ring.check(key)
    if found is None:
        # The same words for malformed, unknown, revoked and expired: whoever tries keys learns nothing.
        raise ProblemError(
            401, "The API key is not valid.", headers={"WWW-Authenticate": f'{_REALM}, error="invalid_token"'}
        )
    structlog.contextvars.bind_contextvars(tenant=found.tenant, key_id=found.key_id)
    return Principal(found, key_hash(key))


def _needs(role: Role) -> Callable[[Principal], Awaitable[Principal]]:
    async def allowed(principal: Annotated[Principal, Depends(_authenticated)]) -> Principal:
        if not principal.key.role.includes(role):
            raise ProblemError(
                403,
                f"This needs the role {role.value}; the key has {principal.key.role.value}.",
                headers={"WWW-Authenticate": f'{_REALM}, error="insufficient_scope"'},
            )
        return principal

    return allowed


Viewer = Annotated[Principal, Depends(_needs(Role.VIEWER))]
"""A route's parameter: the caller, who may read."""

Operator = Annotated[Principal, Depends(_needs(Role.OPERATOR))]
"""A route's parameter: the caller, who may change rules."""
