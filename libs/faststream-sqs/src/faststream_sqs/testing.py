"""Runs a broker's handlers in memory, without AWS."""

from __future__ import annotations

import uuid
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast
from unittest.mock import MagicMock

from faststream._internal.endpoint.utils import ParserComposition
from faststream._internal.parser import DefaultCodec
from faststream._internal.testing.broker import EnterType, TestBroker, change_producer

from faststream_sqs.broker.broker import SQSBroker
from faststream_sqs.parser import SQSParser
from faststream_sqs.producer import SQSProducer, encode
from faststream_sqs.queues import queue_name
from faststream_sqs.received import Received, State
from faststream_sqs.subscriber.usecase import SQSSubscriber
from faststream_sqs.topics import topic_name

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from types_aiobotocore_sqs.type_defs import MessageAttributeValueOutputTypeDef

    from faststream_sqs.batching import Outgoing
    from faststream_sqs.publisher.usecase import SQSPublisher
    from faststream_sqs.response import Kind, SQSPublishCommand

__all__ = ("TestSQSBroker",)


class TestSQSBroker(TestBroker[SQSBroker, EnterType], broker=SQSBroker):
    """Delivers what is published to the subscribers at once, and raises what they raise.

    Args:
        brokers: The brokers under test.
        subscriptions: Queues by topic, for messages published to a topic; both by bare name.
        with_real: Whether to use the real queues; then a topic needs a real subscription too.
        connect_only: FastStream's.
    """

    def __init__(
        self,
        *brokers: SQSBroker,
        subscriptions: Mapping[str, Sequence[str]] | None = None,
        with_real: bool = False,
        connect_only: bool | None = None,
    ) -> None:
        super().__init__(*brokers, with_real=with_real, connect_only=connect_only)
        self._subscriptions = dict(subscriptions or {})

    def create_publisher_fake_subscriber(
        self, broker: SQSBroker, publisher: SQSPublisher
    ) -> tuple[SQSSubscriber, bool]:
        """A subscriber that stands for whoever receives what `publisher` sends."""
        addresses = _addresses(publisher.destination, publisher.kind, self._subscriptions)
        for subscriber in _subscribers(self.brokers):
            if queue_name(subscriber.queue) in addresses:
                return subscriber, True
        return broker.subscriber(addresses[0], persistent=False), False

    @contextmanager
    def _patch_producer(self, broker: SQSBroker) -> Generator[None, None, None]:
        producer = InMemoryProducer(broker, self.brokers, self._subscriptions)
        with change_producer(broker.config.broker_config, producer):
            yield

    async def _fake_connect(self, *_: Any, **__: Any) -> MagicMock:  # type: ignore[override] # noqa: ANN401
        return MagicMock()


class InMemorySettlement:
    """Records what became of each message."""

    def __init__(self) -> None:
        self.deleted: list[Received] = []
        self.failed: list[tuple[Received, BaseException | None]] = []
        self.dead: list[tuple[Received, str]] = []
        self.released: list[Received] = []

    def delete(self, message: Received) -> None:
        """The message was handled."""
        self.deleted.append(_settled(message))

    def fail(self, message: Received, error: BaseException | None, *, after: float | None = None) -> None:  # noqa: ARG002 - the port's signature
        """Handling failed."""
        self.failed.append((_settled(message), error))

    def dead_letter(self, message: Received, reason: str) -> None:
        """The message would go to the dead-letter queue."""
        self.dead.append((_settled(message), reason))

    def release(self, message: Received) -> None:
        """Nobody worked on the message."""
        self.released.append(_settled(message))


class InMemoryProducer(SQSProducer):
    """Calls the handlers of the subscribed queues instead of AWS."""

    def __init__(
        self, broker: SQSBroker, brokers: Sequence[SQSBroker], subscriptions: Mapping[str, Sequence[str]]
    ) -> None:
        self._broker = broker
        self._brokers = brokers
        self._subscriptions = subscriptions
        self.settlement = InMemorySettlement()
        self.codec = broker.config.broker_codec or DefaultCodec()
        default = SQSParser()
        self._parser = ParserComposition(broker._parser, default.parse_message)  # noqa: SLF001 - as FastStream's own
        self._decoder = ParserComposition(broker._decoder, default.decode_message)  # noqa: SLF001

    async def publish(self, cmd: SQSPublishCommand) -> str:
        """Deliver one message."""
        return (await self._deliver(cmd, [cmd.body]))[0]

    async def publish_batch(self, cmd: SQSPublishCommand) -> list[str]:
        """Deliver several messages, to a batch subscriber as one list."""
        return await self._deliver(cmd, list(cmd.batch_bodies))

    async def check(self, cmd: SQSPublishCommand) -> None:
        """In memory every destination exists."""

    async def _deliver(self, cmd: SQSPublishCommand, bodies: list[Any]) -> list[str]:
        serializer = self._broker.config.fd_config._serializer  # noqa: SLF001 - as FastStream's own
        outgoing = [
            await encode(cmd, body, index=index, codec=self.codec, serializer=serializer)
            for index, body in enumerate(bodies)
        ]
        ids = [str(uuid.uuid4()) for _ in outgoing]
        addresses = _addresses(cmd.destination, cmd.kind, self._subscriptions)
        for subscriber in _subscribers(self._brokers):
            name = queue_name(subscriber.queue)
            if name not in addresses:
                continue
            received = [self._received(o, queue=name, message_id=i) for o, i in zip(outgoing, ids, strict=True)]
            if subscriber.options.batch:
                await subscriber.process_message(received)
            else:
                for message in received:
                    await subscriber.process_message(message)
        return ids

    def _received(self, outgoing: Outgoing, *, queue: str, message_id: str) -> Received:
        sent = int(datetime.now(UTC).timestamp() * 1000)
        return Received(
            queue=queue,
            message_id=message_id,
            receipt_handle=message_id,
            body=outgoing.body,
            settlement=self.settlement,
            attributes={"ApproximateReceiveCount": "1", "SentTimestamp": str(sent)},
            message_attributes=cast("dict[str, MessageAttributeValueOutputTypeDef]", outgoing.attributes),
        )


def _settled(message: Received) -> Received:
    message.state = State.SETTLED
    return message


def _subscribers(brokers: Sequence[SQSBroker]) -> list[SQSSubscriber]:
    return [s for broker in brokers for s in broker.subscribers if isinstance(s, SQSSubscriber)]


def _addresses(destination: str, kind: Kind, subscriptions: Mapping[str, Sequence[str]]) -> list[str]:
    """The queues a message reaches; a topic's own fake queue comes first."""
    if kind == "queue":
        return [queue_name(destination)]
    topic = topic_name(destination)
    return [f"topic-{topic}", *subscriptions.get(topic, ())]
