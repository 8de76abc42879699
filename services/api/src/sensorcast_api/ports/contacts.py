"""What the API needs of recipients, escalations and silences."""

from collections.abc import Sequence
from typing import Protocol, TypeVar

from sensorcast_common.escalation import Escalation
from sensorcast_common.recipient import Recipient
from sensorcast_common.silence import Silence

ThingT = TypeVar("ThingT")


class Kept(Protocol[ThingT]):
    """Recipients, escalations or silences; see `sensorcast_common.tables.contact_items` for the errors."""

    async def list(self, tenant: str) -> Sequence[ThingT]:
        """All of a tenant, by id."""
        ...

    async def get(self, tenant: str, identity: str) -> ThingT | None:
        """One of them."""
        ...

    async def put(self, thing: ThingT) -> None:
        """Store it as the version after the one that is there."""
        ...

    async def delete(self, tenant: str, identity: str) -> bool:
        """Remove one; tells whether there was one."""
        ...


class ContactStores(Protocol):
    """Who is told of incidents."""

    @property
    def recipients(self) -> Kept[Recipient]:
        """Who is told."""
        ...

    @property
    def escalations(self) -> Kept[Escalation]:
        """In which order."""
        ...

    @property
    def silences(self) -> Kept[Silence]:
        """When nobody is."""
        ...
