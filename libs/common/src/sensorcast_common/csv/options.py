"""What people say of a file on the command line, checked."""

from collections.abc import Iterable

from sensorcast_common.csv.fault import CsvFault


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
