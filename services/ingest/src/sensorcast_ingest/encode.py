"""Readings to the text of messages, none longer than allowed."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from sensorcast_common.batch import ReadingBatch
from sensorcast_common.reading import Reading


class Encoded(NamedTuple):
    """A batch as it is sent.

    Attributes:
        batch_id: Its identity.
        text: The message; ASCII, so that characters are bytes.
        readings: How many it holds.
    """

    batch_id: str
    text: str
    readings: int


def encode(readings: Sequence[Reading], *, created_at: int, limit: int, new_id: Callable[[], str]) -> list[Encoded]:
    """One message, or several where one would be too long.

    Args:
        readings: At least one.
        created_at: In milliseconds since 1970 UTC.
        limit: Bytes of a message; a single reading is sent whatever its size, which is far below every limit.
        new_id: Makes batch ids.
    """
    batch = ReadingBatch(batch_id=new_id(), created_at=created_at, readings=readings)
    text = batch.encode()
    if len(text) <= limit or len(readings) == 1:
        return [Encoded(batch.batch_id, text, len(readings))]
    middle = len(readings) // 2
    return [
        part
        for half in (readings[:middle], readings[middle:])
        for part in encode(half, created_at=created_at, limit=limit, new_id=new_id)
    ]
