"""Finds a queue by name, URL or ARN, and the dead-letter queue its redrive policy names."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from faststream_sqs.errors import QueueNotFoundError

if TYPE_CHECKING:
    from types_aiobotocore_sqs.client import SQSClient

_MISSING = ("QueueDoesNotExist", "NonExistentQueue")


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue that exists.

    Attributes:
        name: What the subscriber or publisher calls it.
        url: Its URL.
        dead_letter_url: URL of its dead-letter queue, if it has one.
    """

    name: str
    url: str
    dead_letter_url: str | None = None


def queue_name(queue: str) -> str:
    """The bare name in a queue's name, URL or ARN."""
    if queue.startswith("arn:"):
        return queue.rpartition(":")[2]
    return queue.rstrip("/").rpartition("/")[2]


async def find_url(client: SQSClient, queue: str) -> str:
    """The URL of a queue.

    Args:
        client: An SQS client.
        queue: Name, ARN or URL; a URL is taken as it is.

    Raises:
        QueueNotFoundError: There is no such queue.
    """
    if queue.startswith(("http://", "https://")):
        return queue
    if not queue:
        raise ValueError("queue: expected a name, an ARN or a URL, got an empty string")
    try:
        if queue.startswith("arn:"):
            account, name = queue.split(":")[4:6]
            found = await client.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account)
        else:
            found = await client.get_queue_url(QueueName=queue)
    except ClientError as error:
        if _is_missing(error):
            raise QueueNotFoundError(queue, region=client.meta.region_name) from error
        raise
    return found["QueueUrl"]


async def find_queue(client: SQSClient, queue: str, *, dead_letter_queue: str | None = None) -> Queue:
    """The queue and its dead-letter queue.

    Args:
        client: An SQS client.
        queue: Name, ARN or URL.
        dead_letter_queue: Name, ARN or URL; `None` asks the queue's redrive policy.

    Raises:
        QueueNotFoundError: The queue, or the dead-letter queue it names, does not exist.
    """
    url = await find_url(client, queue)
    try:
        found = await client.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"])
    except ClientError as error:
        if _is_missing(error):
            raise QueueNotFoundError(queue, region=client.meta.region_name) from error
        raise
    if dead_letter_queue is None and (policy := found.get("Attributes", {}).get("RedrivePolicy")):
        dead_letter_queue = str(json.loads(policy)["deadLetterTargetArn"])
    return Queue(
        name=queue_name(queue),
        url=url,
        dead_letter_url=None if dead_letter_queue is None else await find_url(client, dead_letter_queue),
    )


def _is_missing(error: ClientError) -> bool:
    return str(error.response.get("Error", {}).get("Code", "")).endswith(_MISSING)
