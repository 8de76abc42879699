"""Which rows of a commit are in the lake already, or twice in the commit itself.

Only suspects are compared: readings that MQTT marked as redelivered, and readings that fall where marked ones were
appended before. SQS keeps no order, so a marked copy may come before its original.
"""

from collections.abc import Collection

import numpy as np

from sensorcast_archiver.lake.rows import Mask, RowKey, Rows


def repeats(rows: Rows, suspects: Mask) -> Mask:
    """Which suspects equal another row of the same commit; of equal ones an unmarked row stays, else the first."""
    dropped = np.zeros(len(rows), dtype=np.bool_)
    if not suspects.any():
        return dropped
    like_suspects = np.flatnonzero(np.isin(rows.ts, rows.ts[suspects]))
    marked = rows.redelivered
    seen: set[RowKey] = set()
    for row in like_suspects[np.argsort(marked[like_suspects], kind="stable")]:
        key = rows.key(int(row))
        if key in seen and suspects[row]:
            dropped[row] = True
        seen.add(key)
    return dropped


def present(rows: Rows, suspects: Mask, stored: Collection[RowKey]) -> Mask:
    """Which suspects are among the rows found in the lake."""
    dropped = np.zeros(len(rows), dtype=np.bool_)
    if stored:
        for row in np.flatnonzero(suspects):
            dropped[row] = rows.key(int(row)) in stored
    return dropped
