"""The rows of a CSV or Parquet file, as text either way, so that both are read by the same rules."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from sensorcast_common.csv.csv_file import Row, find_time, inspect
from sensorcast_common.csv.fault import CsvFault

_BATCH_ROWS: Final = 10_000
_PIECE: Final = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A file whose form is known.

    Attributes:
        path: Where it is.
        header: Names of the columns.
        time_column: Which of them holds the time.
        decimal_comma: Whether `4,2` is 4.2.
        length: Rows, roughly; for a progress bar.
        delimiter: Of a CSV file; `None` for Parquet.
    """

    path: Path
    header: tuple[str, ...]
    time_column: int
    decimal_comma: bool
    length: int
    delimiter: str | None

    def rows(self) -> Iterator[Row]:
        """All rows; one that is broken says so.

        Raises:
            CsvFault: The file cannot be read any further.
        """
        if self.delimiter is None:
            return _parquet_rows(self.path)
        decimal = "," if self.decimal_comma else "."
        time_column = self.header[self.time_column]
        return inspect(self.path, time_column=time_column, delimiter=self.delimiter, decimal=decimal).rows()


def find_out(path: Path, *, time_column: str | None, delimiter: str | None, decimal: str | None) -> Source:
    """Find out what a file is; whatever is not called `.parquet` is CSV.

    Raises:
        CsvFault: It cannot be read, or has no such column.
    """
    if path.suffix.lower() == ".parquet":
        try:
            with pq.ParquetFile(path) as file:
                header, length = tuple(file.schema_arrow.names), file.metadata.num_rows
        except (OSError, pa.ArrowException) as error:
            raise CsvFault(f"{path}: {error}") from error
        return Source(
            path=path,
            header=header,
            time_column=find_time(path, header, time_column),
            decimal_comma=False,
            length=length,
            delimiter=None,
        )
    form = inspect(path, time_column=time_column, delimiter=delimiter, decimal=decimal)
    return Source(
        path=path,
        header=form.header,
        time_column=form.time_column,
        decimal_comma=form.decimal_comma,
        length=_lines(path),
        delimiter=form.delimiter,
    )


def _lines(path: Path) -> int:
    with path.open("rb") as file:
        return sum(piece.count(b"\n") for piece in iter(lambda: file.read(_PIECE), b""))


def _parquet_rows(path: Path) -> Iterator[Row]:
    number = 0
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=_BATCH_ROWS):
                columns = [[_text(value) for value in column.to_pylist()] for column in batch.columns]
                for cells in zip(*columns, strict=True):
                    number += 1
                    yield Row(number, list(cells))
    except (OSError, pa.ArrowException) as error:
        raise CsvFault(f"{path}: after row {number}: {error}") from error


def _text(value: object) -> str:
    match value:
        case None:
            return ""
        case datetime():
            return value.isoformat()
        case bool():
            return str(int(value))
        case float():
            return repr(value)
        case bytes():
            return value.decode("utf-8", "replace")
    return str(value)
