"""What the API needs of rules and the product profiles that they name."""

from collections.abc import Sequence
from typing import Protocol

from sensorcast_common.product import ProductProfile
from sensorcast_common.rule import Rule, RuleVersion


class Rules(Protocol):
    """The alert rules of a tenant."""

    async def list(self, tenant: str) -> Sequence[Rule]:
        """All of them, by id."""
        ...

    async def get(self, tenant: str, rule_id: str) -> Rule | None:
        """One rule."""
        ...

    async def put(self, rule: Rule, *, by: str) -> None:
        """Store a rule as the version after the one that is there; raises `RuleConflict` where another is there."""
        ...

    async def delete(self, tenant: str, rule_id: str, *, by: str) -> bool:
        """Remove a rule; tells whether there was one; raises `VersionConflict` where it was changed meanwhile."""
        ...

    async def versions(self, tenant: str, rule_id: str) -> Sequence[RuleVersion]:
        """What a rule said from when on and who changed it, newest first."""
        ...


class Products(Protocol):
    """The product profiles of a tenant."""

    async def list(self, tenant: str) -> Sequence[ProductProfile]:
        """All of them, by id."""
        ...

    async def get(self, tenant: str, product_id: str) -> ProductProfile | None:
        """One profile."""
        ...

    async def put(self, profile: ProductProfile, *, by: str) -> None:
        """Store a profile as the version after the one that is there; raises `ProductConflict` otherwise."""
        ...

    async def delete(self, tenant: str, product_id: str, *, by: str) -> bool:
        """Remove a profile; tells whether there was one."""
        ...
