"""Looks up which of some readings the lake holds."""

import numpy as np
import pyarrow as pa
from pyiceberg.expressions import And, BooleanExpression, GreaterThanOrEqual, In, LessThanOrEqual, Or
from pyiceberg.table import Table

from sensorcast_archiver.lake.rows import RowKey, Rows, RowSeries
from sensorcast_common.clock import from_millis

_FIELDS = ("tenant", "device", "metric", "unit", "ts", "value")


def stored(table: Table, wanted: Rows) -> set[RowKey]:
    """Which of the wanted rows are in the table's current snapshot.

    Reads only the columns, days and files that can hold them, a record batch at a time.
    """
    if not len(wanted) or table.current_snapshot() is None:
        return set()
    times = np.unique(wanted.ts)
    keys = {wanted.key(row) for row in range(len(wanted))}
    found: set[RowKey] = set()
    reader = table.scan(row_filter=_filter(wanted), selected_fields=_FIELDS).to_arrow_batch_reader()
    for batch in reader:
        found |= keys & _keys_at(batch, times)
    return found


def _filter(wanted: Rows) -> BooleanExpression:
    """One range of times per day, so that readings that lie far apart do not pull in the days between."""
    days: list[BooleanExpression] = []
    for _, part in wanted.by_day():
        series = [part.series[int(place)] for place in np.unique(part.index)]
        days.append(
            And(
                GreaterThanOrEqual(term="ts", value=from_millis(int(part.ts.min())).isoformat()),
                LessThanOrEqual(term="ts", value=from_millis(int(part.ts.max())).isoformat()),
                In(term="tenant", literals={name.tenant for name in series}),
                In(term="device", literals={name.device for name in series}),
            )
        )
    return Or(*days) if len(days) > 1 else days[0]


def _keys_at(batch: pa.RecordBatch, times: "np.ndarray[tuple[int], np.dtype[np.int64]]") -> set[RowKey]:
    """The identities of a record batch's rows at any of `times` (ms)."""
    micros = batch.column("ts").cast(pa.int64()).to_numpy(zero_copy_only=False)
    at = np.flatnonzero(np.isin(micros, times * 1000))
    if not len(at):
        return set()
    rows = batch.take(pa.array(at))
    bits = rows.column("value").to_numpy(zero_copy_only=False).view(np.int64)
    names = [rows.column(name).to_pylist() for name in ("tenant", "device", "metric", "unit")]
    return {
        RowKey(RowSeries(*series), int(ts) // 1000, int(value))
        for series, ts, value in zip(zip(*names, strict=True), micros[at], bits, strict=True)
    }
