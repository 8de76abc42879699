"""Appends batches to the lake exactly once, beside other writers and across crashes.

One commit is one Iceberg snapshot: its data files and its receipt (the ids of its batches) become visible together or
not at all. Whoever commits has seen all receipts of the snapshot it builds on, and the catalog refuses the commit if
another snapshot came between (the requirement assert-ref-snapshot-id of the Iceberg REST catalog), so no batch can be
added twice. After an answer that tells nothing, the receipts tell whether the commit took place.
"""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np
from pyiceberg.exceptions import CommitFailedException, CommitStateUnknownException
from pyiceberg.manifest import DataFile
from pyiceberg.table import Table, TableProperties

from sensorcast_archiver.lake.dedupe import present, repeats
from sensorcast_archiver.lake.ledger import Ledger, leave
from sensorcast_archiver.lake.lookup import stored
from sensorcast_archiver.lake.parquet import write_files
from sensorcast_archiver.lake.receipt import inside, receipt_of, recorded
from sensorcast_archiver.lake.rows import Rows
from sensorcast_common import logs
from sensorcast_common.clock import system_clock
from sensorcast_common.errors import Retryable

log = logs.logger(__name__)

DEFAULT_LOOKBACK_MS: Final = 24 * 3600 * 1000

_ATTEMPTS: Final = 10
_FIRST_WAIT: Final = 0.1
_LONGEST_WAIT: Final = 5.0


class LakeBatch(NamedTuple):
    """A batch on its way into the lake.

    Attributes:
        batch_id: UUID.
        created_at: When it was made, in milliseconds since 1970 UTC.
        rows: Its readings.
    """

    batch_id: str
    created_at: int
    rows: Rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed:
    """What became of the batches of one call.

    Attributes:
        rows: Rows added.
        files: Data files added.
        bytes: Their size.
        skipped_batches: Batches that the lake had already.
        duplicate_rows: Rows of other batches that the lake had already.
        conflicts: How often another writer came first.
    """

    rows: int = 0
    files: int = 0
    bytes: int = 0
    skipped_batches: int = 0
    duplicate_rows: int = 0
    conflicts: int = 0


class _Plan(NamedTuple):
    """What one attempt appends; the next one takes over the files if that has not changed."""

    batch_ids: frozenset[str]
    kept: bytes
    form: tuple[int, int]
    summary: dict[str, str]
    files: list[DataFile]
    outcome: Committed


class LakeWriter:
    """Commits batches to one table. Its calls block; one thread at a time.

    Args:
        table: The lake table.
        lookback_ms: How long a batch id is remembered.
        clock: Milliseconds since 1970 UTC.
        sleep: Waits between two attempts.
    """

    def __init__(
        self,
        table: Table,
        *,
        lookback_ms: int = DEFAULT_LOOKBACK_MS,
        clock: Callable[[], int] = system_clock,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._table = table
        self._ledger = Ledger(lookback_ms=lookback_ms, clock=clock)
        self._sleep = sleep

    def commit(self, batches: Sequence[LakeBatch]) -> Committed:
        """Add batches; those that the lake has already are skipped.

        Raises:
            Retryable: Other writers came first too often, or the catalog does not say what became of the commit. Call
                again with the same batches: what was added is recognised.
        """
        plan: _Plan | None = None
        conflicts = 0
        for attempt in range(_ATTEMPTS):
            if attempt:
                self._sleep(random.uniform(0.5, 1) * min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** (attempt - 1)))  # noqa: S311
            self._table.refresh()
            plan = self._plan(batches, plan)
            if not plan.files:
                return replace(plan.outcome, conflicts=conflicts)
            try:
                self._append(plan)
            except CommitFailedException as error:
                conflicts += 1
                log.info("lake commit lost against another writer", attempt=attempt + 1, reason=str(error))
            except CommitStateUnknownException as error:
                log.warning("lake commit in doubt; the snapshots will tell", reason=str(error))
            else:
                return replace(plan.outcome, conflicts=conflicts)
        raise Retryable(f"lake commit: no success in {_ATTEMPTS} attempts, {conflicts} lost against other writers")

    def _plan(self, batches: Sequence[LakeBatch], before: _Plan | None) -> _Plan:
        """Leave out what the lake has, and upload the rest."""
        by_id = {batch.batch_id: batch for batch in batches}
        receipts = self._ledger.receipts(self._table, since=min(batch.created_at for batch in batches))
        done = recorded(by_id, receipts)
        fresh = [batch for batch_id, batch in by_id.items() if batch_id not in done]
        rows = Rows.joined([batch.rows for batch in fresh])
        suspects = rows.redelivered | inside(rows, receipts)
        dropped = repeats(rows, suspects)
        dropped |= present(rows, suspects & ~dropped, stored(self._table, rows.take(suspects & ~dropped)))
        batch_ids = frozenset(batch.batch_id for batch in fresh)
        kept = np.packbits(~dropped).tobytes()
        form = (self._table.metadata.default_spec_id, self._table.metadata.current_schema_id)
        if before is not None and (before.batch_ids, before.kept, before.form) == (batch_ids, kept, form):
            return before
        if before is not None and not before.batch_ids <= done:
            self._discard(before)
        added = rows.take(~dropped)
        files = list(write_files(self._table, added))
        outcome = Committed(
            rows=len(added),
            files=len(files),
            bytes=sum(file.file_size_in_bytes for file in files),
            skipped_batches=len(done),
            duplicate_rows=int(dropped.sum()),
        )
        summary = leave(self._table, receipt_of(batch_ids, added)) if files else {}
        return _Plan(batch_ids, kept, form, summary, files, outcome)

    def _append(self, plan: _Plan) -> None:
        transaction = without_blind_retries(self._table).transaction()
        with transaction.update_snapshot(snapshot_properties=plan.summary).merge_append() as append:
            for file in plan.files:
                append.append_data_file(file)
        transaction.commit_transaction()

    def _discard(self, plan: _Plan) -> None:
        """Delete files that no commit refers to.

        Every attempt with them was refused, or is in doubt and can no longer take place: its batches are not recorded,
        and the snapshot it would build on is no longer the newest.
        """
        for file in plan.files:
            try:
                self._table.io.delete(file.file_path)
            except OSError as error:
                log.warning("an unused file stays in the lake's bucket", path=file.file_path, reason=str(error))


def without_blind_retries(table: Table) -> Table:
    """The same table, with pyiceberg's own retries off.

    They would put the same files on top of another writer's snapshot without a look at its receipt.
    """
    properties = {**table.metadata.properties, TableProperties.COMMIT_NUM_RETRIES: "0"}
    return Table(
        identifier=table.name(),
        metadata=table.metadata.model_copy(update={"properties": properties}),
        metadata_location=table.metadata_location,
        io=table.io,
        catalog=table.catalog,
        config=table.config,
    )
