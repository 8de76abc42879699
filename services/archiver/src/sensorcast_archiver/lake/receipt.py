"""What a commit leaves behind in its snapshot, so that nobody commits the same again."""

import base64
import binascii
import json
import uuid
from collections.abc import Collection, Iterable, Iterator
from typing import Final, NamedTuple, TypedDict, cast

import numpy as np

from sensorcast_archiver.lake.rows import Mask, Rows

ID_BYTES: Final = 16
_VERSION: Final = 1


class Span(NamedTuple):
    """A device's range of times in which a commit appended readings that were marked as redelivered.

    Attributes:
        tenant: Whose device.
        device: The device.
        first: First time, in milliseconds since 1970 UTC.
        last: Last time, included.
    """

    tenant: str
    device: str
    first: int
    last: int


class Receipt(NamedTuple):
    """What one commit added.

    Attributes:
        batch_ids: The batches, as UUIDs of 16 bytes one after the other, ascending.
        redelivered: Where marked readings were appended whose unmarked original may still arrive.
    """

    batch_ids: bytes
    redelivered: tuple[Span, ...] = ()

    def __contains__(self, batch_id: object) -> bool:
        return batch_id in set(self.ids())

    def ids(self) -> Iterator[bytes]:
        """The batch ids, 16 bytes each."""
        return (self.batch_ids[at : at + ID_BYTES] for at in range(0, len(self.batch_ids), ID_BYTES))

    def text(self) -> str:
        """Compact JSON."""
        content = _Json(
            v=_VERSION,
            ids=base64.b64encode(self.batch_ids).decode("ascii"),
            redelivered=[[span.tenant, span.device, span.first, span.last] for span in self.redelivered],
        )
        return json.dumps(content, separators=(",", ":"))

    @classmethod
    def parse(cls, text: str | bytes) -> "Receipt":
        """Read a receipt.

        Raises:
            ValueError: It is not one, or of an unknown version. To go on without it could double its batches.
        """
        try:
            content = cast("_Json", json.loads(text))
            version = content["v"]
            spans = tuple(Span(str(t), str(d), int(a), int(b)) for t, d, a, b in content["redelivered"])
            ids = base64.b64decode(content["ids"], validate=True)
        except (KeyError, TypeError, ValueError, binascii.Error) as error:
            raise ValueError(f"receipt of a snapshot: {error}") from error
        if version != _VERSION:
            raise ValueError(f"receipt of a snapshot: version {version} is unknown here, known: {_VERSION}")
        return cls(ids, spans)


class _Json(TypedDict):
    v: int
    ids: str
    redelivered: list[list[str | int]]


def receipt_of(batch_ids: Iterable[str], rows: Rows) -> Receipt:
    """The receipt of a commit that appends `rows` of these batches."""
    packed = b"".join(sorted(uuid.UUID(batch_id).bytes for batch_id in batch_ids))
    marked = rows.take(rows.redelivered)
    spans: dict[tuple[str, str], tuple[int, int]] = {}
    for place in np.unique(marked.index):
        series = marked.series[int(place)]
        times = marked.ts[marked.index == place]
        first, last = spans.get(series[:2], (int(times[0]), int(times[0])))
        spans[series[:2]] = (min(first, int(times.min())), max(last, int(times.max())))
    return Receipt(packed, tuple(Span(*device, *times) for device, times in sorted(spans.items())))


def recorded(batch_ids: Collection[str], receipts: Iterable[Receipt]) -> set[str]:
    """Those of `batch_ids` that some receipt lists."""
    wanted = {uuid.UUID(batch_id).bytes: batch_id for batch_id in batch_ids}
    return {wanted[one] for receipt in receipts for one in receipt.ids() if one in wanted}


def inside(rows: Rows, receipts: Iterable[Receipt]) -> Mask:
    """Which rows fall into a span in which marked readings were appended."""
    spans: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for receipt in receipts:
        for span in receipt.redelivered:
            spans.setdefault((span.tenant, span.device), []).append((span.first, span.last))
    found = np.zeros(len(rows), dtype=np.bool_)
    for place, series in enumerate(rows.series):
        for first, last in spans.get(series[:2], ()):
            found |= (rows.index == place) & (rows.ts >= first) & (rows.ts <= last)
    return found
