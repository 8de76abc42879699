"""Columns of a CSV file as recordings."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from sensorcast_common.csv.columns import name_from, plan
from sensorcast_common.csv.csv_file import inspect
from sensorcast_common.csv.fault import CsvFault
from sensorcast_common.csv.readings import Rejected, RowReader
from sensorcast_common.csv.times import time_parser, zone
from sensorcast_common.reading import SeriesKey
from sensorcast_forecaster.backtest.grid import Recording, Unusable, record
from sensorcast_forecaster.regularize import RawSeries

TENANT: Final = "file"
"""Whose sensors those of a file are; who reads the forecasts knows better."""


@dataclass(frozen=True, slots=True)
class FileRead:
    """A file.

    Attributes:
        recordings: One per column that can be tested.
        unusable: Why others cannot.
        rejected: Cells and rows that are no readings.
    """

    recordings: list[Recording]
    unusable: list[str]
    rejected: list[Rejected]


def read_file(
    path: Path,
    *,
    columns: Sequence[str] = (),
    step_seconds: int | None = None,
    time_column: str | None = None,
    time_zone: str = "UTC",
    now: int,
) -> FileRead:
    """Read a file.

    Args:
        path: CSV with a time column and one column per sensor.
        columns: Those to read; none reads all.
        step_seconds: Width of a cell; chosen from the readings where it is `None`.
        time_column: Name of the column with the time, when it is not to be found by its name.
        time_zone: Of times that name none.
        now: The present, in milliseconds since 1970 UTC: readings after it are rejected.

    Raises:
        CsvFault: The file cannot be read or has no such column, or no column can be tested.
    """
    file = inspect(path, time_column=time_column)
    sensors = plan(
        file.header,
        time_column=file.time_column,
        device=name_from(path.stem) or "file",
        each_is_device=None,
        wanted=columns,
        units={},
    )
    reader = RowReader(
        width=len(file.header),
        time_column=file.time_column,
        columns=sensors,
        parse_time=time_parser(zone(time_zone)),
        decimal_comma=file.decimal_comma,
    )
    ts = {sensor.metric: array("q") for sensor in sensors}
    values = {sensor.metric: array("d") for sensor in sensors}
    rejected: list[Rejected] = []
    for row in file.rows():
        outcome = reader.read(row, now=now)
        rejected.extend(outcome.rejected)
        for reading in outcome.readings:
            ts[reading.metric].append(reading.ts)
            values[reading.metric].append(reading.value)
    recordings, unusable = [], []
    for sensor in sensors:
        times, numbers = np.array(ts[sensor.metric], dtype=np.int64), np.array(values[sensor.metric])
        try:
            raw = RawSeries(SeriesKey(TENANT, sensor.device, sensor.metric), sensor.unit, times, numbers)
            recordings.append(record(sensor.header, raw, step_seconds=step_seconds))
        except Unusable as error:
            unusable.append(str(error))
    if not recordings:
        reasons = [*unusable, *(f"row {each.row}: {each.reason}" for each in rejected[:1])]
        raise CsvFault(f"{path}: no column can be tested: {'; '.join(reasons)}")
    return FileRead(recordings, unusable, rejected)
