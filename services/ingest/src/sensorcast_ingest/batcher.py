"""Decides which readings travel together: as many as fill a message, or as many as came within the linger."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from sensorcast_common.reading import Reading
from sensorcast_ingest.receipt import Receipt

MAX_READINGS: Final = 20_000
"""Readings of one batch, however small they compress: to encode more would keep the event loop too long."""

_FIRST_GUESS: Final = 16.0
_FULL_SHARE: Final = 0.95
_WEIGHT: Final = 0.3


@dataclass(slots=True)
class Draft:
    """Readings that will travel together.

    Attributes:
        closes_at: When the first of them has waited for long enough.
        readings: In the order of receipt.
        receipts: To be released once the readings are safe; each was held once for every mention.
    """

    closes_at: float
    readings: list[Reading] = field(default_factory=list)
    receipts: list[Receipt] = field(default_factory=list)


class Batcher:
    """Collects readings; what size their text has is learned from the batches before.

    Args:
        target_bytes: Bytes of text to fill toward.
        linger: Seconds the first reading of a batch waits at most.
    """

    def __init__(self, *, target_bytes: int, linger: float) -> None:
        self._target_bytes = target_bytes
        self._linger = linger
        self._bytes_per_reading = _FIRST_GUESS
        self._open: Draft | None = None

    @property
    def capacity(self) -> int:
        """How many readings are expected to fill a message."""
        return max(1, min(MAX_READINGS, int(self._target_bytes * _FULL_SHARE / self._bytes_per_reading)))

    @property
    def closes_at(self) -> float | None:
        """When the open batch is due; `None` while nothing waits."""
        return None if self._open is None else self._open.closes_at

    def add(self, readings: Sequence[Reading], receipt: Receipt, *, now: float) -> list[Draft]:
        """Take readings in; returns the batches that are full with them."""
        full: list[Draft] = []
        at = 0
        while at < len(readings):
            draft = self._open = self._open or Draft(closes_at=now + self._linger)
            room = max(1, self.capacity - len(draft.readings))
            draft.readings += readings[at : at + room]
            receipt.hold()
            draft.receipts.append(receipt)
            at += room
            if len(draft.readings) >= self.capacity:
                full.append(draft)
                self._open = None
        return full

    def due(self, *, now: float) -> Draft | None:
        """The open batch, if it has waited for long enough."""
        return self.flush() if self._open is not None and now >= self._open.closes_at else None

    def flush(self) -> Draft | None:
        """The open batch, if there is one."""
        draft, self._open = self._open, None
        return draft

    def learn(self, *, readings: int, size: int) -> None:
        """Take note of the text's size of a batch; one that was nearly full teaches the most."""
        weight = _WEIGHT * min(1.0, readings / self.capacity)
        self._bytes_per_reading += weight * (size / readings - self._bytes_per_reading)
