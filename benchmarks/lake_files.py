"""The readings of a file for `lake.py`, in the pieces in which `sensorcast import` commits them."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from sensorcast_archiver.importing.bring import Bringing
from sensorcast_archiver.importing.journal import Journal
from sensorcast_archiver.importing.source import find_out
from sensorcast_archiver.lake.write import Committed, LakeBatch
from sensorcast_common.clock import system_clock
from sensorcast_common.csv.columns import name_from, plan
from sensorcast_common.csv.readings import RowReader
from sensorcast_common.csv.rejects import Rejects
from sensorcast_common.csv.times import time_parser, zone


class _Pieces:
    def __init__(self) -> None:
        self.batches: list[LakeBatch] = []

    def commit(self, batches: list[LakeBatch]) -> Committed:
        self.batches += batches
        return Committed()


def imported(path: Path, *, each_is: str | None) -> Iterator[LakeBatch]:
    """Batches of a file with one column per sensor."""
    source = find_out(path, time_column=None, delimiter=None, decimal=None)
    columns = plan(
        source.header,
        time_column=source.time_column,
        device=name_from(path.stem),
        each_is_device=each_is,
        wanted=[],
        units={},
    )
    reader = RowReader(
        width=len(source.header),
        time_column=source.time_column,
        columns=columns,
        parse_time=time_parser(zone("UTC")),
        decimal_comma=source.decimal_comma,
    )
    pieces = _Pieces()
    with tempfile.TemporaryDirectory() as folder:
        Bringing(
            pieces,
            tenant="demo",
            reader=reader,
            rejects=Rejects(Path(folder) / "rejected.csv", report=print),
            journal=Journal.begin("benchmark", now=system_clock()),
            journal_path=Path(folder) / "journal.json",
        ).run(source.rows())
    yield from pieces.batches
