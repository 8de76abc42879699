"""What people say of a file on the command line, checked."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from sensorcast_common.csv.fault import CsvFault


class CsvOptions:
    """Types of the options about a file's columns, as typer reads them."""

    DEVICE = Annotated[str | None, typer.Option(help="Device whose metrics the columns are (default: the file's name)")]
    EACH_IS = Annotated[
        str | None, typer.Option(metavar="METRIC", help="Every column is a device of its own that measures METRIC.")
    ]
    COLUMNS = Annotated[str, typer.Option(help="Columns to take, separated by commas (default: all)")]
    UNIT = Annotated[list[str] | None, typer.Option(metavar="COLUMN=UNIT", help="SenML unit of a column.")]
    TIME_COLUMN = Annotated[str | None, typer.Option(help="Column with the time (default: found by its name)")]
    TIME_FORMAT = Annotated[
        str | None, typer.Option(help="Such as '%m/%d/%Y %H:%M' (default: RFC 3339, epoch and more)")
    ]
    TIME_ZONE = Annotated[str, typer.Option(help="Of times that name none.")]
    DELIMITER = Annotated[str | None, typer.Option(help="Between cells (default: found out)")]
    DECIMAL = Annotated[str | None, typer.Option(help="`.` or `,` (default: found out)")]
    REJECTS = Annotated[Path | None, typer.Option(help="Where to keep what is not taken (default: beside FILE)")]


def checked_decimal(decimal: str | None) -> str | None:
    """`.` or `,`, or `None` to find it out.

    Raises:
        CsvFault: Anything else.
    """
    if decimal not in (None, ".", ","):
        raise CsvFault(f"--decimal: expected '.' or ',', got {decimal!r}")
    return decimal


def units_of(given: Iterable[str]) -> dict[str, str]:
    """Unit by column of `COLUMN=UNIT` texts.

    Raises:
        CsvFault: One has no `=`.
    """
    units = {}
    for text in given:
        column, equals, unit = text.rpartition("=")
        if not equals:
            raise CsvFault(f"--unit: expected COLUMN=UNIT, got {text!r}")
        units[column] = unit
    return units
