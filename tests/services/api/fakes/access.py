"""API keys and writes that named themselves, in memory."""

import secrets
from collections.abc import Collection, Sequence

from tests.services.api.fakes.times import DAY, NOW

from sensorcast_api.ports import ApiKeys, Idempotency
from sensorcast_common.clock import from_millis
from sensorcast_common.tables.api_keys import ApiKey, Role, key_hash
from sensorcast_common.tables.idempotency import Claim, KeptAnswer, Stage


class FakeApiKeys(ApiKeys):
    def __init__(self) -> None:
        self.items: dict[str, ApiKey] = {}
        self.finds = 0

    def make(self, tenant: str, role: Role = Role.VIEWER, *, expires_at: int = NOW + DAY) -> str:
        key = "sc_" + secrets.token_urlsafe(32)
        self.items[key_hash(key)] = ApiKey(
            key_id=key_hash(key)[:16],
            tenant=tenant,
            role=role,
            created_at=from_millis(NOW),
            expires_at=from_millis(expires_at),
        )
        return key

    def take_back(self, key: str) -> None:
        self.items[key_hash(key)] = self.items[key_hash(key)].model_copy(update={"revoked_at": from_millis(NOW)})

    async def find(self, hashed: str) -> ApiKey | None:
        self.finds += 1
        return self.items.get(hashed)

    async def page(self, tenant: str, *, limit: int, cursor: str | None) -> tuple[Sequence[ApiKey], str | None]:
        found = [self.items[key] for key in sorted(self.items) if self.items[key].tenant == tenant]
        found = [key for key in found if cursor is None or key.key_id > cursor]
        return found[:limit], found[limit - 1].key_id if len(found) > limit else None

    async def create(
        self, *, tenant: str, role: Role, expires_at: int, now: int, name: str = "", scopes: Collection[str] = ()
    ) -> tuple[str, ApiKey]:
        key = self.make(tenant, role, expires_at=expires_at)
        made = self.items[key_hash(key)].model_copy(update={"name": name, "scopes": frozenset(scopes)})
        self.items[key_hash(key)] = made
        return key, made

    async def revoke(self, key_id: str, *, now: int, tenant: str | None = None) -> ApiKey | None:
        for hashed, key in self.items.items():
            if key.key_id == key_id and key.tenant == tenant:
                self.items[hashed] = key.model_copy(update={"revoked_at": from_millis(now)})
                return self.items[hashed]
        return None


class FakeIdempotency(Idempotency):
    def __init__(self) -> None:
        self.items: dict[str, Claim] = {}

    async def claim(self, name: str, fingerprint: str, *, now: int) -> Claim:
        if name in self.items:
            return self.items[name]
        self.items[name] = Claim(stage=Stage.RUNNING, fingerprint=fingerprint)
        return Claim(stage=Stage.NEW, fingerprint=fingerprint)

    async def finish(self, name: str, answer: KeptAnswer) -> None:
        self.items[name] = Claim(stage=Stage.DONE, fingerprint=self.items[name].fingerprint, answer=answer)

    async def release(self, name: str) -> None:
        del self.items[name]
