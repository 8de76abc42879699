"""A message as SQS delivered it, with the way to settle it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from types_aiobotocore_sqs.type_defs import MessageAttributeValueOutputTypeDef, MessageTypeDef


class State(Enum):
    """Where a received message stands."""

    HELD = "held"
    """Buffered or being handled; its visibility is extended."""

    SETTLING = "settling"
    """Its fate is decided and on the way to SQS."""

    SETTLED = "settled"
    """SQS has been told, or cannot be told any more."""


class Settlement(Protocol):
    """What can become of a received message; each call decides, and the sending happens in the background."""

    def delete(self, message: Received) -> None:
        """The message was handled."""

    def fail(self, message: Received, error: BaseException | None, *, after: float | None = None) -> None:
        """Handling failed with `error`, which decides between a later retry and the dead-letter queue."""

    def dead_letter(self, message: Received, reason: str) -> None:
        """Move the message to the dead-letter queue."""

    def release(self, message: Received) -> None:
        """Nobody worked on the message: make it visible at once."""


@dataclass(slots=True, eq=False)
class Received:
    """One received message.

    Attributes:
        queue: Name of the queue, as the subscriber gives it.
        body: Text of the message.
        attributes: System attributes, such as `ApproximateReceiveCount`.
        message_attributes: The sender's attributes.
        failure: What the handler raised, once it has.
        lost: Whether the message may have become visible to others while it was held here.
    """

    queue: str
    message_id: str
    receipt_handle: str
    body: str
    settlement: Settlement
    attributes: Mapping[str, str] = field(default_factory=dict)
    message_attributes: Mapping[str, MessageAttributeValueOutputTypeDef] = field(default_factory=dict)
    state: State = State.HELD
    failure: BaseException | None = None
    lost: bool = False

    @classmethod
    def from_response(cls, message: MessageTypeDef, *, queue: str, settlement: Settlement) -> Received:
        """Wrap an entry of a `ReceiveMessage` response."""
        return cls(
            queue=queue,
            message_id=message["MessageId"],
            receipt_handle=message["ReceiptHandle"],
            body=message.get("Body", ""),
            settlement=settlement,
            attributes={str(name): value for name, value in message.get("Attributes", {}).items()},
            message_attributes=message.get("MessageAttributes", {}),
        )

    @property
    def receive_count(self) -> int:
        """How often SQS has delivered this message, this time included; at least 1."""
        return max(1, int(self.attributes.get("ApproximateReceiveCount", "1")))

    @property
    def sent_at(self) -> float | None:
        """When it was sent, in seconds since 1970 UTC by SQS's clock; `None` if SQS did not say."""
        sent = self.attributes.get("SentTimestamp")
        return None if sent is None else int(sent) / 1000

    @property
    def size(self) -> int:
        """Bytes of the body."""
        return len(self.body.encode())
