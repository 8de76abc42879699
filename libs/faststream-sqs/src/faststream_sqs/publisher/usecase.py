"""Publishes to one queue or topic, from anywhere or with what a handler returns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from faststream._internal.configs import PublisherUsecaseConfig
from faststream._internal.endpoint.publisher import PublisherUsecase
from faststream.exceptions import FeatureNotSupportedException
from faststream.response import PublishType

from faststream_sqs.config import SQSBrokerConfig
from faststream_sqs.response import Kind, SQSPublishCommand

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from faststream._internal.basic_types import SendableMessage
    from faststream._internal.endpoint.publisher import PublisherSpecification
    from faststream._internal.types import PublisherMiddleware
    from faststream.response import PublishCommand

    from faststream_sqs.response import SQSResponse


@dataclass(kw_only=True)
class SQSPublisherConfig(PublisherUsecaseConfig):
    """Where to, and with which headers."""

    _outer_config: SQSBrokerConfig = field(default_factory=SQSBrokerConfig)

    destination: str
    kind: Kind
    batch: bool
    headers: Mapping[str, Any]
    delay: int | None


class SQSPublisher(PublisherUsecase):
    """Publishes to one queue or topic."""

    _outer_config: SQSBrokerConfig

    def __init__(self, config: SQSPublisherConfig, specification: PublisherSpecification[Any, Any]) -> None:
        super().__init__(config, specification)
        self._destination = config.destination
        self._batch = config.batch
        self.kind: Kind = config.kind
        self.headers = dict(config.headers)
        self.delay = config.delay

    @property
    def destination(self) -> str:
        """Name of the queue or topic, prefix included; an ARN or a URL as it was given."""
        return with_prefix(self._outer_config.prefix, self._destination)

    async def start(self) -> None:
        """Make sure that the destination exists.

        Raises:
            QueueNotFoundError: The queue does not.
            TopicNotFoundError: The topic does not.
        """
        await super().start()
        await self._outer_config.producer.check(self._command(None))

    async def publish(
        self,
        message: SendableMessage,
        *,
        headers: Mapping[str, Any] | None = None,
        correlation_id: str | None = None,
        delay: int | None = None,
    ) -> str:
        """Send one message and return its id.

        Args:
            message: The body.
            headers: Message attributes, over the publisher's own.
            correlation_id: Travels as an attribute; a new one if not given.
            delay: Whole seconds until the queue shows the message.
        """
        cmd = self._command(message, headers=headers, correlation_id=correlation_id, delay=delay)
        sent: str = await self._basic_publish(cmd, producer=self._outer_config.producer, _extra_middlewares=())
        return sent

    async def publish_batch(
        self,
        *messages: SendableMessage | SQSResponse,
        headers: Mapping[str, Any] | None = None,
        correlation_id: str | None = None,
        delay: int | None = None,
    ) -> list[str]:
        """Send any number of messages, bodies or `PublishEntry`, and return their ids.

        Raises:
            PublishBatchError: Some could not be sent.
        """
        if not messages:
            return []
        cmd = self._command(*messages, headers=headers, correlation_id=correlation_id, delay=delay)
        sent: list[str] = await self._basic_publish_batch(
            cmd, producer=self._outer_config.producer, _extra_middlewares=()
        )
        return sent

    async def request(self, *_: Any, **__: Any) -> Any:  # noqa: ANN401 - FastStream's signature
        """SQS has no replies."""
        raise FeatureNotSupportedException("SQS has no request and reply")

    async def _publish(self, cmd: PublishCommand, *, _extra_middlewares: Iterable[PublisherMiddleware]) -> None:
        """Send what a handler returned; `None` is nothing to send, since SQS carries no empty message."""
        if cmd.body is None:
            return
        command = SQSPublishCommand.from_cmd(cmd, batch=self._batch)
        command.destination = command.destination or self.destination
        command.kind = self.kind
        command.delay = self.delay if command.delay is None else command.delay
        command.add_headers(self.headers, override=False)
        publish = self._basic_publish_batch if self._batch else self._basic_publish
        await publish(command, producer=self._outer_config.producer, _extra_middlewares=_extra_middlewares)

    def _command(
        self,
        *messages: Any,  # noqa: ANN401 - whatever FastStream can encode
        headers: Mapping[str, Any] | None = None,
        correlation_id: str | None = None,
        delay: int | None = None,
    ) -> SQSPublishCommand:
        return SQSPublishCommand(
            *messages,
            destination=self.destination,
            kind=self.kind,
            headers={**self.headers, **(headers or {})},
            correlation_id=correlation_id or self._outer_config.id_generator(),
            delay=self.delay if delay is None else delay,
            _publish_type=PublishType.PUBLISH,
        )


def with_prefix(prefix: str, name: str) -> str:
    """`name` after `prefix`, unless it is an ARN or a URL."""
    return name if name.startswith(("arn:", "http://", "https://")) else f"{prefix}{name}"
