"""Reads the receipts that commits left in the table's snapshots, each once."""

import uuid
from collections.abc import Callable
from typing import Final

from pyiceberg.table import Table
from pyiceberg.table.snapshots import Snapshot

from sensorcast_archiver.lake.receipt import Receipt

INLINE_KEY: Final = "sensorcast.batches"
"""Summary property that holds a short receipt."""

FILE_KEY: Final = "sensorcast.batches-file"
"""Summary property that names the file which holds a long one: a table's metadata is read and written as a whole with
every commit, so thousands of batch ids must not lie in it for days."""

INLINE_BYTES: Final = 512
SKEW_MS: Final = 15 * 60 * 1000
"""How far the clocks of producers and archivers may be apart."""


class Ledger:
    """The receipts of recent snapshots.

    Args:
        lookback_ms: How old a snapshot may be to count; a batch that is redelivered later is not recognised.
        clock: Milliseconds since 1970 UTC.
    """

    def __init__(self, *, lookback_ms: int, clock: Callable[[], int]) -> None:
        self._lookback = lookback_ms
        self._clock = clock
        self._known: dict[int, Receipt] = {}

    def receipts(self, table: Table, *, since: int) -> list[Receipt]:
        """The receipts of snapshots in which a batch that was made at `since` may be listed.

        Args:
            table: The table, refreshed.
            since: When the oldest batch in question was made, in milliseconds since 1970 UTC: no snapshot before that
                lists it, so older receipts are not even fetched.

        Raises:
            ValueError: A receipt is of an unknown version.
            OSError: A receipt's file cannot be read.
        """
        now = self._clock()
        horizon = max(min(since, now) - SKEW_MS, now - self._lookback)
        recent = [snapshot for snapshot in table.metadata.snapshots if snapshot.timestamp_ms >= horizon]
        alive = {snapshot.snapshot_id for snapshot in table.metadata.snapshots}
        self._known = {snapshot_id: kept for snapshot_id, kept in self._known.items() if snapshot_id in alive}
        found: list[Receipt] = []
        for snapshot in recent:
            receipt = self._known.get(snapshot.snapshot_id) or _read(table, snapshot)
            if receipt is not None:
                self._known[snapshot.snapshot_id] = receipt
                found.append(receipt)
        return found


def leave(table: Table, receipt: Receipt) -> dict[str, str]:
    """Summary properties for a commit; a long receipt is uploaded first."""
    text = receipt.text()
    if len(text) <= INLINE_BYTES:
        return {INLINE_KEY: text}
    path = table.location_provider().new_metadata_location(f"batches-{uuid.uuid4()}.json")
    with table.io.new_output(path).create() as sink:
        sink.write(text.encode())
    return {FILE_KEY: path}


def _read(table: Table, snapshot: Snapshot) -> Receipt | None:
    """The receipt of a snapshot; `None` where others made it, as compaction does."""
    if snapshot.summary is None:
        return None
    inline = snapshot.summary.get(INLINE_KEY)
    if inline is not None:
        return Receipt.parse(inline)
    path = snapshot.summary.get(FILE_KEY)
    if path is None:
        return None
    with table.io.new_input(path).open() as source:
        return Receipt.parse(source.read())
