"""Amazon SQS and SNS broker for FastStream."""

from faststream_sqs.annotations import SQSBatchMessage, SQSMessage
from faststream_sqs.broker.broker import SQSBroker
from faststream_sqs.broker.router import SQSRouter
from faststream_sqs.errors import (
    BatchFailures,
    EntryFailure,
    InvalidMessageError,
    Poison,
    PublishBatchError,
    QueueNotFoundError,
    Retryable,
    TopicNotFoundError,
)
from faststream_sqs.observer import Event, Observer
from faststream_sqs.response import PublishEntry, SQSResponse
from faststream_sqs.testing import TestSQSBroker

__all__ = (
    "BatchFailures",
    "EntryFailure",
    "Event",
    "InvalidMessageError",
    "Observer",
    "Poison",
    "PublishBatchError",
    "PublishEntry",
    "QueueNotFoundError",
    "Retryable",
    "SQSBatchMessage",
    "SQSBroker",
    "SQSMessage",
    "SQSResponse",
    "SQSRouter",
    "TestSQSBroker",
    "TopicNotFoundError",
)
