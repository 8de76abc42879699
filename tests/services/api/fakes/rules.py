"""Rules and product profiles, in memory."""

from collections.abc import Sequence

from tests.services.api.fakes.times import NOW

from sensorcast_api.ports import Products, Rules
from sensorcast_common.clock import from_millis
from sensorcast_common.product import ProductProfile
from sensorcast_common.rule import Rule, RuleVersion
from sensorcast_common.tables.products import ProductConflict
from sensorcast_common.tables.rules import RuleConflict


class FakeRules(Rules):
    def __init__(self) -> None:
        self.items: dict[tuple[str, str], Rule] = {}
        self.changes: dict[tuple[str, str], list[RuleVersion]] = {}

    async def list(self, tenant: str) -> Sequence[Rule]:
        return [self.items[key] for key in sorted(self.items) if key[0] == tenant]

    async def get(self, tenant: str, rule_id: str) -> Rule | None:
        return self.items.get((tenant, rule_id))

    async def put(self, rule: Rule, *, by: str) -> None:
        stored = self.items.get((rule.tenant, rule.rule_id))
        if (stored.version if stored else 0) != rule.version - 1:
            raise RuleConflict(rule)
        self.items[rule.tenant, rule.rule_id] = rule
        self._note(rule.tenant, rule.rule_id, rule.version, rule, by)

    async def delete(self, tenant: str, rule_id: str, *, by: str) -> bool:
        gone = self.items.pop((tenant, rule_id), None)
        if gone is not None:
            self._note(tenant, rule_id, gone.version, None, by)
        return gone is not None

    async def versions(self, tenant: str, rule_id: str) -> Sequence[RuleVersion]:
        return self.changes.get((tenant, rule_id), [])[::-1]

    def _note(self, tenant: str, rule_id: str, version: int, rule: Rule | None, by: str) -> None:
        change = RuleVersion(changed_at=from_millis(NOW), changed_by=by, version=version, rule=rule)
        self.changes.setdefault((tenant, rule_id), []).append(change)


class FakeProducts(Products):
    def __init__(self) -> None:
        self.items: dict[tuple[str, str], ProductProfile] = {}

    async def list(self, tenant: str) -> Sequence[ProductProfile]:
        return [self.items[key] for key in sorted(self.items) if key[0] == tenant]

    async def get(self, tenant: str, product_id: str) -> ProductProfile | None:
        return self.items.get((tenant, product_id))

    async def put(self, profile: ProductProfile, *, by: str) -> None:
        stored = self.items.get((profile.tenant, profile.product_id))
        if (stored.version if stored else 0) != profile.version - 1:
            raise ProductConflict(profile)
        self.items[profile.tenant, profile.product_id] = profile

    async def delete(self, tenant: str, product_id: str, *, by: str) -> bool:
        return self.items.pop((tenant, product_id), None) is not None
