"""The SNS topic and the SQS queue behind the outboxes."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from faststream_sqs import PublishBatchError, PublishEntry, QueueNotFoundError, TopicNotFoundError
from sensorcast_ingest.outbox import Outgoing

if TYPE_CHECKING:
    from faststream_sqs.publisher.usecase import SQSPublisher

_AWAY = (BotoCoreError, ClientError, OSError, TimeoutError, QueueNotFoundError, TopicNotFoundError)


class BrokerSink:
    """A destination of the SQS broker, which splits requests and repeats entries that failed for a moment.

    Args:
        publisher: To the topic or queue.
        name: For logs.
    """

    def __init__(self, publisher: "SQSPublisher", *, name: str) -> None:
        self._publisher = publisher
        self.name = name

    async def send(self, messages: Sequence[Outgoing]) -> Mapping[int, str]:
        """Send; returns why which messages were not accepted, by index."""
        entries = [
            PublishEntry(message.text, headers=message.headers, correlation_id=message.correlation_id)
            for message in messages
        ]
        try:
            await self._publisher.publish_batch(*entries)
        except PublishBatchError as error:
            return {index: str(failure) for index, failure in error.failures.items()}
        except _AWAY as error:
            return dict.fromkeys(range(len(messages)), f"{type(error).__name__}: {error}")
        return {}
