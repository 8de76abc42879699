"""Recipients, escalations and silences, in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sensorcast_api.ports import Kept
from sensorcast_common.escalation import Escalation
from sensorcast_common.recipient import Recipient
from sensorcast_common.silence import Silence
from sensorcast_common.tables.contact_items import ContactConflict, ContactKind, ModelT
from sensorcast_common.tables.contacts import ESCALATION, RECIPIENT, SILENCE


class FakeKept(Kept[ModelT]):
    def __init__(self, kind: ContactKind[ModelT]) -> None:
        self.kind = kind
        self.items: dict[tuple[str, str], ModelT] = {}

    async def list(self, tenant: str) -> Sequence[ModelT]:
        return [self.items[key] for key in sorted(self.items) if key[0] == tenant]

    async def get(self, tenant: str, identity: str) -> ModelT | None:
        return self.items.get((tenant, identity))

    async def put(self, thing: ModelT) -> None:
        key = thing.tenant, self.kind.identity(thing)
        if (self.items[key].version if key in self.items else 0) != thing.version - 1:
            raise ContactConflict(key[1], thing.version)
        self.items[key] = thing

    async def delete(self, tenant: str, identity: str) -> bool:
        return self.items.pop((tenant, identity), None) is not None


@dataclass(slots=True)
class FakeContacts:
    recipients: FakeKept[Recipient] = field(default_factory=lambda: FakeKept(RECIPIENT))
    escalations: FakeKept[Escalation] = field(default_factory=lambda: FakeKept(ESCALATION))
    silences: FakeKept[Silence] = field(default_factory=lambda: FakeKept(SILENCE))
