"""Checks API keys by their hash, and remembers what the table said for a while."""

import time
from collections import OrderedDict
from collections.abc import Callable

from sensorcast_api.credential import Credential
from sensorcast_api.metrics import ApiMetrics
from sensorcast_api.ports import ApiKeys
from sensorcast_common.clock import Clock
from sensorcast_common.tables.api_keys import is_key, key_hash


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
        self._from_cache = metrics.key_lookups.labels("cache")
        self._ttl = ttl_seconds
        self._monotonic = monotonic
        self._bounds = (max_known, max_unknown)
        self._known: OrderedDict[str, tuple[float, Credential]] = OrderedDict()
        self._unknown: OrderedDict[str, float] = OrderedDict()

    async def check(self, key: str) -> Credential | None:
        """The key's tenant and role, or `None` where it opens nothing: malformed, unknown, revoked or expired."""
        if not is_key(key):
            return None
        return await self.recheck(key_hash(key))

    async def recheck(self, hashed: str) -> Credential | None:
        """As `check`, for a key of which only the hash was kept."""
        found = await self._lookup(hashed)
        return found if found is not None and found.is_valid(self._clock()) else None

    def forget(self, key_id: str) -> None:
        """Look a key up again when it comes next: it was just revoked."""
        for hashed in [hashed for hashed, (_, key) in self._known.items() if key.key_id == key_id]:
            del self._known[hashed]

    async def _lookup(self, hashed: str) -> Credential | None:
        now = self._monotonic()
        known = self._known.get(hashed)
        if known is not None and now - known[0] < self._ttl:
            self._from_cache.inc()
            return known[1]
        unknown = self._unknown.get(hashed)
        if unknown is not None and now - unknown < self._ttl:
            self._from_cache.inc()
            return None
        key = await self._keys.find(hashed)
        # A key that is revoked opens as much as one that is not there.
        found = None if key is None or key.revoked_at is not None else Credential.of_key(key, hashed)
        self._metrics.key_lookups.labels("table" if found else "unknown").inc()
        self._remember(hashed, found, now)
        return found

    def _remember(self, hashed: str, found: Credential | None, now: float) -> None:
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
