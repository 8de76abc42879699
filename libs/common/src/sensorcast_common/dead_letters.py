"""What was set aside: count it, look at it, send it back to its queue."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from faststream_sqs.attributes import DEAD_LETTER_REASON, DEAD_LETTER_SOURCE
from sensorcast_common.names import Names

if TYPE_CHECKING:
    from types_aiobotocore_sqs import SQSClient
    from types_aiobotocore_sqs.type_defs import (
        MessageAttributeValueTypeDef,
        MessageTypeDef,
        SendMessageBatchRequestEntryTypeDef,
    )

_AT_ONCE: Final = 10
_HELD_SECONDS: Final = 60
"""For so long nobody else sees what is being shown or sent back."""

_EMPTY_POLLS: Final = 2
"""A short poll may miss messages that are there; so many in a row are believed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A message that was set aside.

    Attributes:
        message_id: SQS's name of it.
        reason: Why, if a service set it aside; `None` if SQS did after too many receives.
        sent_at: When it came into the dead-letter queue, or was first sent where SQS moved it; UTC.
        receive_count: How often it has been received there.
        body: Its text.
    """

    message_id: str
    reason: str | None
    sent_at: datetime
    receive_count: int
    body: str


class DeadLetters:
    """The dead-letter queues of a stack.

    Args:
        sqs: A client with an operator's permissions.
        names: Names of the stack.
    """

    def __init__(self, sqs: "SQSClient", names: Names) -> None:
        self._sqs = sqs
        self._names = names

    async def counts(self) -> dict[str, int]:
        """How many messages wait for each working queue, by its name; the inbox is left out where there is none."""
        found = {}
        for queue in (*self._names.queues, self._names.queue_inbox):
            try:
                url = await self._url(self._names.dead_letter(queue))
            except QueueMissing:
                if queue == self._names.queue_inbox:
                    continue
                raise
            answer = await self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
            found[queue] = int(answer["Attributes"]["ApproximateNumberOfMessages"])
        return found

    async def show(self, queue: str, *, limit: int) -> list[DeadLetter]:
        """Up to `limit` messages set aside from `queue`; they stay where they are.

        Raises:
            QueueMissing: The stack has no such queue.
        """
        url = await self._url(self._names.dead_letter(queue))
        shown: list[DeadLetter] = []
        handles: list[str] = []
        async for messages in self._receive(url, limit):
            shown += [_dead_letter(message) for message in messages]
            handles += [message["ReceiptHandle"] for message in messages]
        for handle in handles:
            await self._sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=0)
        return shown

    async def redrive(self, queue: str, *, limit: int) -> int:
        """Send up to `limit` messages back to `queue`, without the marks of their setting aside; returns how many.

        A message is deleted only once the queue has accepted it, so that an interruption repeats a message and loses
        none; every consumer bears repetition.

        Raises:
            QueueMissing: The stack has no such queue.
            NotAccepted: The queue refused a message; it stays where it was.
        """
        source, target = await self._url(self._names.dead_letter(queue)), await self._url(queue)
        moved = 0
        async for messages in self._receive(source, limit):
            entries: list[SendMessageBatchRequestEntryTypeDef] = [
                {
                    "Id": str(index),
                    "MessageBody": message["Body"],
                    "MessageAttributes": _unmarked(message),
                }
                for index, message in enumerate(messages)
            ]
            # One by one where ten together would be too long for a request.
            groups = (
                [entries] if sum(len(entry["MessageBody"]) for entry in entries) < 200_000 else [[e] for e in entries]
            )
            for group in groups:
                answer = await self._sqs.send_message_batch(QueueUrl=target, Entries=group)
                for sent in answer.get("Successful", []):
                    handle = messages[int(sent["Id"])]["ReceiptHandle"]
                    await self._sqs.delete_message(QueueUrl=source, ReceiptHandle=handle)
                    moved += 1
                for failed in answer.get("Failed", []):
                    message = messages[int(failed["Id"])]
                    raise NotAccepted(f"{queue}: {message['MessageId']}: {failed.get('Message', failed['Code'])}")
        return moved

    async def _receive(self, url: str, limit: int) -> AsyncIterator[Sequence["MessageTypeDef"]]:
        left, empty = limit, 0
        while left > 0 and empty < _EMPTY_POLLS:
            answer = await self._sqs.receive_message(
                QueueUrl=url,
                MaxNumberOfMessages=min(_AT_ONCE, left),
                VisibilityTimeout=_HELD_SECONDS,
                WaitTimeSeconds=1,
                MessageAttributeNames=["All"],
                MessageSystemAttributeNames=["SentTimestamp", "ApproximateReceiveCount"],
            )
            messages = answer.get("Messages", [])
            empty = 0 if messages else empty + 1
            left -= len(messages)
            if messages:
                yield messages

    async def _url(self, queue: str) -> str:
        try:
            return (await self._sqs.get_queue_url(QueueName=queue))["QueueUrl"]
        except ClientError as error:
            if "NonExistentQueue" in error.response["Error"]["Code"]:
                raise QueueMissing(queue) from error
            raise


class QueueMissing(Exception):  # noqa: N818 - names what is wrong
    """There is no queue of this name."""

    def __init__(self, queue: str) -> None:
        super().__init__(f"there is no queue {queue}")


class NotAccepted(Exception):  # noqa: N818 - names what happened
    """A queue refused a message; the text names both, with the reason."""


def _dead_letter(message: "MessageTypeDef") -> DeadLetter:
    system = message.get("Attributes", {})
    reason = message.get("MessageAttributes", {}).get(DEAD_LETTER_REASON)
    return DeadLetter(
        message_id=message["MessageId"],
        reason=reason["StringValue"] if reason is not None else None,
        sent_at=datetime.fromtimestamp(int(system["SentTimestamp"]) / 1000, UTC),
        receive_count=int(system["ApproximateReceiveCount"]),
        body=message["Body"],
    )


def _unmarked(message: "MessageTypeDef") -> dict[str, "MessageAttributeValueTypeDef"]:
    kept: dict[str, MessageAttributeValueTypeDef] = {}
    for name, value in message.get("MessageAttributes", {}).items():
        if name in (DEAD_LETTER_REASON, DEAD_LETTER_SOURCE):
            continue
        kept[name] = {"DataType": value["DataType"]}
        if "StringValue" in value:
            kept[name]["StringValue"] = value["StringValue"]
        if "BinaryValue" in value:
            kept[name]["BinaryValue"] = value["BinaryValue"]
    return kept
