"""The lake table `readings`: its columns, partitions and order, and how rows become an Arrow table of that form."""

from typing import Final

import numpy as np
import pyarrow as pa
from pyiceberg.expressions import Reference
from pyiceberg.partitioning import PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.table import Table
from pyiceberg.table.sorting import SortDirection, SortOrder
from pyiceberg.transforms import DayTransform, IdentityTransform
from pyiceberg.types import DoubleType, IcebergType, StringType, TimestamptzType

from sensorcast_archiver.lake.rows import Rows
from sensorcast_common.reading import TsSource

COLUMNS: Final[dict[str, IcebergType]] = {
    "tenant": StringType(),
    "device": StringType(),
    "metric": StringType(),
    "ts": TimestamptzType(),
    "value": DoubleType(),
    "unit": StringType(),
    "received_at": TimestamptzType(),
    "ts_source": StringType(),
}
SORT_COLUMNS: Final = ("tenant", "device", "metric", "ts")
PARTITION_COLUMN: Final = "ts"
PARTITION_FIELD: Final = "ts_day"

_TIMESTAMP: Final = pa.timestamp("us", tz="UTC")
_SOURCES: Final = (TsSource.DEVICE.value, TsSource.SERVER.value)


class LakeTableError(Exception):
    """The lake table is missing, or cannot take readings; the message names what is wrong with it."""


def check_columns(schema: Schema, *, table: str) -> None:
    """Check that a table has the columns that are written; further columns may be there if they are optional.

    Raises:
        LakeTableError: A column is missing, has another type, or is required and unknown here.
    """
    for name, wanted in COLUMNS.items():
        try:
            field = schema.find_field(name)
        except ValueError as error:
            raise LakeTableError(f"{table}: column {name!r} is missing") from error
        if field.field_type != wanted:
            raise LakeTableError(f"{table}: column {name!r} is {field.field_type}, expected {wanted}")
    unknown = [field.name for field in schema.fields if field.required and field.name not in COLUMNS]
    if unknown:
        raise LakeTableError(f"{table}: column {unknown[0]!r} is required and unknown to this version")


def ensure_layout(table: Table) -> None:
    """Partition the table by day(ts) and sort it by (tenant, device, metric, ts), where it is not yet.

    Raises:
        pyiceberg.exceptions.CommitFailedException: Another writer changed the table at the same moment; try again.
    """
    if not _is_partitioned(table.spec(), table.schema()):
        with table.update_spec() as spec:
            spec.add_field(PARTITION_COLUMN, DayTransform(), PARTITION_FIELD)
    if not _is_sorted(table.sort_order(), table.schema()):
        with table.update_sort_order() as order:
            for column in SORT_COLUMNS:
                order.asc(Reference(column).name, IdentityTransform())


def _is_partitioned(spec: PartitionSpec, schema: Schema) -> bool:
    ts = schema.find_field(PARTITION_COLUMN).field_id
    return any(field.source_id == ts and isinstance(field.transform, DayTransform) for field in spec.fields)


def _is_sorted(order: SortOrder, schema: Schema) -> bool:
    wanted = [schema.find_field(column).field_id for column in SORT_COLUMNS]
    actual = [field.source_id for field in order.fields if field.direction is SortDirection.ASC]
    return actual == wanted


def to_arrow(rows: Rows, schema: Schema) -> pa.Table:
    """Rows as an Arrow table with the Iceberg field ids; strings as dictionaries, times in microseconds."""
    series = rows.series
    columns = {
        "tenant": _dictionary(rows.index, [one.tenant for one in series]),
        "device": _dictionary(rows.index, [one.device for one in series]),
        "metric": _dictionary(rows.index, [one.metric for one in series]),
        "ts": pa.array(rows.ts * 1000, type=_TIMESTAMP),
        "value": pa.array(rows.value),
        "unit": _dictionary(rows.index, [one.unit for one in series]),
        "received_at": pa.array(rows.received_at * 1000, type=_TIMESTAMP),
        "ts_source": _dictionary(rows.from_server.astype(np.int32), list(_SOURCES)),
    }
    fields = []
    for name in COLUMNS:
        found = schema.find_field(name)
        metadata = {"PARQUET:field_id": str(found.field_id)}
        fields.append(pa.field(name, columns[name].type, nullable=not found.required, metadata=metadata))
    return pa.table([columns[name] for name in COLUMNS], schema=pa.schema(fields))


def _dictionary(index: "np.ndarray[tuple[int], np.dtype[np.int32]]", values: list[str]) -> pa.DictionaryArray:
    distinct = {value: place for place, value in enumerate(dict.fromkeys(values))}
    places = np.array([distinct[value] for value in values], dtype=np.int32)
    return pa.DictionaryArray.from_arrays(places[index], pa.array(list(distinct), type=pa.string()))
