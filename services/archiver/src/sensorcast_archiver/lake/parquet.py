"""Parquet files for the lake: one per day, sorted, with the encodings that pack readings best."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.io.pyarrow import parquet_file_to_data_file
from pyiceberg.manifest import DataFile
from pyiceberg.table import Table

from sensorcast_archiver.lake.rows import DAY_MS, Rows
from sensorcast_archiver.lake.schema import to_arrow

_ENCODINGS: Final = {"ts": "DELTA_BINARY_PACKED", "received_at": "DELTA_BINARY_PACKED"}
_PAGE_BYTES: Final = 8 * 1024 * 1024
_PAGE_ROWS: Final = 2**30

WRITTEN_LEVEL: Final = 9
"""Zstandard's level for what is written every minute."""

COMPACTED_LEVEL: Final = 19
"""And for what is written once and kept; it takes some ten times as long, and less room by an eighth."""


def packing_writer(sink: pa.NativeFile, schema: pa.Schema, *, level: int) -> pq.ParquetWriter:
    """A writer with the encodings that pack readings best.

    A device's metrics often share their times, and Zstandard finds that within one page only: so a page takes as many
    rows as fit into 8 MiB, where Arrow alone would end it after 20,000. Delta encoding is what every engine reads.

    Args:
        sink: Where the file goes.
        schema: With the Iceberg field ids.
        level: Zstandard's.
    """
    return pq.ParquetWriter(
        sink,
        schema,
        version="2.6",
        compression="zstd",
        compression_level=level,
        use_dictionary=[field.name for field in schema if field.name not in _ENCODINGS],
        column_encoding=_ENCODINGS,
        data_page_size=_PAGE_BYTES,
        max_rows_per_page=_PAGE_ROWS,
        # Without Arrow's own schema in the footer strings are strings, not dictionaries, to whoever reads it.
        store_schema=False,
    )


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
            packing_writer(sink, arrow.schema, level=WRITTEN_LEVEL) as writer,
        ):
            writer.write_table(arrow)
        yield parquet_file_to_data_file(io=table.io, table_metadata=table.metadata, file_path=path)
