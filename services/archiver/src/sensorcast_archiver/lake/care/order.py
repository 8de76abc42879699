"""Sorts readings as the lake is sorted, and keeps one of those that have the same series and time."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

KEY: Final = ("tenant", "device", "metric", "ts")
"""What makes two rows the same; also the order of the table."""


class Ordered(NamedTuple):
    """Sorted rows.

    Attributes:
        rows: By `KEY`, each key once.
        dropped: Rows that had the key of another.
    """

    rows: pa.Table
    dropped: int


def ordered(rows: pa.Table) -> Ordered:
    """Sort rows; of several with one key the one received last stays, as in the hot store.

    Columns that are unknown here travel with their rows.
    """
    columns: list[NDArray[np.int64]] = [_ranks(rows.column(name)) for name in KEY[:3]]
    ts = _integers(rows.column("ts"))
    value = rows.column("value").to_numpy()
    order = np.lexsort((value, _integers(rows.column("received_at")), ts, *reversed(columns)))
    last = np.ones(len(order), dtype=np.bool_)
    if len(order) > 1:
        same = np.ones(len(order) - 1, dtype=np.bool_)
        for column in (*columns, ts):
            there = column[order]
            same &= there[1:] == there[:-1]
        last[:-1] = ~same
    kept = order[last]
    return Ordered(rows.take(pa.array(kept)), len(order) - len(kept))


def groups(counts: Sequence[tuple[tuple[str, str], int]], *, rows: int) -> list[list[tuple[str, str]]]:
    """Cut devices, in their order, into groups of one tenant and at most so many rows; a larger device by itself.

    Args:
        counts: Tenant and device, ascending, and how many rows each has.
        rows: Rows of a group.
    """
    found: list[list[tuple[str, str]]] = []
    size = 0
    for key, count in counts:
        if not found or found[-1][-1][0] != key[0] or size + count > rows:
            found.append([])
            size = 0
        found[-1].append(key)
        size += count
    return found


def _integers(column: pa.ChunkedArray) -> NDArray[np.int64]:
    integers: NDArray[np.int64] = column.cast(pa.int64()).to_numpy()
    return integers


def _ranks(column: pa.ChunkedArray) -> NDArray[np.int64]:
    """The place of each text among the distinct ones."""
    encoded = column.cast(pa.string()).combine_chunks().dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    texts = np.array(encoded.dictionary.to_pylist(), dtype=object)
    ranks = np.empty(len(texts), dtype=np.int64)
    ranks[np.argsort(texts)] = np.arange(len(texts))
    places: NDArray[np.int64] = ranks[encoded.indices.to_numpy()]
    return places
