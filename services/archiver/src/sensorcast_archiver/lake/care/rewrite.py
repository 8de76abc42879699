"""Writes the rows of one day anew: sorted, each once, in files of the wanted size, in bounded memory."""

import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.expressions import And, BooleanExpression, EqualTo, GreaterThanOrEqual, In, LessThan
from pyiceberg.io.pyarrow import parquet_file_to_data_file, schema_to_pyarrow
from pyiceberg.manifest import DataFile
from pyiceberg.table import Table

from sensorcast_archiver.lake.care.order import groups, ordered
from sensorcast_archiver.lake.parquet import COMPACTED_LEVEL, packing_writer
from sensorcast_archiver.lake.rows import DAY_MS
from sensorcast_common.clock import from_millis

TARGET_BYTES: Final = 128 * 1024 * 1024
GROUP_ROWS: Final = 1_000_000
"""Rows that are sorted at a time, and of one row group of Parquet."""

Select = Callable[[pa.Table], pa.Table]


@dataclass(frozen=True, slots=True)
class Day:
    """One partition of a snapshot.

    Attributes:
        number: Days since 1970, UTC.
        snapshot_id: The snapshot that is read.
        files: Its data files.
    """

    number: int
    snapshot_id: int
    files: tuple[DataFile, ...]

    @property
    def bytes(self) -> int:
        """Size of the files."""
        return sum(file.file_size_in_bytes for file in self.files)

    @property
    def rows(self) -> int:
        """Rows in the files."""
        return sum(file.record_count for file in self.files)

    def __str__(self) -> str:
        return datetime.fromtimestamp(self.number * DAY_MS / 1000, UTC).date().isoformat()


@dataclass(slots=True)
class Rewritten:
    """What became of one day.

    Attributes:
        files: The new files; not part of the table yet.
        rows: Rows in them.
        repeats: Rows left out, since another had their series and time.
        removed: Rows left out, since they were not selected.
    """

    files: list[DataFile]
    rows: int = 0
    repeats: int = 0
    removed: int = 0


def days(table: Table) -> list[Day]:
    """The partitions of the current snapshot, oldest first."""
    snapshot = table.current_snapshot()
    if snapshot is None:
        return []
    by_day: dict[int, list[DataFile]] = {}
    for task in table.scan(snapshot_id=snapshot.snapshot_id).plan_files():
        by_day.setdefault(task.file.partition[0], []).append(task.file)
    return [Day(number, snapshot.snapshot_id, tuple(by_day[number])) for number in sorted(by_day)]


def rewrite(
    table: Table,
    day: Day,
    *,
    select: Select | None = None,
    target_bytes: int = TARGET_BYTES,
    group_rows: int = GROUP_ROWS,
    tick: Callable[[int], None] = lambda _: None,
) -> Rewritten:
    """Write a day's rows into new files, which a commit may put in the place of the old ones.

    Args:
        table: The table.
        day: Which of its partitions.
        select: Takes the rows to keep; all by default.
        target_bytes: A file ends once it has so many.
        group_rows: Rows that are held at a time; all of one device at least.
        tick: Told how many rows have been read.
    """
    outcome = Rewritten([])
    schema = schema_to_pyarrow(table.schema())
    writing = _Writing(table, schema, day, target_bytes)
    try:
        for where in _groups(table, day, group_rows):
            read = table.scan(row_filter=where, snapshot_id=day.snapshot_id).to_arrow()
            kept = select(read) if select else read
            rows, repeats = ordered(kept)
            outcome.removed += len(read) - len(kept)
            outcome.repeats += repeats
            outcome.rows += len(rows)
            if len(rows):
                writing.add(rows.select(schema.names).cast(schema))
            tick(len(read))
            del read, kept, rows
            pa.default_memory_pool().release_unused()
    finally:
        writing.close()
    outcome.files = [
        parquet_file_to_data_file(io=table.io, table_metadata=table.metadata, file_path=path) for path in writing.paths
    ]
    return outcome


class _Writing:
    """Files one after the other."""

    def __init__(self, table: Table, schema: pa.Schema, day: Day, target_bytes: int) -> None:
        self._table = table
        self._schema = schema
        self._day = day
        self._target = target_bytes
        self._open: tuple[pa.NativeFile, pq.ParquetWriter] | None = None
        self.paths: list[str] = []

    def add(self, rows: pa.Table) -> None:
        if self._open is None:
            path = self._table.location_provider().new_data_location(f"{self._day}-{uuid.uuid4()}.parquet")
            sink = self._table.io.new_output(path).create()
            self._open = sink, packing_writer(sink, self._schema, level=COMPACTED_LEVEL)
            self.paths.append(path)
        sink, writer = self._open
        writer.write_table(rows, row_group_size=max(len(rows), 1))
        if sink.tell() >= self._target:
            self.close()

    def close(self) -> None:
        if self._open is not None:
            sink, writer = self._open
            self._open = None
            writer.close()
            sink.close()


def day_range(number: int) -> BooleanExpression:
    """The rows of one UTC day."""
    return And(
        GreaterThanOrEqual(term="ts", value=from_millis(number * DAY_MS).isoformat()),
        LessThan(term="ts", value=from_millis((number + 1) * DAY_MS).isoformat()),
    )


def _groups(table: Table, day: Day, rows: int) -> Iterator[BooleanExpression]:
    """Filters that together select all rows of a day, in the table's order."""
    whole = day_range(day.number)
    if day.rows <= rows:
        yield whole
        return
    counts: Counter[tuple[str, str]] = Counter()
    reader = table.scan(
        row_filter=whole, snapshot_id=day.snapshot_id, selected_fields=("tenant", "device")
    ).to_arrow_batch_reader()
    for batch in reader:
        found = pa.Table.from_batches([batch]).group_by(["tenant", "device"]).aggregate([([], "count_all")])
        for row in found.to_pylist():
            counts[row["tenant"], row["device"]] += row["count_all"]
    for group in groups(sorted(counts.items()), rows=rows):
        yield And(whole, EqualTo(term="tenant", value=group[0][0]), _in_devices([device for _, device in group]))


def _in_devices(devices: Sequence[str]) -> BooleanExpression:
    return In(term="device", literals=set(devices)) if len(devices) > 1 else EqualTo(term="device", value=devices[0])
