"""Readings as a file that is sent while it is made: CSV, Parquet or Arrow."""

import io
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final, Protocol

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv
import pyarrow.parquet as pq

from sensorcast_api.history.format import Format
from sensorcast_api.history.question import Row

SCHEMA: Final = pa.schema(
    [
        pa.field("device", pa.string(), nullable=False),
        pa.field("metric", pa.string(), nullable=False),
        pa.field("ts", pa.timestamp("ms", tz="UTC"), nullable=False),
        pa.field("value", pa.float64(), nullable=False),
        pa.field("unit", pa.string(), nullable=False),
    ]
)
_GROUP_ROWS: Final = 100_000
"""Rows of a Parquet row group: what is held at a time."""


class _Encoder(Protocol):
    def rows(self, rows: Sequence[Row]) -> None: ...
    def close(self) -> None: ...


class _Sink(io.RawIOBase):
    """Keeps what is written until it is taken."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: list[bytes] = []
        self._written = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._written

    def write(self, data: object) -> int:
        piece = bytes(memoryview(data))  # type: ignore[arg-type] # whatever Arrow hands over is a buffer
        self._pieces.append(piece)
        self._written += len(piece)
        return len(piece)

    def take(self) -> bytes:
        taken, self._pieces = b"".join(self._pieces), []
        return taken


class _Csv:
    def __init__(self, sink: _Sink) -> None:
        self._sink = sink
        self._sink.write(",".join(SCHEMA.names).encode() + b"\n")

    def rows(self, rows: Sequence[Row]) -> None:
        table = _table(rows)
        times = pc.strftime(table.column("ts"), format="%Y-%m-%dT%H:%M:%SZ")  # %S has the milliseconds
        table = table.set_column(SCHEMA.get_field_index("ts"), "ts", times)
        # Neither names nor units nor times hold anything that would need quotes; Arrow refuses what does.
        pcsv.write_csv(table, self._sink, pcsv.WriteOptions(include_header=False, quoting_style="none"))

    def close(self) -> None:
        return None


class _Arrow:
    def __init__(self, sink: _Sink) -> None:
        self._writer = pa.ipc.new_stream(sink, SCHEMA)

    def rows(self, rows: Sequence[Row]) -> None:
        self._writer.write_table(_table(rows))

    def close(self) -> None:
        self._writer.close()


class _Parquet:
    def __init__(self, sink: _Sink) -> None:
        self._writer = pq.ParquetWriter(sink, SCHEMA, compression="zstd")
        self._waiting: list[Row] = []

    def rows(self, rows: Sequence[Row]) -> None:
        self._waiting += rows
        if len(self._waiting) >= _GROUP_ROWS:
            self._flush()

    def close(self) -> None:
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        if self._waiting:
            self._writer.write_table(_table(self._waiting))
            self._waiting = []


_ENCODERS: Final[dict[Format, Callable[[_Sink], _Encoder]]] = {
    Format.CSV: _Csv,
    Format.ARROW: _Arrow,
    Format.PARQUET: _Parquet,
}


async def encoded(parts: AsyncIterator[list[Row]], form: Format) -> AsyncIterator[bytes]:
    """The bytes of a file that holds all rows."""
    sink = _Sink()
    encoder = _ENCODERS[form](sink)
    async for rows in parts:
        encoder.rows(rows)
        if piece := sink.take():
            yield piece
    encoder.close()
    yield sink.take()


def _table(rows: Sequence[Row]) -> pa.Table:
    keys = [row.key for row in rows]
    return pa.table(
        {
            "device": [key.device for key in keys],
            "metric": [key.metric for key in keys],
            "ts": pa.array([key.ts for key in keys], pa.timestamp("ms", tz="UTC")),
            "value": [row.value for row in rows],
            "unit": [key.unit for key in keys],
        },
        schema=SCHEMA,
    )
