"""`sensorcast device`: let a device connect."""

import asyncio
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from botocore.exceptions import BotoCoreError, ClientError

from sensorcast_common.aws import Aws
from sensorcast_common.names import Names, is_name
from sensorcast_common.settings import ServiceSettings, SettingsError, load
from sensorcast_local.devices.authority import Authority
from sensorcast_local.devices.files import DeviceFiles, FileThere
from sensorcast_local.devices.iot_core import Registered, ThingTaken, register

app = typer.Typer(help="Let devices connect.", no_args_is_help=True)


class Broker(StrEnum):
    """Where the device connects."""

    IOT_CORE = "iot-core"
    MOSQUITTO = "mosquitto"


@app.callback()
def device() -> None:
    """Let devices connect."""


@app.command()
def add(
    device: Annotated[str, typer.Argument(help="Its name.")],
    tenant: Annotated[str, typer.Option(help="Whose it is.")],
    broker: Annotated[Broker, typer.Option(help="Where it connects.")] = Broker.IOT_CORE,
    out: Annotated[Path, typer.Option(help="Folder for its certificate and key.")] = Path("devices"),
    authority: Annotated[
        Path, typer.Option(help="Mosquitto: folder of ca.crt, ca.key and acl; made when missing.")
    ] = Path("authority"),
    days: Annotated[int, typer.Option(min=1, max=3650, help="Mosquitto: days that its certificate is valid.")] = 825,
) -> None:
    """Make a certificate for a device, and let it publish its readings and nothing else."""
    for field, value in (("tenant", tenant), ("device", device)):
        if not is_name(value):
            raise typer.BadParameter(f"{value!r} is not a name", param_hint=field)
    files = DeviceFiles(out, tenant, device)
    try:
        files.require_free()
        if broker is Broker.IOT_CORE:
            _add_to_iot_core(files)
        else:
            _add_to_mosquitto(files, authority, days)
    except (SettingsError, ValueError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    except (FileThere, ThingTaken, BotoCoreError, ClientError, OSError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    typer.echo(f"certificate {files.certificate}\nkey         {files.key}")
    typer.echo(f"topic       dt/{tenant}/{device}/readings")


def _add_to_iot_core(files: DeviceFiles) -> None:
    names = Names(load(ServiceSettings).stack)

    async def work() -> Registered:
        async with Aws().client("iot") as iot:
            return await register(iot, names, tenant=files.tenant, device=files.device)

    made = asyncio.run(work())
    files.write(certificate=made.certificate, key=made.key)
    typer.echo(f"broker      mqtts://{made.endpoint}:8883\nclient id   {made.thing}")
    typer.echo(f"certificate id {made.certificate_id}", err=True)


def _add_to_mosquitto(files: DeviceFiles, folder: Path, days: int) -> None:
    signer = Authority(folder, now=datetime.now(UTC))
    certificate, key = signer.issue(f"{files.tenant}/{files.device}", days=days)
    files.write(certificate=certificate, key=key)
    signer.allow(files.tenant, files.device)
    typer.echo(f"authority   {signer.certificate_file}\nacl         {signer.acl_file}")
