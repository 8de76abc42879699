"""MQTT messages that AWS IoT Core's topic rule has put into SQS, as a source like the MQTT session.

The rule's SQL and this module belong together: `payload` (base64 of the bytes that were sent), `topic`, and
`received_at` (milliseconds since 1970 UTC, the rule's `timestamp()`).
"""

import asyncio
import base64
import binascii

from pydantic import BaseModel, ValidationError

from sensorcast_common.errors import Poison
from sensorcast_common.mqtt import MessageBatch, MqttMessage
from sensorcast_common.mqtt.source import MAX_BATCH


class _Ruled(BaseModel):
    payload: str
    topic: str
    received_at: int


def opened(body: str | bytes, *, receive_count: int) -> MqttMessage:
    """The MQTT message in the body of an SQS message.

    Args:
        body: What the rule sent.
        receive_count: How often SQS has handed it out; more than once makes it a redelivered message.

    Raises:
        Poison: It is not what the rule sends; the message names the field.
    """
    try:
        ruled = _Ruled.model_validate_json(body)
        payload = base64.b64decode(ruled.payload, validate=True)
    except ValidationError as error:
        where = ", ".join(".".join(str(part) for part in problem["loc"]) or "body" for problem in error.errors())
        raise Poison(f"not a message of the topic rule: {where}") from error
    except binascii.Error as error:
        raise Poison(f"not a message of the topic rule: payload: {error}") from error
    return MqttMessage(ruled.topic, payload, receive_count > 1, ruled.received_at)


class Inbox:
    """Lets each message wait until everything that came with it is safe."""

    def __init__(self) -> None:
        self._waiting: list[tuple[MqttMessage, asyncio.Future[None]]] = []
        self._arrived = asyncio.Event()
        self._stopping = False

    async def take(self, message: MqttMessage) -> None:
        """Hand a message over and wait until it is safe; then SQS may forget it."""
        safe: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((message, safe))
        self._arrived.set()
        await safe

    async def next_batch(self) -> MessageBatch | None:
        """Wait for messages; `None` after `stop`, once none waits."""
        while not self._waiting:
            if self._stopping:
                return None
            self._arrived.clear()
            await self._arrived.wait()
        taken, self._waiting = self._waiting[:MAX_BATCH], self._waiting[MAX_BATCH:]

        def ack() -> None:
            for _, safe in taken:
                if not safe.done():  # a stop may have cancelled who waited; SQS hands the message out again
                    safe.set_result(None)

        return MessageBatch([message for message, _ in taken], ack)

    def stop(self) -> None:
        """Let `next_batch` end."""
        self._stopping = True
        self._arrived.set()
