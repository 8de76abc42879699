"""What the API needs of queues, the quarantine and the broker."""

from collections.abc import Sequence
from typing import Protocol

from sensorcast_api.status.queues import QueueStatus
from sensorcast_common.quarantine import Quarantined


class Quarantine(Protocol):
    """Payloads that could not be accepted."""

    async def put(self, message: Quarantined, *, now: int) -> None:
        """Keep one; the same one again changes nothing."""
        ...

    async def list(self, tenant: str, *, limit: int, cursor: str | None) -> tuple[Sequence[Quarantined], str | None]:
        """One page, newest first, without payloads, and where the next one begins."""
        ...

    async def get(self, tenant: str, message_id: str) -> Quarantined | None:
        """One message with its payload."""
        ...

    async def delete(self, tenant: str, message_id: str) -> bool:
        """Forget a message; tells whether there was one."""
        ...

    async def count(self, tenant: str) -> int:
        """How many there are."""
        ...


class Resend(Protocol):
    """Publishes on the broker."""

    async def publish(self, topic: str, payload: bytes) -> None:
        """Publish and wait until the broker has taken it; raises `BrokerAway` where it has not."""
        ...


class Queues(Protocol):
    """The stack's queues."""

    async def look(self) -> Sequence[QueueStatus]:
        """How many messages wait in each."""
        ...
