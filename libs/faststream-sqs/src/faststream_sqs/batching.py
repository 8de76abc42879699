"""Splits messages into batch requests that respect the limits of SQS and SNS."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from faststream_sqs.attributes import AttributeValue, attributes_size
from faststream_sqs.errors import InvalidMessageError
from faststream_sqs.limits import MAX_ENTRIES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


@dataclass(slots=True, kw_only=True)
class Outgoing:
    """One encoded message.

    Attributes:
        index: Its place among the bodies as they were passed.
        body: Text.
        attributes: Message attributes.
        delay: Seconds until a queue shows it.
        size: Bytes that count toward the limits.
    """

    index: int
    body: str
    attributes: dict[str, AttributeValue]
    delay: int | None = None
    size: int = field(init=False)

    def __post_init__(self) -> None:
        self.size = len(self.body.encode()) + attributes_size(self.attributes)


def check_size(messages: Iterable[Outgoing], *, limit: int) -> None:
    """Make sure that each message can be sent at all.

    Raises:
        InvalidMessageError: One is larger than `limit` bytes.
    """
    for message in messages:
        if message.size > limit:
            raise InvalidMessageError(
                f"message {message.index}: {message.size} bytes with its attributes, at most {limit} can be sent"
            )


def split(messages: Iterable[Outgoing], *, limit: int) -> Iterator[list[Outgoing]]:
    """Groups, in order, of at most ten messages and `limit` bytes."""
    group: list[Outgoing] = []
    size = 0
    for message in messages:
        if group and (len(group) == MAX_ENTRIES or size + message.size > limit):
            yield group
            group, size = [], 0
        group.append(message)
        size += message.size
    if group:
        yield group
