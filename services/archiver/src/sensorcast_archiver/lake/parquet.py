"""Parquet files for the lake: one per day, sorted, with the encodings that pack readings best."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

import pyarrow.parquet as pq
from pyiceberg.io.pyarrow import parquet_file_to_data_file
from pyiceberg.manifest import DataFile
from pyiceberg.table import Table

from sensorcast_archiver.lake.rows import DAY_MS, Rows
from sensorcast_archiver.lake.schema import to_arrow

_DICTIONARIES: Final = ["tenant", "device", "metric", "unit", "ts_source", "value"]
_ENCODINGS: Final = {"ts": "DELTA_BINARY_PACKED", "received_at": "DELTA_BINARY_PACKED"}
_ZSTD_LEVEL: Final = 9


def write_files(table: Table, rows: Rows) -> Iterator[DataFile]:
    """Upload `rows`, which are sorted, as one file per day.

    Args:
        table: Where the files belong; they are not part of it before a commit adds them.
        rows: Sorted by (tenant, device, metric, ts).

    Yields:
        What a commit needs to know of each file, read back from its footer.
    """
    places = table.location_provider()
    for day, part in rows.by_day():
        date = datetime.fromtimestamp(day * DAY_MS / 1000, UTC).date()
        path = places.new_data_location(f"{date.isoformat()}-{uuid.uuid4()}.parquet")
        arrow = to_arrow(part, table.schema())
        with (
            table.io.new_output(path).create() as sink,
            # Without Arrow's own schema in the footer strings are strings, not dictionaries, to whoever reads it.
            pq.ParquetWriter(
                sink,
                arrow.schema,
                version="2.6",
                compression="zstd",
                compression_level=_ZSTD_LEVEL,
                use_dictionary=_DICTIONARIES,
                column_encoding=_ENCODINGS,
                store_schema=False,
            ) as writer,
        ):
            writer.write_table(arrow)
        yield parquet_file_to_data_file(io=table.io, table_metadata=table.metadata, file_path=path)
