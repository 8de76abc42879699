"""`sensorcast lake forget | retain`: delete readings from hot store and lake, and say what went."""

import asyncio
from typing import Annotated

import typer

from sensorcast_archiver.lake.care.forget import Doomed, find
from sensorcast_archiver.lake.care.forget import forget as remove
from sensorcast_archiver.lake.rows import DAY_MS
from sensorcast_archiver.opened import Opened, day_number, devices_of, run
from sensorcast_common.clock import from_millis, system_clock
from sensorcast_common.names import is_name
from sensorcast_common.tables.devices import DevicesTable
from sensorcast_common.tables.hot_store import HotStore

DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done; change nothing.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


def forget(
    *,
    tenant: Annotated[str, typer.Option(help="Whose readings.")],
    device: Annotated[str | None, typer.Option(help="Of one device only.")] = None,
    before: Annotated[str | None, typer.Option(metavar="DAY", help="Only what was measured before this day.")] = None,
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """Delete a tenant's or a device's readings from hot store and lake, and say what went."""
    for option, name in (("--tenant", tenant), ("--device", device or "any")):
        if not is_name(name):
            raise typer.BadParameter(f"{name[:64]!r} is not a name", param_hint=option)
    until = day_number(before, "--before") * DAY_MS if before else None
    doomed = Doomed(tenant=tenant, device=device, before=until)
    run(lambda lake: _forget(lake, doomed, dry_run=dry_run, yes=yes))


def retain(
    policies: Annotated[list[str], typer.Argument(metavar="TENANT=DAYS", help="Such as acme=365.")],
    *,
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """Delete what is older than each tenant may keep; to be run every day."""
    doomed = [_policy(policy) for policy in policies]

    async def work(lake: Opened) -> None:
        for each in doomed:
            await _forget(lake, each, dry_run=dry_run, yes=yes)

    run(work)


async def _forget(lake: Opened, doomed: Doomed, *, dry_run: bool, yes: bool) -> None:
    async with lake.aws.client("dynamodb") as dynamodb:
        hot, known = HotStore(dynamodb, lake.names), DevicesTable(dynamodb, lake.names)
        found = await asyncio.to_thread(find, lake.table, doomed)
        devices = sorted({*await devices_of(known, doomed.tenant), *found.devices})
        if doomed.device is not None:
            devices = [doomed.device]
        chunks = [await hot.forget(doomed.tenant, each, before=doomed.before, dry_run=True) for each in devices]
        what = f"tenant {doomed.tenant}" + (f", device {doomed.device}" if doomed.device else "")
        if doomed.before is not None:
            what += f", before {from_millis(doomed.before).date()}"
        typer.echo(
            f"{what}: {found.rows} readings on {len(found.days)} days in the lake, "
            f"{sum(chunks)} chunks in the hot store, {len(devices)} devices"
        )
        if dry_run or not (found.rows or sum(chunks) or (devices and doomed.before is None)):
            return
        if not yes:
            typer.confirm("Delete them for good?", abort=True)
        for each in devices:
            await hot.forget(doomed.tenant, each, before=doomed.before)
            if doomed.before is None:
                await known.remove(doomed.tenant, each)
        with typer.progressbar(length=sum(day.rows for day in found.days), label="writing days anew") as bar:
            gone = await asyncio.to_thread(remove, lake.table, doomed, tick=bar.update)
        typer.echo(
            f"{what}: deleted {gone} readings from the lake, {sum(chunks)} chunks from the hot store. "
            "Older snapshots hold the readings until they expire (`sensorcast lake expire`)."
        )


def _policy(text: str) -> Doomed:
    tenant, _, days = text.partition("=")
    if not is_name(tenant) or not days.isdigit() or not 1 <= int(days) <= 36_500:
        raise typer.BadParameter(f"{text!r} is not TENANT=DAYS, such as acme=365", param_hint="TENANT=DAYS")
    midnight = system_clock() // DAY_MS * DAY_MS
    return Doomed(tenant=tenant, before=midnight - int(days) * DAY_MS)
