"""The batch requests of SQS, each answering with the entries that failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from faststream_sqs.errors import EntryFailure

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from types_aiobotocore_sqs.client import SQSClient
    from types_aiobotocore_sqs.type_defs import BatchResultErrorEntryTypeDef, MessageAttributeValueTypeDef

    from faststream_sqs.attributes import AttributeValue
    from faststream_sqs.received import Received

CALL_ERRORS = (BotoCoreError, ClientError, ResponseParserError, OSError, TimeoutError)
"""What a call raises when the request as a whole fails."""

_THROTTLED = frozenset(
    {"Throttling", "ThrottlingException", "ThrottledException", "RequestThrottled", "TooManyRequestsException"}
    | {"RequestThrottledException", "SlowDown", "OverLimit", "KmsThrottled", "KMSThrottling"}
)


def is_transient(error: BaseException) -> bool:
    """Whether the same request may succeed later: no answer, a server's fault or throttling."""
    if not isinstance(error, ClientError):
        return isinstance(error, CALL_ERRORS)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return status >= 500 or error_code(error) in _THROTTLED


def error_code(error: ClientError) -> str:
    """The AWS error code, without the prefix the query protocol put before it."""
    return str(error.response.get("Error", {}).get("Code", "")).rpartition(".")[2]


def as_failure(error: BaseException) -> EntryFailure:
    """The failure every entry of a request shares when the request itself failed."""
    code = error_code(error) if isinstance(error, ClientError) else type(error).__name__
    return EntryFailure(code=code, message=str(error), sender_fault=not is_transient(error))


def failures_by_index(failed: Iterable[BatchResultErrorEntryTypeDef]) -> dict[int, EntryFailure]:
    """The `Failed` part of a batch response, by entry id (which this library sets to the index)."""
    return {
        int(entry["Id"]): EntryFailure(
            code=entry.get("Code", "").rpartition(".")[2],
            message=entry.get("Message", ""),
            sender_fault=bool(entry.get("SenderFault", False)),
        )
        for entry in failed
    }


def sqs_attributes(attributes: Mapping[str, AttributeValue]) -> dict[str, MessageAttributeValueTypeDef]:
    """The same attributes under the name the SQS stubs give them."""
    return cast("dict[str, MessageAttributeValueTypeDef]", dict(attributes))


async def delete_batch(client: SQSClient, *, url: str, messages: Sequence[Received]) -> dict[int, EntryFailure]:
    """Delete up to ten messages; returns the failures by index."""
    response = await client.delete_message_batch(
        QueueUrl=url,
        Entries=[{"Id": str(i), "ReceiptHandle": m.receipt_handle} for i, m in enumerate(messages)],
    )
    return failures_by_index(response.get("Failed", []))


async def change_visibility_batch(
    client: SQSClient, *, url: str, changes: Sequence[tuple[Received, int]]
) -> dict[int, EntryFailure]:
    """Set the visibility of up to ten messages, in seconds from now; returns the failures by index."""
    response = await client.change_message_visibility_batch(
        QueueUrl=url,
        Entries=[
            {"Id": str(i), "ReceiptHandle": m.receipt_handle, "VisibilityTimeout": seconds}
            for i, (m, seconds) in enumerate(changes)
        ],
    )
    return failures_by_index(response.get("Failed", []))


async def send_batch(
    client: SQSClient, *, url: str, letters: Sequence[tuple[str, Mapping[str, AttributeValue]]]
) -> dict[int, EntryFailure]:
    """Send up to ten bodies with their attributes; returns the failures by index."""
    response = await client.send_message_batch(
        QueueUrl=url,
        Entries=[
            {"Id": str(i), "MessageBody": body, "MessageAttributes": sqs_attributes(attributes)}
            for i, (body, attributes) in enumerate(letters)
        ],
    )
    return failures_by_index(response.get("Failed", []))
