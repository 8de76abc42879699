"""Finds out how a CSV file is written - delimiter, decimal comma, time column - and reads its rows."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from sensorcast_common.csv.fault import CsvFault

DELIMITERS: Final = ",;\t|"
TIME_NAMES: Final = (
    "timestamp",
    "time",
    "datetime",
    "date_time",
    "date",
    "ts",
    "epoch",
    "zeit",
    "zeitstempel",
    "datum",
)
LOOKED_AT: Final = 200
"""Rows that the form is judged by."""

_COMMA_NUMBER: Final = re.compile(r"[+-]?\d+,\d+")


class _Reader(Protocol):
    """What `csv.reader` returns."""

    def __next__(self) -> list[str]: ...


class Row(NamedTuple):
    """One row.

    Attributes:
        number: Line it begins on; the header is line 1.
        cells: As written.
        fault: Why it is no row; empty for most.
    """

    number: int
    cells: list[str]
    fault: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvFile:
    """A CSV file whose form is known.

    Attributes:
        path: Where it is.
        delimiter: Between cells.
        decimal_comma: Whether `4,2` is 4.2.
        header: Names of the columns.
        time_column: Which of them holds the time.
    """

    path: Path
    delimiter: str
    decimal_comma: bool
    header: tuple[str, ...]
    time_column: int

    def rows(self) -> Iterator[Row]:
        """All rows but the header and empty lines; one that is broken says so, and the rest follows.

        Raises:
            CsvFault: The file cannot be read any further.
        """
        try:
            with self.path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
                reader = csv.reader(file, delimiter=self.delimiter, strict=True)
                next(reader)
                before = reader.line_num
                while True:
                    row = _next(reader, before + 1)
                    if row is None:
                        return
                    before = reader.line_num
                    if row.cells or row.fault:
                        yield row
        except (OSError, csv.Error) as error:
            raise CsvFault(f"{self.path}: {error}") from error


def _next(reader: "_Reader", number: int) -> Row | None:
    try:
        cells = next(reader)
    except StopIteration:
        return None
    except csv.Error as error:
        return Row(number, [], f"not CSV: {error}")
    if not all(cell.isascii() or _is_unicode(cell) for cell in cells):
        return Row(number, [cell.encode("utf-8", "replace").decode() for cell in cells], "not UTF-8")
    return Row(number, cells)


def _is_unicode(text: str) -> bool:
    """Whether all of it was UTF-8: other bytes have become lone surrogates."""
    return not any("\udc80" <= character <= "\udcff" for character in text)


def inspect(
    path: Path, *, time_column: str | None = None, delimiter: str | None = None, decimal: str | None = None
) -> CsvFile:
    """Find out how a file is written.

    Args:
        path: The file.
        time_column: Name of the column with the time, when it is not to be found by its name.
        delimiter: Between cells, when it is not to be found out.
        decimal: `.` or `,`, when it is not to be found out.

    Raises:
        CsvFault: It cannot be read, has no rows, or no such column; the message says which.
    """
    try:
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            lines = list(islice(file, LOOKED_AT))
    except OSError as error:
        raise CsvFault(f"{path}: {error.strerror or error}") from error
    if len(lines) < 2:
        raise CsvFault(f"{path}: no rows; expected a header and at least one row")
    between = delimiter or max(DELIMITERS, key=lines[0].count)
    if not _is_unicode(lines[0]):
        raise CsvFault(f"{path}: the header is not UTF-8")
    if between not in lines[0]:
        raise CsvFault(f"{path}: the header has one column only; expected a time and at least one sensor")
    table = list(csv.reader(lines, delimiter=between))
    header = tuple(name.strip() for name in table[0])
    return CsvFile(
        path=path,
        delimiter=between,
        decimal_comma=_has_decimal_comma(table[1:]) if decimal is None else decimal == ",",
        header=header,
        time_column=find_time(path, header, time_column),
    )


def _has_decimal_comma(rows: list[list[str]]) -> bool:
    commas = sum(1 for row in rows for cell in row if _COMMA_NUMBER.fullmatch(cell.strip()))
    points = sum(1 for row in rows for cell in row if "." in cell and _is_number(cell))
    return commas > points


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def find_time(path: Path, header: tuple[str, ...], wanted: str | None) -> int:
    """Which column holds the time.

    Raises:
        CsvFault: `wanted` is not among them.
    """
    lowered = [name.lower() for name in header]
    if wanted is not None:
        if wanted.lower() not in lowered:
            raise CsvFault(f"--time-column: {path} has no column {wanted!r}; it has {', '.join(header)}")
        return lowered.index(wanted.lower())
    return next((lowered.index(name) for name in TIME_NAMES if name in lowered), 0)
