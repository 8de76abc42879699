"""`sensorcast api-key`: make, list and revoke API keys, with AWS credentials and not through the API."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Annotated, Final, TypeVar

import typer

from sensorcast_common.aws import Aws
from sensorcast_common.clock import rfc3339, system_clock
from sensorcast_common.names import Names
from sensorcast_common.settings import ServiceSettings, SettingsError, load
from sensorcast_common.tables.api_keys import ApiKey, ApiKeysTable, Role

app = typer.Typer(help="Make, list and revoke API keys.", no_args_is_help=True)

_DURATION: Final = re.compile(r"([1-9][0-9]{0,4})([hdw])")
_UNIT_MS: Final = {"h": 3_600_000, "d": 86_400_000, "w": 7 * 86_400_000}
_LONGEST_MS: Final = 3_660 * 86_400_000

ResultT = TypeVar("ResultT")

Tenant = Annotated[str | None, typer.Option(help="Only this tenant's keys.")]


def duration_ms(text: str) -> int:
    """Milliseconds of a duration such as `12h`, `90d` or `4w`, at most ten years.

    Raises:
        ValueError: It is not one.
    """
    matched = _DURATION.fullmatch(text)
    millis = int(matched[1]) * _UNIT_MS[matched[2]] if matched else 0
    if not 0 < millis <= _LONGEST_MS:
        raise ValueError(f"{text!r} is not a duration such as 12h, 90d or 4w, of ten years at most")
    return millis


@app.command()
def create(
    tenant: Annotated[str, typer.Option(help="The tenant that the key opens.")],
    role: Annotated[Role, typer.Option(help="What it may do.")] = Role.VIEWER,
    expires: Annotated[str, typer.Option(help="How long it is valid: 12h, 90d, 4w.")] = "90d",
    name: Annotated[str, typer.Option(help="What it is for.")] = "",
) -> None:
    """Make a key and show it, once."""
    try:
        lifetime = duration_ms(expires)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--expires") from error

    async def work(keys: ApiKeysTable) -> tuple[str, ApiKey]:
        now = system_clock()
        return await keys.create(tenant=tenant, role=role, name=name, expires_at=now + lifetime, now=now)

    key, made = _run(work)
    typer.echo(key)
    typer.echo(
        f"id {made.key_id}, role {made.role}, tenant {made.tenant}, until {rfc3339(made.expires_at)}; "
        "it is not stored and not shown again",
        err=True,
    )


@app.command("ls")
def ls(tenant: Tenant = None) -> None:
    """List keys; never the keys themselves."""
    now = system_clock()
    for key in _run(lambda keys: keys.list(tenant)):
        state = "valid" if key.is_valid(now) else "revoked" if key.revoked_at else "expired"
        typer.echo(f"{key.key_id}  {state:7}  {key.role:8}  {key.tenant}  until {rfc3339(key.expires_at)}  {key.name}")


@app.command()
def revoke(key_id: Annotated[str, typer.Argument(help="The id that `ls` shows.")]) -> None:
    """Make a key open nothing; running services notice within half a minute."""
    if _run(lambda keys: keys.revoke(key_id, now=system_clock())) is None:
        typer.echo(f"there is no key with the id {key_id!r}", err=True)
        raise typer.Exit(1)


def _run(work: Callable[[ApiKeysTable], Awaitable[ResultT]]) -> ResultT:
    async def run() -> ResultT:
        names = Names(load(ServiceSettings).stack)
        async with Aws().client("dynamodb") as client:
            return await work(ApiKeysTable(client, names))

    try:
        return asyncio.run(run())
    except (ValueError, SettingsError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
