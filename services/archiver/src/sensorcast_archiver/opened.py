"""The lake of the settings and the AWS account, opened for one command."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

import typer
from botocore.exceptions import BotoCoreError, ClientError
from pyiceberg.exceptions import CommitFailedException, RESTError
from pyiceberg.table import Table

from sensorcast_archiver.lake.care.replace import Overtaken
from sensorcast_archiver.lake.catalog import open_table
from sensorcast_archiver.lake.opening import lake_properties
from sensorcast_archiver.lake.rows import DAY_MS
from sensorcast_archiver.lake.schema import LakeTableError
from sensorcast_archiver.settings import ArchiverSettings
from sensorcast_common.aws import Aws
from sensorcast_common.clock import to_millis
from sensorcast_common.names import Names
from sensorcast_common.settings import SettingsError, load
from sensorcast_common.tables.devices import DevicesTable

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What a command works with."""

    settings: ArchiverSettings
    aws: Aws
    names: Names
    table: Table


def run(work: Callable[[Opened], Awaitable[T]]) -> T:
    """Open the lake and work with it; what goes wrong is said in one line.

    Raises:
        typer.Exit: 2 for a wrong setting, 1 for what AWS or the lake refuses.
    """

    async def with_lake() -> T:
        settings = load(ArchiverSettings)
        aws, names = Aws(), Names(settings.stack)
        properties = await lake_properties(settings, aws, names)
        table = await asyncio.to_thread(
            open_table, properties, namespace=names.lake_namespace, name=names.lake_readings
        )
        return await work(Opened(settings=settings, aws=aws, names=names, table=table))

    try:
        return asyncio.run(with_lake())
    except SettingsError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    except (BotoCoreError, ClientError, CommitFailedException, LakeTableError, Overtaken, RESTError, OSError) as error:
        typer.echo(f"{type(error).__name__}: {error}", err=True)
        raise typer.Exit(1) from error


def day_number(text: str, option: str) -> int:
    """Days since 1970 of a day such as 2026-03-01.

    Raises:
        typer.BadParameter: It is not one.
    """
    try:
        moment = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is not a day such as 2026-03-01", param_hint=option) from error
    return to_millis(moment) // DAY_MS


async def devices_of(table: DevicesTable, tenant: str) -> list[str]:
    """Every device of a tenant, by name."""
    found: list[str] = []
    cursor: str | None = None
    while True:
        devices, cursor = await table.list(tenant, limit=1000, cursor=cursor)
        found += [device.device for device in devices]
        if cursor is None:
            return found
