"""`sensorcast replay FILE.csv`: sends real measurements through the same way as a device would."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from sensorcast_common.clock import from_millis, rfc3339, system_clock
from sensorcast_common.csv.columns import Column, name_from, plan
from sensorcast_common.csv.csv_file import CsvFile, inspect
from sensorcast_common.csv.options import CsvOptions, checked_decimal, units_of
from sensorcast_common.csv.readings import RowReader
from sensorcast_common.csv.rejects import Rejects, beside
from sensorcast_common.csv.times import ParseTime, time_parser, zone
from sensorcast_common.names import is_name
from sensorcast_local.broker import Broker
from sensorcast_local.faults import Fault, readable
from sensorcast_local.options import BrokerOptions, choose_broker
from sensorcast_local.publisher import Publisher
from sensorcast_local.replay.sending import Replay, Tally
from sensorcast_local.running import DATA_DIR

LOST_FOR = 60.0
"""Seconds a lost broker is waited for before the replay gives up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    file: CsvFile
    columns: list[Column]
    tenant: str
    parse_time: ParseTime
    speed: float
    shift_to_now: bool
    rejects: Path


def replay(
    file: Annotated[Path, typer.Argument(help="CSV with a time column and one column per sensor.")],
    *,
    speed: Annotated[str, typer.Option(help="Times faster than measured; `max`: as fast as possible.")] = "max",
    tenant: Annotated[str, typer.Option(help="Whose devices.")] = "demo",
    device: CsvOptions.DEVICE = None,
    each_is: CsvOptions.EACH_IS = None,
    columns: CsvOptions.COLUMNS = "",
    unit: CsvOptions.UNIT = None,
    time_column: CsvOptions.TIME_COLUMN = None,
    time_format: CsvOptions.TIME_FORMAT = None,
    time_zone: CsvOptions.TIME_ZONE = "UTC",
    delimiter: CsvOptions.DELIMITER = None,
    decimal: CsvOptions.DECIMAL = None,
    shift_to_now: Annotated[
        bool, typer.Option("--shift-to-now", help="Move all times: at speed 1 the first is now, else the last.")
    ] = False,
    rejects: CsvOptions.REJECTS = None,
    broker: BrokerOptions.URL = None,
    ca: BrokerOptions.CA = None,
    certificate: BrokerOptions.CERTIFICATE = None,
    key: BrokerOptions.KEY = None,
    data_dir: Annotated[Path, typer.Option(help="Folder of the `up` that runs.")] = DATA_DIR,
) -> None:
    """Send the measurements of a CSV file over MQTT, with the times they have there."""
    with readable():
        sender = device or name_from(file.stem)
        for option, name in (("--tenant", tenant), ("--device", sender), ("--each-is", each_is or "metric")):
            if not is_name(name):
                raise Fault(f"{option}: {name!r} is not 1 to 64 letters, digits, '_', '.', ':' or '-'")
        form = inspect(file, time_column=time_column, delimiter=delimiter, decimal=checked_decimal(decimal))
        sensors = plan(
            form.header,
            time_column=form.time_column,
            device=sender,
            each_is_device=each_is,
            wanted=[name.strip() for name in columns.split(",") if name.strip()],
            units=units_of(unit or []),
        )
        job = _Job(
            file=form,
            columns=sensors,
            tenant=tenant,
            parse_time=time_parser(zone(time_zone), form=time_format),
            speed=_speed(speed),
            shift_to_now=shift_to_now,
            rejects=rejects or beside(file),
        )
        target = choose_broker(broker, data_dir=data_dir, ca=ca, certificate=certificate, key=key)
        asyncio.run(_run(job, target))


async def _run(job: _Job, broker: Broker) -> None:
    _show_plan(job, broker)
    reader = RowReader(
        width=len(job.file.header),
        time_column=job.file.time_column,
        columns=job.columns,
        parse_time=job.parse_time,
        decimal_comma=job.file.decimal_comma,
    )
    if job.shift_to_now:
        reader = _shifted(reader, job)
    rejects = Rejects(job.rejects, report=lambda line: typer.echo(line, err=True))
    async with Publisher(broker, lost_for=LOST_FOR) as publisher:
        work = Replay(
            reader=reader,
            tenant=job.tenant,
            sender=publisher,
            rejects=rejects,
            clock=system_clock,
            speed=job.speed,
        )
        reporting = asyncio.create_task(_report_progress(work.tally, publisher))
        try:
            await work.run(job.file.rows())
        except OSError as error:
            raise Fault(f"--rejects: {job.rejects}: {error.strerror}") from error
        finally:
            reporting.cancel()
            rejects.close()
            _show_tally(work.tally, acknowledged=publisher.acknowledged, rejects=rejects)
    if publisher.unheard:
        raise Fault(
            f"{broker.url} took {publisher.unheard} messages while nobody was subscribed, so they are lost: "
            "start ingest first, and send the file again"
        )


def _shifted(reader: RowReader, job: _Job) -> RowReader:
    times = []
    for row in job.file.rows():
        try:
            times.append(reader.time_of(row))
        except ValueError:
            continue  # read again, and rejected, when it is its turn
    if not times:
        raise Fault(f"{job.file.path}: no row has a time that can be read")
    anchor = min(times) if job.speed == 1 else max(times)
    return RowReader(
        width=reader.width,
        time_column=reader.time_column,
        columns=reader.columns,
        parse_time=reader.parse_time,
        decimal_comma=reader.decimal_comma,
        shift=system_clock() - anchor,
    )


def _show_plan(job: _Job, broker: Broker) -> None:
    typer.echo(f"{job.file.path} to {broker.url}, tenant {job.tenant}; time is {job.file.header[job.file.time_column]}")
    for column in job.columns:
        note = "" if column.unit_known else f" (no unit known; --unit '{column.header}=UNIT' says it)"
        typer.echo(f"  {column.header} -> {column.device} {column.metric} in {column.unit}{note}")


async def _report_progress(tally: Tally, publisher: Publisher) -> None:
    while True:
        await asyncio.sleep(5)
        lost = "" if publisher.connected else "; the broker is away"
        typer.echo(f"  {tally.rows} rows read, {publisher.acknowledged} readings acknowledged{lost}", err=True)


def _show_tally(tally: Tally, *, acknowledged: int, rejects: Rejects) -> None:
    lines = [f"rows read             {tally.rows}", f"readings sent         {tally.sent}"]
    lines += [f"readings acknowledged {acknowledged}", f"empty cells           {tally.empty}"]
    lines += [f"rejected              {tally.rejected}" + (f", see {rejects.path}" if rejects.count else "")]
    if tally.repeated:
        lines.append(f"rows with a time that an earlier row has  {tally.repeated} (all were sent)")
    if tally.first_ts is not None and tally.last_ts is not None:
        lines.append(f"from {rfc3339(from_millis(tally.first_ts))} to {rfc3339(from_millis(tally.last_ts))}")
    typer.echo("\n".join(lines))


def _speed(text: str) -> float:
    try:
        speed = 0.0 if text == "max" else float(text)
    except ValueError as error:
        raise Fault(f"--speed: {text!r} is neither a number nor `max`") from error
    if not 0 <= speed < float("inf"):
        raise Fault(f"--speed: expected a number from 0, got {text}")
    return speed
