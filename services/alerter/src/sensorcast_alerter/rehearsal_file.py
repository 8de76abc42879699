"""What a dry run reads: measurements from CSV, forecasts from JSON lines."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from sensorcast_common.csv.columns import name_from, plan
from sensorcast_common.csv.csv_file import inspect
from sensorcast_common.csv.fault import CsvFault
from sensorcast_common.csv.readings import Rejected, RowReader
from sensorcast_common.csv.times import time_parser, zone
from sensorcast_common.forecast import Forecast
from sensorcast_common.invalid import first_problem
from sensorcast_common.reading import Reading

MOST_READINGS: Final = 5_000_000


def read_measurements(
    path: Path, *, tenant: str, device: str | None, columns_are_devices: str | None, time_zone: str, now: int
) -> tuple[list[Reading], list[Rejected]]:
    """The readings of a file in order of time, and what in it is none.

    Args:
        path: CSV with a time column and one column per sensor.
        tenant: Whose readings they shall be.
        device: Whose columns they are; by default named after the file.
        columns_are_devices: Instead, every column is a device, and this is the metric they all measure.
        time_zone: Of times that name none.
        now: The present, in milliseconds: what is later is rejected.

    Raises:
        CsvFault: The file cannot be read, or has too many readings.
    """
    file = inspect(path)
    reader = RowReader(
        width=len(file.header),
        time_column=file.time_column,
        columns=plan(
            file.header,
            time_column=file.time_column,
            device=device or name_from(path.stem) or "file",
            each_is_device=columns_are_devices,
            wanted=(),
            units={},
        ),
        parse_time=time_parser(zone(time_zone)),
        decimal_comma=file.decimal_comma,
    )
    rejected: list[Rejected] = []

    def each() -> Iterator[Reading]:
        for row in file.rows():
            outcome = reader.read(row, now=now)
            rejected.extend(outcome.rejected)
            for one in outcome.readings:
                yield Reading(tenant, one.device, one.metric, one.ts, one.value, one.unit, one.ts)

    readings = list(islice(each(), MOST_READINGS + 1))
    if len(readings) > MOST_READINGS:
        raise CsvFault(f"{path}: more than {MOST_READINGS} readings; take a part of it")
    return sorted(readings, key=lambda reading: reading.ts), rejected


def read_forecasts(path: Path, *, tenant: str) -> list[Forecast]:
    """The forecasts of a file, one as JSON a line, in order of `known_at`; the form in which they are stored.

    Args:
        path: As `sensorcast backtest --forecasts` writes it.
        tenant: Whose forecasts they shall be, like the readings.

    Raises:
        CsvFault: A line is no forecast; the message names line and field.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise CsvFault(f"{path}: {error}") from error
    forecasts = [
        _forecast(path, number, line).model_copy(update={"tenant": tenant})
        for number, line in enumerate(lines, start=1)
        if line.strip()
    ]
    return sorted(forecasts, key=lambda forecast: forecast.known_at)


def _forecast(path: Path, number: int, line: str) -> Forecast:
    try:
        return Forecast.model_validate_json(line)
    except ValidationError as error:
        raise CsvFault(f"{path}: line {number}: {first_problem(error)}") from error
