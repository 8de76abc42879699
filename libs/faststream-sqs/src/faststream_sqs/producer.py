"""Encodes what is published and hands it to the queue or topic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from faststream._internal.endpoint.utils import ParserComposition
from faststream._internal.parser import DefaultCodec
from faststream._internal.producer import ProducerProto
from faststream.exceptions import FeatureNotSupportedException, IncorrectState

from faststream_sqs.attributes import CONTENT_TYPE, CORRELATION_ID, REPLY_TO, encode_body, encode_headers
from faststream_sqs.batching import Outgoing, check_size
from faststream_sqs.errors import InvalidMessageError
from faststream_sqs.parser import SQSParser
from faststream_sqs.response import SQSPublishCommand, SQSResponse
from faststream_sqs.sending import QueueTarget, Target, TopicTarget, send_all

if TYPE_CHECKING:
    from fast_depends.library.serializer import SerializerProto
    from faststream._internal.parser import CodecProto
    from faststream._internal.types import CustomCallable

    from faststream_sqs.connection import Connection


class SQSProducer(ProducerProto[SQSPublishCommand]):
    """Executes publish commands."""

    def __init__(self, *, parser: CustomCallable | None, decoder: CustomCallable | None) -> None:
        default = SQSParser()
        self._parser = ParserComposition(parser, default.parse_message)
        self._decoder = ParserComposition(decoder, default.decode_message)
        self.codec: CodecProto = DefaultCodec()
        self._serializer: SerializerProto | None = None
        self._connection: Connection | None = None

    def connect(
        self, connection: Connection, serializer: SerializerProto | None, codec: CodecProto | None = None
    ) -> None:
        """Use `connection` from now on."""
        self._connection = connection
        self._serializer = serializer
        self.codec = codec or DefaultCodec()

    def disconnect(self) -> None:
        """Use no connection any more."""
        self._connection = None

    async def publish(self, cmd: SQSPublishCommand) -> str:
        """Send one message.

        Returns:
            The message id.

        Raises:
            InvalidMessageError: Body or headers cannot be sent.
        """
        message = await encode(cmd, cmd.body, index=0, codec=self.codec, serializer=self._serializer)
        target = await self._target(cmd)
        check_size([message], limit=target.limit)
        return await target.send(message)

    async def publish_batch(self, cmd: SQSPublishCommand) -> list[str]:
        """Send several messages.

        Returns:
            The message ids, in order.

        Raises:
            InvalidMessageError: Body or headers of one cannot be sent; nothing was.
            PublishBatchError: Some could not be sent.
        """
        messages = [
            await encode(cmd, body, index=index, codec=self.codec, serializer=self._serializer)
            for index, body in enumerate(cmd.batch_bodies)
        ]
        if not messages:
            return []
        target = await self._target(cmd)
        check_size(messages, limit=target.limit)
        sent = await send_all(target, messages)
        return [sent[message.index] for message in messages]

    async def request(self, cmd: SQSPublishCommand) -> Any:  # noqa: ANN401, ARG002 - FastStream's signature
        """SQS has no replies."""
        raise FeatureNotSupportedException("SQS has no request and reply")

    async def check(self, cmd: SQSPublishCommand) -> None:
        """Make sure that the destination of `cmd` exists.

        Raises:
            QueueNotFoundError: The queue does not.
            TopicNotFoundError: The topic does not.
        """
        await self._target(cmd)

    async def _target(self, cmd: SQSPublishCommand) -> Target:
        if self._connection is None:
            raise IncorrectState("the broker is not connected; call connect() or start() first")
        if cmd.kind == "topic":
            arn = await self._connection.topic_arn(cmd.destination)
            return TopicTarget(client=await self._connection.sns(), arn=arn, name=cmd.destination)
        url = await self._connection.queue_url(cmd.destination)
        return QueueTarget(client=self._connection.sqs, url=url, name=cmd.destination)


async def encode(
    cmd: SQSPublishCommand,
    body: Any,  # noqa: ANN401 - whatever FastStream can encode
    *,
    index: int,
    codec: CodecProto,
    serializer: SerializerProto | None,
) -> Outgoing:
    """One body of a command as text and attributes.

    Raises:
        InvalidMessageError: It cannot be sent; the message names the index.
    """
    entry = body if isinstance(body, SQSResponse) else SQSResponse(body)
    payload, content_type = await codec.encode(entry.body, serializer)
    headers: dict[str, object] = {
        CONTENT_TYPE: content_type,
        CORRELATION_ID: entry.correlation_id or cmd.correlation_id,
        REPLY_TO: cmd.reply_to or None,
        **cmd.headers,
        **entry.headers,
    }
    delay = cmd.delay if entry.delay is None else entry.delay
    if cmd.kind == "topic" and delay is not None:
        raise InvalidMessageError("delay: a topic cannot delay a message")
    try:
        return Outgoing(index=index, body=encode_body(payload), attributes=encode_headers(headers), delay=delay)
    except InvalidMessageError as error:
        raise InvalidMessageError(f"message {index}: {error}") from error
