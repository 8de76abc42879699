"""Queues, the quarantine and the broker, in memory."""

from collections.abc import Sequence

from sensorcast_api.ports import Quarantine, Queues, Resend
from sensorcast_api.quarantine.resend import BrokerAway
from sensorcast_api.status.queues import QueueStatus
from sensorcast_common.quarantine import Quarantined


class FakeQuarantine(Quarantine):
    def __init__(self) -> None:
        self.items: dict[tuple[str, str], Quarantined] = {}

    async def put(self, message: Quarantined, *, now: int) -> None:
        self.items[message.tenant, message.message_id] = message

    async def list(self, tenant: str, *, limit: int, cursor: str | None) -> tuple[Sequence[Quarantined], str | None]:
        found = [
            message
            for (of, message_id), message in sorted(self.items.items(), reverse=True)
            if of == tenant and (cursor is None or message_id < cursor)
        ]
        return found[:limit], found[limit - 1].message_id if len(found) > limit else None

    async def get(self, tenant: str, message_id: str) -> Quarantined | None:
        return self.items.get((tenant, message_id))

    async def delete(self, tenant: str, message_id: str) -> bool:
        return self.items.pop((tenant, message_id), None) is not None

    async def count(self, tenant: str) -> int:
        return sum(of == tenant for of, _ in self.items)


class FakeResend(Resend):
    def __init__(self) -> None:
        self.sent: list[tuple[str, bytes]] = []
        self.away = False

    async def publish(self, topic: str, payload: bytes) -> None:
        if self.away:
            raise BrokerAway("connection refused")
        self.sent.append((topic, payload))


class FakeQueues(Queues):
    def __init__(self) -> None:
        self.looks = 0

    async def look(self) -> Sequence[QueueStatus]:
        self.looks += 1
        return [QueueStatus(queue="archive", waiting=3, in_work=1, dead_letters=2)]
