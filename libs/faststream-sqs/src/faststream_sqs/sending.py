"""Sends encoded messages to a queue or a topic, and repeats the entries that failed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Protocol, cast

from faststream_sqs.backoff import Backoff
from faststream_sqs.batching import split
from faststream_sqs.engine.calls import CALL_ERRORS, as_failure, failures_by_index, sqs_attributes
from faststream_sqs.errors import EntryFailure, PublishBatchError
from faststream_sqs.limits import MAX_SNS_BYTES, MAX_SQS_BYTES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from types_aiobotocore_sns.client import SNSClient
    from types_aiobotocore_sns.type_defs import MessageAttributeValueTypeDef
    from types_aiobotocore_sqs.client import SQSClient
    from types_aiobotocore_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

    from faststream_sqs.attributes import AttributeValue
    from faststream_sqs.batching import Outgoing

ATTEMPTS = 5
BETWEEN = Backoff(base=0.2, cap=3.0)
CONCURRENT_CALLS = 4


class Target(Protocol):
    """A queue or a topic."""

    name: str
    limit: int

    async def send(self, message: Outgoing) -> str:
        """Send one message and return its id."""

    async def send_batch(self, messages: Sequence[Outgoing]) -> tuple[dict[int, str], dict[int, EntryFailure]]:
        """Send up to ten messages; returns the ids and the failures by position in `messages`."""


class QueueTarget:
    """Sends to an SQS queue."""

    limit = MAX_SQS_BYTES

    def __init__(self, *, client: SQSClient, url: str, name: str) -> None:
        self._client = client
        self._url = url
        self.name = name

    async def send(self, message: Outgoing) -> str:
        """Send one message and return its id."""
        delay: dict[str, Any] = {} if message.delay is None else {"DelaySeconds": message.delay}
        sent = await self._client.send_message(
            QueueUrl=self._url, MessageBody=message.body, MessageAttributes=sqs_attributes(message.attributes), **delay
        )
        return sent["MessageId"]

    async def send_batch(self, messages: Sequence[Outgoing]) -> tuple[dict[int, str], dict[int, EntryFailure]]:
        """Send up to ten messages; returns the ids and the failures by position in `messages`."""
        response = await self._client.send_message_batch(
            QueueUrl=self._url,
            Entries=[_entry(position, message) for position, message in enumerate(messages)],
        )
        sent = {int(entry["Id"]): entry["MessageId"] for entry in response.get("Successful", [])}
        return sent, failures_by_index(response.get("Failed", []))


def _entry(position: int, message: Outgoing) -> SendMessageBatchRequestEntryTypeDef:
    entry: SendMessageBatchRequestEntryTypeDef = {
        "Id": str(position),
        "MessageBody": message.body,
        "MessageAttributes": sqs_attributes(message.attributes),
    }
    if message.delay is not None:
        entry["DelaySeconds"] = message.delay
    return entry


class TopicTarget:
    """Publishes to an SNS topic."""

    limit = MAX_SNS_BYTES

    def __init__(self, *, client: SNSClient, arn: str, name: str) -> None:
        self._client = client
        self._arn = arn
        self.name = name

    async def send(self, message: Outgoing) -> str:
        """Publish one message and return its id."""
        sent = await self._client.publish(
            TopicArn=self._arn, Message=message.body, MessageAttributes=_sns_attributes(message.attributes)
        )
        return sent["MessageId"]

    async def send_batch(self, messages: Sequence[Outgoing]) -> tuple[dict[int, str], dict[int, EntryFailure]]:
        """Publish up to ten messages; returns the ids and the failures by position in `messages`."""
        response = await self._client.publish_batch(
            TopicArn=self._arn,
            PublishBatchRequestEntries=[
                {"Id": str(position), "Message": message.body, "MessageAttributes": _sns_attributes(message.attributes)}
                for position, message in enumerate(messages)
            ],
        )
        sent = {int(entry["Id"]): entry["MessageId"] for entry in response.get("Successful", [])}
        return sent, failures_by_index(response.get("Failed", []))


def _sns_attributes(attributes: Mapping[str, AttributeValue]) -> dict[str, MessageAttributeValueTypeDef]:
    return cast("dict[str, MessageAttributeValueTypeDef]", dict(attributes))


async def send_all(target: Target, messages: Sequence[Outgoing]) -> dict[int, str]:
    """Send any number of messages and return their ids by index.

    Entries that fail through no fault of theirs are sent again, with backoff, up to five times in all.

    Raises:
        PublishBatchError: Some could not be sent; it names them and gives the ids of the others.
    """
    sent: dict[int, str] = {}
    failed: dict[int, EntryFailure] = {}
    pending = list(messages)
    for attempt in range(1, ATTEMPTS + 1):
        repeat = await _send_once(target, pending, sent=sent, failed=failed)
        if not repeat:
            break
        if attempt < ATTEMPTS:
            await asyncio.sleep(BETWEEN.delay(attempt))
        pending = repeat
    if missing := {m.index: failed[m.index] for m in messages if m.index not in sent}:
        raise PublishBatchError(target.name, failures=missing, sent=sent)
    return sent


async def _send_once(
    target: Target, messages: Sequence[Outgoing], *, sent: dict[int, str], failed: dict[int, EntryFailure]
) -> list[Outgoing]:
    """One round; returns the messages worth another."""
    calls = asyncio.Semaphore(CONCURRENT_CALLS)

    async def send_group(group: list[Outgoing]) -> list[Outgoing]:
        try:
            async with calls:
                ids, failures = await target.send_batch(group)
        except CALL_ERRORS as error:
            ids, failures = {}, dict.fromkeys(range(len(group)), as_failure(error))
        repeat = []
        for position, message in enumerate(group):
            if position in ids:
                sent[message.index] = ids[position]
                continue
            failure = failures.get(position, _UNANSWERED)
            failed[message.index] = failure
            if not failure.sender_fault:
                repeat.append(message)
        return repeat

    rounds = await asyncio.gather(*(send_group(group) for group in split(messages, limit=target.limit)))
    return [message for group in rounds for message in group]


_UNANSWERED = EntryFailure(code="Unanswered", message="the response does not mention the entry", sender_fault=False)
