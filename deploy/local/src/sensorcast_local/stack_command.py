"""`sensorcast stack`: make or update the AWS resources of the template that this version carries."""

import asyncio
from enum import StrEnum
from typing import Annotated

import typer
from botocore.exceptions import BotoCoreError, ClientError

from sensorcast_common.aws import Aws
from sensorcast_common.names import Names
from sensorcast_common.settings import ServiceSettings, SettingsError, load
from sensorcast_local.stack import StackFailed, deploy_stack, template_body


class Part(StrEnum):
    """A template of deploy/aws."""

    MAIN = "main"
    PRODUCTION = "production"
    ALARMS = "alarms"


app = typer.Typer(help="Make or update the AWS resources.", no_args_is_help=True)


@app.callback()
def stack() -> None:
    """Make or update the AWS resources."""


@app.command()
def deploy(
    parameter: Annotated[
        list[str],
        typer.Option(help="A parameter of the template, KEY=VALUE; may be repeated. Others keep their value."),
    ] = [],  # noqa: B006 - typer copies it
    part: Annotated[
        Part, typer.Option(help="`main`; or what stands beside it: `production` (roles, IoT Core), `alarms`.")
    ] = Part.MAIN,
) -> None:
    """Create the stack named by SENSORCAST_STACK, or update it; changes nothing where nothing has changed.

    What stands beside it is a stack of its own, called `{SENSORCAST_STACK}-production` and the like.
    """
    values = {}
    for each in parameter:
        key, equals, value = each.partition("=")
        if not equals or not key:
            raise typer.BadParameter(f"{each!r} is not KEY=VALUE", param_hint="--parameter")
        values[key] = value

    async def work() -> dict[str, str]:
        names = Names(load(ServiceSettings).stack)
        async with Aws().client("cloudformation") as cloudformation:
            if part is Part.MAIN:
                return await deploy_stack(cloudformation, stack=names.stack, parameters=values)
            return await deploy_stack(
                cloudformation,
                stack=f"{names.stack}-{part}",
                parameters={"StackPrefix": names.stack, **values},
                template=template_body(f"sensorcast-{part}.yaml"),
            )

    try:
        outputs = asyncio.run(work())
    except SettingsError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    except (StackFailed, TimeoutError, BotoCoreError, ClientError) as error:
        typer.echo(str(error) or "the stack was not done in time", err=True)
        raise typer.Exit(1) from error
    for key, value in sorted(outputs.items()):
        typer.echo(f"{key} {value}")
