"""Messages as they are handed to whoever makes them safe."""

from collections.abc import Callable
from typing import NamedTuple


class MqttMessage(NamedTuple):
    """A message as it was received.

    Attributes:
        topic: Where it was published; bytes that are not UTF-8 are replaced.
        payload: As sent.
        redelivered: Whether it may have been delivered before: DUP was set, or it is a retained message.
        received_at: In milliseconds since 1970 UTC.
        properties: Those of MQTT 5 as sent; see `user_property`.
    """

    topic: str
    payload: bytes
    redelivered: bool
    received_at: int
    properties: bytes = b""


class MessageBatch(NamedTuple):
    """Messages in the order of receipt.

    Attributes:
        messages: At least one.
        ack: Call once all of them are safe; does nothing if the connection they came on has ended, because then the
            broker sends them again. PUBACKs keep the order of receipt: they wait for those of earlier batches.
    """

    messages: list[MqttMessage]
    ack: Callable[[], None]
