"""The part of the broker that publishes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from faststream._internal.broker import BrokerUsecase
from faststream.exceptions import FeatureNotSupportedException
from faststream.response import PublishType

from faststream_sqs.broker.registrator import SQSRegistrator
from faststream_sqs.config import SQSBrokerConfig
from faststream_sqs.connection import Connection
from faststream_sqs.publisher.usecase import with_prefix
from faststream_sqs.response import SQSPublishCommand, destination_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from faststream._internal.basic_types import SendableMessage

    from faststream_sqs.response import SQSResponse


class PublishingBroker(SQSRegistrator, BrokerUsecase[Any, Connection, SQSBrokerConfig]):
    """Publishes single messages and batches to queues and topics."""

    async def publish(
        self,
        message: SendableMessage = None,
        queue: str | None = None,
        *,
        topic: str | None = None,
        headers: Mapping[str, Any] | None = None,
        correlation_id: str | None = None,
        delay: int | None = None,
    ) -> str:
        """Send one message to a queue or a topic.

        Args:
            message: The body: text, bytes that are text, or whatever becomes JSON.
            queue: Name, ARN or URL of a queue.
            topic: Name or ARN of an SNS topic.
            headers: Message attributes.
            correlation_id: Travels as an attribute; a new one if not given.
            delay: Whole seconds until the queue shows the message.

        Returns:
            The message id.

        Raises:
            InvalidMessageError: Body or headers cannot travel.
            QueueNotFoundError: The queue does not exist.
            TopicNotFoundError: The topic does not exist.
        """
        cmd = self._command(message, queue=queue, topic=topic, headers=headers, cor=correlation_id, delay=delay)
        sent: str = await self._basic_publish(cmd, producer=self.config.producer)
        return sent

    async def publish_batch(
        self,
        *messages: SendableMessage | SQSResponse,
        queue: str | None = None,
        topic: str | None = None,
        headers: Mapping[str, Any] | None = None,
        correlation_id: str | None = None,
        delay: int | None = None,
    ) -> list[str]:
        """Send any number of messages, ten to a request, and repeat what fails for no fault of its own.

        Args:
            messages: Bodies, or `PublishEntry` with headers and delay of their own.
            queue: Name, ARN or URL of a queue.
            topic: Name or ARN of an SNS topic.
            headers: Message attributes of all.
            correlation_id: Travels as an attribute; a new one if not given.
            delay: Whole seconds until the queue shows the messages.

        Returns:
            The message ids, in order.

        Raises:
            InvalidMessageError: Body or headers of one cannot travel; none was sent.
            PublishBatchError: Some could not be sent; it names them.
        """
        destination_of(queue=queue, topic=topic)
        if not messages:
            return []
        cmd = self._command(*messages, queue=queue, topic=topic, headers=headers, cor=correlation_id, delay=delay)
        sent: list[str] = await self._basic_publish_batch(cmd, producer=self.config.producer)
        return sent

    async def request(self, *_: Any, **__: Any) -> Any:  # noqa: ANN401 - FastStream's signature
        """SQS has no replies."""
        raise FeatureNotSupportedException("SQS has no request and reply")

    def _command(
        self,
        *messages: Any,  # noqa: ANN401 - whatever FastStream can encode
        queue: str | None,
        topic: str | None,
        headers: Mapping[str, Any] | None,
        cor: str | None,
        delay: int | None,
    ) -> SQSPublishCommand:
        destination, kind = destination_of(queue=queue, topic=topic)
        return SQSPublishCommand(
            *messages,
            destination=with_prefix(self.config.prefix, destination),
            kind=kind,
            headers=dict(headers or {}),
            correlation_id=cor or self.config.id_generator(),
            delay=delay,
            _publish_type=PublishType.PUBLISH,
        )
