"""`sensorcast import FILE.csv|.parquet`: measurements of a file into the lake."""

import asyncio
from pathlib import Path
from typing import Annotated, Final

import typer

from sensorcast_archiver.importing.bring import PIECE_READINGS, Bringing, Reader
from sensorcast_archiver.importing.journal import Journal, fingerprint
from sensorcast_archiver.importing.long_form import LongReader
from sensorcast_archiver.importing.source import Source, find_out
from sensorcast_archiver.lake.write import LakeWriter
from sensorcast_archiver.opened import Opened, run
from sensorcast_common.clock import system_clock
from sensorcast_common.csv.columns import name_from, plan
from sensorcast_common.csv.fault import CsvFault
from sensorcast_common.csv.options import CsvOptions, checked_decimal, units_of
from sensorcast_common.csv.readings import RowReader
from sensorcast_common.csv.rejects import Rejects, beside
from sensorcast_common.csv.times import time_parser, zone
from sensorcast_common.errors import Poison, Retryable
from sensorcast_common.names import is_name
from sensorcast_common.tables.devices import DevicesTable

JOURNAL_SUFFIX: Final = ".import.json"
_HOUR_MS: Final = 3_600_000


def import_file(
    file: Annotated[Path, typer.Argument(help="CSV or Parquet.", exists=True, dir_okay=False, readable=True)],
    *,
    tenant: Annotated[str, typer.Option(help="Whose devices.")],
    device: CsvOptions.DEVICE = None,
    each_is: CsvOptions.EACH_IS = None,
    columns: CsvOptions.COLUMNS = "",
    unit: CsvOptions.UNIT = None,
    time_column: CsvOptions.TIME_COLUMN = None,
    time_format: CsvOptions.TIME_FORMAT = None,
    time_zone: CsvOptions.TIME_ZONE = "UTC",
    delimiter: CsvOptions.DELIMITER = None,
    decimal: CsvOptions.DECIMAL = None,
    rejects: CsvOptions.REJECTS = None,
    piece: Annotated[int, typer.Option(min=1000, help="Readings of one commit.")] = PIECE_READINGS,
) -> None:
    """Bring the measurements of a file into the lake, past the hot store: forecasts and alerts do not see them.

    One column per sensor, or one reading a row with columns device, metric, time, value and unit. What is interrupted
    goes on with the next call; what is not a reading is in a file beside it, with its row and the reason.
    """
    sender = device or name_from(file.stem)
    try:
        _require_names({"--tenant": tenant, "--device": sender, "--each-is": each_is or "metric"})
        source = find_out(file, time_column=time_column, delimiter=delimiter, decimal=checked_decimal(decimal))
        parse_time = time_parser(zone(time_zone), form=time_format)
        reader: Reader | None = LongReader.of(
            source.header,
            time_column=source.time_column,
            device=sender,
            parse_time=parse_time,
            decimal_comma=source.decimal_comma,
        )
        if reader is None:
            sensors = plan(
                source.header,
                time_column=source.time_column,
                device=sender,
                each_is_device=each_is,
                wanted=[name.strip() for name in columns.split(",") if name.strip()],
                units=units_of(unit or []),
            )
            for column in sensors:
                note = "" if column.unit_known else f" (no unit known; --unit '{column.header}=UNIT' says it)"
                typer.echo(f"  {column.header} -> {column.device} {column.metric} in {column.unit}{note}")
            reader = RowReader(
                width=len(source.header),
                time_column=source.time_column,
                columns=sensors,
                parse_time=parse_time,
                decimal_comma=source.decimal_comma,
            )
        said = [tenant, sender, each_is, columns, unit, time_column, time_format, time_zone, delimiter, decimal, piece]
        job = _Job(source, tenant, reader, fingerprint(file, {"options": said}), rejects or beside(file), piece)
        run(job.work)
    except (CsvFault, Retryable, Poison) as fault:
        typer.echo(f"sensorcast: {fault}", err=True)
        raise typer.Exit(1) from fault


def _require_names(said: dict[str, str]) -> None:
    for option, name in said.items():
        if not is_name(name):
            raise CsvFault(f"{option}: {name[:64]!r} is not 1 to 64 letters, digits, '_', '.', ':' or '-'")


class _Job:
    def __init__(self, source: Source, tenant: str, reader: Reader, mark: str, rejects: Path, piece: int) -> None:
        self._source = source
        self._tenant = tenant
        self._reader = reader
        self._mark = mark
        self._rejects = rejects
        self._piece = piece
        self._journal = rejects.with_name(source.path.name + JOURNAL_SUFFIX)

    async def work(self, lake: Opened) -> None:
        known = Journal.load(self._journal, self._mark)
        if known is not None and known.done:
            typer.echo(f"{self._source.path} is in the lake already; delete {self._journal} to import it again")
            return
        if known is not None:
            typer.echo(f"goes on after row {known.rows}; {known.readings} readings are in the lake")
        journal = known or Journal.begin(self._mark, now=system_clock())
        rejects = Rejects(
            self._rejects,
            report=lambda line: typer.echo(line, err=True),
            verb="taken",
            kept=journal.rejects_bytes,
            count=journal.rejected,
        )
        writer = LakeWriter(lake.table, lookback_ms=round(lake.settings.lake_lookback_hours * _HOUR_MS))
        try:
            with typer.progressbar(length=self._source.length, label="importing") as bar:
                bringing = Bringing(
                    writer,
                    tenant=self._tenant,
                    reader=self._reader,
                    rejects=rejects,
                    journal=journal,
                    journal_path=self._journal,
                    piece=self._piece,
                    tick=bar.update,
                )
                await asyncio.to_thread(bringing.run, self._source.rows())
        finally:
            rejects.close()
        async with lake.aws.client("dynamodb") as dynamodb:
            await DevicesTable(dynamodb, lake.names).record(bringing.sightings())
        done = bringing.journal
        typer.echo(
            f"rows {done.rows}, readings in the lake {done.readings}, not taken {done.rejected}"
            + (f", see {rejects.path}" if rejects.count else "")
        )
