"""Tells FastStream's Prometheus middleware about messages of SQS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from faststream.prometheus import ConsumeAttrs, MetricsSettingsProvider

from faststream_sqs.queues import queue_name
from faststream_sqs.received import Received
from faststream_sqs.topics import topic_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from faststream.message import StreamMessage

    from faststream_sqs.response import SQSPublishCommand


class SQSMetricsSettingsProvider(MetricsSettingsProvider[Any, Any]):
    """Names destinations and sizes of one message or a batch."""

    def __init__(self) -> None:
        self.messaging_system = "sqs"

    def get_consume_attrs_from_message(self, msg: StreamMessage[Received | Sequence[Received]]) -> ConsumeAttrs:
        """Queue, bytes and number of messages."""
        raw = msg.raw_message
        messages = [raw] if isinstance(raw, Received) else list(raw)
        return {
            "destination_name": messages[0].queue if messages else "",
            "message_size": sum(message.size for message in messages),
            "messages_count": len(messages),
        }

    def get_publish_destination_name_from_cmd(self, cmd: SQSPublishCommand) -> str:
        """Bare name of the queue or topic."""
        return queue_name(cmd.destination) if cmd.kind == "queue" else topic_name(cmd.destination)
