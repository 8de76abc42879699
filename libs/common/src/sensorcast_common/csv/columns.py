"""Which series a column is: a metric of one device, or a device of its own, and in which unit."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sensorcast_common.csv.fault import CsvFault
from sensorcast_common.payload.units import RATIO, UNITS, default_unit

_IN_BRACKETS: Final = re.compile(r"\s*[\[(]\s*([^\])]*?)\s*[\])]\s*$")
_NOT_IN_NAMES: Final = re.compile(r"[^A-Za-z0-9_.:-]+")

WRITTEN_UNITS: Final = {
    "°c": "Cel", "degc": "Cel", "c": "Cel", "celsius": "Cel", "cel": "Cel", "%rh": "%RH", "rh": "%RH", "% rh": "%RH",
    "mbar": "hPa", "lux": "lx",
}  # fmt: skip
"""What people write in a header for a SenML unit; the unit itself is understood too."""

UNITS_BY_WORD: Final = {"rssi": "dBm", "counter": "count", "count": "count", "number": "count", "temp": "Cel"}
"""Units of names that have none of their own in a payload."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One sensor.

    Attributes:
        index: Where it stands in a row.
        header: Its name in the file.
        device: Whose readings these are.
        metric: What is measured.
        unit: SenML unit.
        unit_known: False where no unit is known and `/` (a plain number) is sent.
    """

    index: int
    header: str
    device: str
    metric: str
    unit: str
    unit_known: bool


def name_from(text: str) -> str:
    """A name that MQTT topics and keys allow, made from any text; empty where nothing is left of it."""
    return _NOT_IN_NAMES.sub("_", text.strip()).strip("_.:-")[:64]


def plan(
    header: Sequence[str],
    *,
    time_column: int,
    device: str,
    each_is_device: str | None,
    wanted: Sequence[str],
    units: Mapping[str, str],
) -> list[Column]:
    """Say what every column is.

    Args:
        header: Names of the columns.
        time_column: Which of them is the time.
        device: The device whose metrics the columns are.
        each_is_device: Instead, every column is a device of its own, and this is the metric they all measure.
        wanted: Headers of the columns to take; empty takes all.
        units: SenML unit by header.

    Raises:
        CsvFault: A column is unknown, has no name, has another's name, or a unit that SenML does not have.
    """
    for option, names in (("--columns", wanted), ("--unit", units)):
        for name in names:
            if name not in header:
                raise CsvFault(f"{option}: no column {name!r}; the file has {', '.join(header)}")
    columns: list[Column] = []
    for index, title in enumerate(header):
        if index == time_column or (wanted and title not in wanted):
            continue
        bare, bracketed = _split(title)
        name = name_from(bare)
        if not name:
            raise CsvFault(f"column {index + 1}: {title!r} makes no name; leave it out with --columns")
        metric = each_is_device or name.lower()
        unit, known = _unit(title, metric, bracketed, units)
        columns.append(
            Column(
                index=index,
                header=title,
                device=name if each_is_device else device,
                metric=metric,
                unit=unit,
                unit_known=known,
            )
        )
    _require_distinct(columns)
    if not columns:
        raise CsvFault("no column to send: the file has a time and nothing else")
    return columns


def _require_distinct(columns: Sequence[Column]) -> None:
    by_series: dict[tuple[str, str], Column] = {}
    for column in columns:
        other = by_series.setdefault((column.device, column.metric), column)
        if other is not column:
            raise CsvFault(f"columns {other.header!r} and {column.header!r} both make {column.device} {column.metric}")


def _split(title: str) -> tuple[str, str | None]:
    found = _IN_BRACKETS.search(title)
    return (title[: found.start()], found.group(1)) if found else (title, None)


def _unit(title: str, metric: str, bracketed: str | None, given: Mapping[str, str]) -> tuple[str, bool]:
    if title in given:
        unit = given[title]
        if unit not in UNITS:
            raise CsvFault(f"--unit: {unit!r} is not a SenML unit (RFC 8428), such as Cel, %RH, hPa, V or count")
        return unit, True
    if bracketed is not None:
        unit = WRITTEN_UNITS.get(bracketed.lower(), bracketed)
        if unit in UNITS:
            return unit, True
    if metric.rpartition("_")[2] == "pressure":
        return "hPa", True  # what barometers and their apps write; Pa would be a unit in brackets or --unit
    unit = default_unit(metric) or UNITS_BY_WORD.get(metric.rpartition("_")[2], "")
    return (unit, True) if unit else (RATIO, False)
