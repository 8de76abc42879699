"""Context annotations for handlers."""

from typing import Annotated

from faststream._internal.context import Context
from faststream.annotations import ContextRepo, Logger

from faststream_sqs.broker.broker import SQSBroker as _Broker
from faststream_sqs.message import SQSBatchMessage as _BatchMessage
from faststream_sqs.message import SQSMessage as _Message

SQSMessage = Annotated[_Message, Context("message")]
SQSBatchMessage = Annotated[_BatchMessage, Context("message")]
SQSBroker = Annotated[_Broker, Context("broker")]

__all__ = ("ContextRepo", "Logger", "SQSBatchMessage", "SQSBroker", "SQSMessage")
