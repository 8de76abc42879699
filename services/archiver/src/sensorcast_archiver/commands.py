"""`sensorcast lake`: care for the lake, compare it with the hot store, delete from both."""

import asyncio
from typing import Annotated, Final

import typer

from sensorcast_archiver.forget_commands import DryRun, forget, retain
from sensorcast_archiver.lake.care import compact as compaction
from sensorcast_archiver.lake.care import expire as expiry
from sensorcast_archiver.lake.care import rewrite
from sensorcast_archiver.lake.care.verify import verify as compared
from sensorcast_archiver.lake.rows import DAY_MS
from sensorcast_archiver.opened import Opened, day_number, devices_of, run
from sensorcast_common.clock import system_clock
from sensorcast_common.tables.devices import DevicesTable
from sensorcast_common.tables.hot_store import HotStore

app = typer.Typer(help="The lake: compact, expire, verify, forget.", no_args_is_help=True)
app.command("forget")(forget)
app.command("retain")(retain)

_HOUR_MS: Final = 3_600_000
_MIB: Final = 1024 * 1024


@app.command()
def compact(
    *,
    until: Annotated[str | None, typer.Option(metavar="DAY", help="Days before this one (default: today, UTC)")] = None,
    every: Annotated[bool, typer.Option("--all", help="Tidy days too.")] = False,
    target_mb: Annotated[float, typer.Option(min=1, max=1024, help="Size of a file.")] = 128,
    dry_run: DryRun = False,
) -> None:
    """Write days with several small files anew: sorted, each reading once, in files of 128 MB.

    Archivers may go on writing. Each day is a commit of its own; what is interrupted goes on with the next call.
    """
    before = day_number(until, "--until") if until else system_clock() // DAY_MS

    async def work(lake: Opened) -> None:
        found = await asyncio.to_thread(rewrite.days, lake.table)
        target = round(target_mb * _MIB)
        chosen = compaction.untidy(found, before=before, target_bytes=target)
        if every:
            chosen = [day for day in found if day.number < before]
        rows = sum(day.rows for day in chosen)
        typer.echo(f"{len(chosen)} of {len(found)} days to write anew, {rows} readings")
        if dry_run or not chosen:
            return
        with typer.progressbar(length=rows, label="compacting") as bar:
            done = await asyncio.to_thread(compaction.compact, lake.table, chosen, target_bytes=target, tick=bar.update)
        typer.echo(
            f"days {done.days}, files {done.files_before} -> {done.files_after}, "
            f"bytes {done.bytes_before} -> {done.bytes_after}, readings {done.rows}, "
            f"repeats removed {done.repeats}"
            + (f", days that another compaction was faster with {done.overtaken}" if done.overtaken else "")
        )

    run(work)


@app.command()
def expire(
    *,
    older_than_hours: Annotated[float, typer.Option(min=0, help="Age at which a snapshot goes.")] = 120.0,
    orphans_older_than_days: Annotated[float, typer.Option(min=0, help="Age of files that nothing refers to.")] = 3.0,
    dry_run: DryRun = False,
) -> None:
    """Forget old snapshots, and delete files that no snapshot refers to."""

    async def work(lake: Opened) -> None:
        now = system_clock()
        lookback = round(lake.settings.lake_lookback_hours * _HOUR_MS)
        age = round(older_than_hours * _HOUR_MS)
        try:
            if not dry_run:
                gone = expiry.expire(lake.table, age_ms=age, lookback_ms=lookback, now=now)
                typer.echo(f"snapshots expired {gone}, kept {len(lake.table.snapshots())}")
        except ValueError as error:
            raise typer.BadParameter(str(error), param_hint="--older-than-hours") from error
        try:
            lost = await asyncio.to_thread(
                expiry.orphans, lake.table, age_ms=round(orphans_older_than_days * DAY_MS), now=now
            )
        except ValueError as error:
            raise typer.BadParameter(str(error), param_hint="--orphans-older-than-days") from error
        except OSError as error:
            typer.echo(f"files cannot be listed here (S3 Tables removes orphans by itself): {error}", err=True)
            return
        size = sum(each for _, each in lost)
        if not dry_run:
            with typer.progressbar(length=len(lost), label="deleting") as bar:
                await asyncio.to_thread(expiry.remove, lake.table, [path for path, _ in lost], tick=bar.update)
        typer.echo(f"orphans {'found' if dry_run else 'deleted'} {len(lost)}, {size} bytes")

    run(work)


@app.command()
def verify(
    day: Annotated[str, typer.Argument(help="The day, UTC, such as 2026-03-01.")],
    *,
    tenant: Annotated[list[str], typer.Option(help="Whose devices; may be repeated.")],
) -> None:
    """Compare hot store and lake for a day and name every difference; exit code 1 where there is one.

    Ask for a day that the hot store still keeps and that is over for longer than a commit takes.
    """
    number = day_number(day, "DAY")

    async def work(lake: Opened) -> int:
        count = readings = 0
        async with lake.aws.client("dynamodb") as dynamodb:
            devices = [
                (of, device) for of in tenant for device in await devices_of(DevicesTable(dynamodb, lake.names), of)
            ]
            with typer.progressbar(length=len(devices), label="comparing") as bar:
                async for several, found in compared(lake.table, HotStore(dynamodb, lake.names), devices, day=number):
                    readings += several
                    count += len(found)
                    for difference in found:
                        typer.echo(str(difference))
                    bar.update(1)
        typer.echo(f"devices {len(devices)}, readings {readings}, differences {count}")
        return count

    if run(work):
        raise typer.Exit(1)
