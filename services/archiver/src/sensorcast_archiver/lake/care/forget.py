"""Deletes a tenant's or a device's readings from the lake, or those before some time."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc
from pyiceberg.expressions import And, BooleanExpression, EqualTo, LessThan
from pyiceberg.table import Table

from sensorcast_archiver.lake.care.replace import Overtaken, replace_files
from sensorcast_archiver.lake.care.rewrite import Day, day_range, days, rewrite
from sensorcast_archiver.lake.rows import DAY_MS
from sensorcast_common.clock import from_millis

_ROUNDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Doomed:
    """What is to go.

    Attributes:
        tenant: Whose.
        device: Which of its devices; `None` for all.
        before: Only what was measured before this time, in milliseconds since 1970 UTC; `None` for all.
    """

    tenant: str
    device: str | None = None
    before: int | None = None

    @property
    def filter(self) -> BooleanExpression:
        """As an expression of Iceberg."""
        where: BooleanExpression = EqualTo(term="tenant", value=self.tenant)
        if self.device is not None:
            where = And(where, EqualTo(term="device", value=self.device))
        if self.before is not None:
            where = And(where, LessThan(term="ts", value=from_millis(self.before).isoformat()))
        return where

    def spared(self, rows: pa.Table) -> pa.Table:
        """The rows that stay."""
        doomed = pc.equal(rows.column("tenant"), self.tenant)
        if self.device is not None:
            doomed = pc.and_(doomed, pc.equal(rows.column("device"), self.device))
        if self.before is not None:
            before = pa.scalar(self.before * 1000, pa.timestamp("us", tz="UTC"))
            doomed = pc.and_(doomed, pc.less(rows.column("ts"), before))
        return rows.filter(pc.invert(doomed))


@dataclass(slots=True)
class Found:
    """What the lake holds of it.

    Attributes:
        rows: Readings.
        days: In which partitions.
        devices: Whose.
    """

    rows: int = 0
    days: list[Day] = field(default_factory=list)
    devices: set[str] = field(default_factory=set)


def find(table: Table, doomed: Doomed) -> Found:
    """Count what would go; changes nothing."""
    found = Found()
    for day in days(table):
        if doomed.before is not None and day.number * DAY_MS >= doomed.before:
            break
        where = And(day_range(day.number), doomed.filter)
        reader = table.scan(
            row_filter=where, snapshot_id=day.snapshot_id, selected_fields=("device",)
        ).to_arrow_batch_reader()
        rows = 0
        for batch in reader:
            rows += len(batch)
            found.devices |= set(batch.column("device").unique().to_pylist())
        if rows:
            found.rows += rows
            found.days.append(day)
    return found


def forget(table: Table, doomed: Doomed, *, tick: Callable[[int], None] = lambda _: None) -> int:
    """Delete it, one day and one commit at a time; what is interrupted may be called again.

    Args:
        table: The table.
        doomed: What is to go.
        tick: Told how many rows have been read.

    Returns:
        Rows that went.

    Raises:
        pyiceberg.exceptions.CommitFailedException: Other writers came first too often.
        Overtaken: Others kept replacing the same files.
    """
    removed = 0
    for _ in range(_ROUNDS):
        table.refresh()
        found = find(table, doomed)
        if not found.rows:
            return removed
        for day in found.days:
            outcome = rewrite(table, day, select=doomed.spared, tick=tick)
            try:
                replace_files(table, day.files, outcome.files)
            except Overtaken:
                continue  # a compaction was faster: the next round finds the rows in its files
            removed += outcome.removed
    raise Overtaken(f"others kept replacing the same files {_ROUNDS} times; {removed} rows are gone")
