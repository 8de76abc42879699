"""Turns received messages into FastStream's, with attributes as headers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from faststream.message import StreamMessage, decode_message

from faststream_sqs.attributes import CONTENT_TYPE, CORRELATION_ID, REPLY_TO, decode_headers
from faststream_sqs.errors import UndecodableMessagesError
from faststream_sqs.message import SQSBatchMessage, SQSMessage
from faststream_sqs.sns import open_envelope

if TYPE_CHECKING:
    from collections.abc import Sequence

    from faststream._internal.basic_types import DecodedMessage

    from faststream_sqs.received import Received


class SQSParser:
    """Parses single messages.

    Besides the sender's attributes, the headers hold `MessageId` and the system attributes
    `ApproximateReceiveCount` and `SentTimestamp` (epoch milliseconds), as text.

    Args:
        unwrap_sns: Whether to look into SNS notifications; their headers are then those given to SNS, and
            `TopicArn`.
    """

    def __init__(self, *, unwrap_sns: bool = False) -> None:
        self._unwrap_sns = unwrap_sns

    async def parse_message(self, message: Received) -> SQSMessage:
        """One message."""
        body, headers = self._content(message)
        content_type = headers.get(CONTENT_TYPE)
        return SQSMessage(
            raw_message=message,
            body=body,
            headers=headers,
            content_type=content_type if isinstance(content_type, str) else None,
            correlation_id=_text(headers.get(CORRELATION_ID)) or message.message_id,
            reply_to=_text(headers.get(REPLY_TO)),
            message_id=message.message_id,
        )

    async def decode_message(self, msg: StreamMessage[Received]) -> DecodedMessage:
        """The body as JSON, text or bytes, by its content type."""
        return decode_message(msg)

    def _content(self, message: Received) -> tuple[bytes, dict[str, Any]]:
        headers: dict[str, Any] = {
            **message.attributes,
            "MessageId": message.message_id,
            **decode_headers(message.message_attributes),
        }
        if self._unwrap_sns and (envelope := open_envelope(message.body)) is not None:
            return envelope.body.encode(), {**headers, **envelope.headers, "TopicArn": envelope.topic_arn}
        return message.body.encode(), headers


class SQSBatchParser(SQSParser):
    """Parses lists of messages."""

    async def parse_batch(self, messages: Sequence[Received]) -> SQSBatchMessage:
        """All messages of one handler call."""
        contents = [self._content(message) for message in messages]
        headers = contents[0][1] if contents else {}
        return SQSBatchMessage(
            raw_message=messages,
            body=[body for body, _ in contents],
            headers=headers,
            batch_headers=[headers for _, headers in contents],
            correlation_id=_text(headers.get(CORRELATION_ID)) or None,
        )

    async def decode_batch(self, msg: StreamMessage[Sequence[Received]]) -> list[DecodedMessage]:
        """The bodies, each decoded as a single message would be.

        Raises:
            UndecodableMessagesError: Some cannot be.
        """
        decoded: list[DecodedMessage] = []
        failures: dict[int, Exception] = {}
        for index, message in enumerate(msg.raw_message):
            try:
                decoded.append(decode_message(await self.parse_message(message)))
            except ValueError as error:
                failures[index] = error
        if failures:
            raise UndecodableMessagesError(failures)
        return decoded


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
