"""The command `sensorcast recipients`."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated

import typer
from botocore.exceptions import BotoCoreError, ClientError

from sensorcast_alerter.contacts_file import ContactsFile, ContactsFileError, parse_contacts
from sensorcast_alerter.notify.route import ways_to
from sensorcast_alerter.whoami import account_name
from sensorcast_common.aws import Aws
from sensorcast_common.names import Names
from sensorcast_common.recipient import Recipient
from sensorcast_common.tables.contact_items import ContactConflict, ContactItems, ModelT
from sensorcast_common.tables.contacts import ContactsTable

app = typer.Typer(help="Who is told of incidents.", no_args_is_help=True)

Stack = Annotated[str, typer.Option(envvar="SENSORCAST_STACK", help="Prefix of the AWS resource names.")]


@app.command()
def apply(
    file: Annotated[
        Path,
        typer.Argument(help="Recipients, escalations, silences in YAML.", exists=True, dir_okay=False, readable=True),
    ],
    stack: Stack = "sensorcast",
) -> None:
    """Create the recipients, escalations and silences of a file, and change those that differ; others stay."""
    try:
        contacts = parse_contacts(file.read_text(encoding="utf-8"), by=account_name() or "sensorcast recipients")
    except (ContactsFileError, UnicodeDecodeError) as error:
        for line in str(error).splitlines():
            typer.echo(f"{file}: {line}", err=True)
        raise typer.Exit(2) from error
    for line in _run(_apply(contacts, Names(stack))):
        typer.echo(line)


@app.command("ls")
def ls(tenant: Annotated[str, typer.Option(help="Whose.")], stack: Stack = "sensorcast") -> None:
    """List a tenant's recipients, one a line; secrets are not shown."""
    for line in _run(_list(tenant, Names(stack))):
        typer.echo(line)


def _run(work: Coroutine[object, object, list[str]]) -> list[str]:
    try:
        return asyncio.run(work)
    except (BotoCoreError, ClientError, ContactConflict) as error:
        typer.echo(f"{type(error).__name__}: {error}", err=True)
        raise typer.Exit(1) from error


async def _apply(contacts: ContactsFile, names: Names) -> list[str]:
    async with Aws().client("dynamodb") as dynamodb:
        table = ContactsTable(dynamodb, names)
        lines = [await _applied(table.recipients, each, each.recipient_id) for each in contacts.recipients]
        lines += [await _applied(table.escalations, each, each.escalation_id) for each in contacts.escalations]
        lines += [await _applied(table.silences, each, each.silence_id) for each in contacts.silences]
    return lines


async def _applied(items: ContactItems[ModelT], thing: ModelT, identity: str) -> str:
    before = await items.get(thing.tenant, identity)
    after = await items.apply(thing)
    outcome = "created" if before is None else "changed" if after.version > before.version else "unchanged"
    return f"{thing.tenant}/{identity}: {outcome}, version {after.version}"


async def _list(tenant: str, names: Names) -> list[str]:
    async with Aws().client("dynamodb") as dynamodb:
        return [_line(each) for each in await ContactsTable(dynamodb, names).recipients.list(tenant)]


def _line(recipient: Recipient) -> str:
    words = [recipient.recipient_id, f"v{recipient.version}", recipient.name, ",".join(recipient.roles)]
    words += [channel for channel, _ in ways_to(recipient)]
    words += [f"{name}={wanted}" for name, wanted in sorted(recipient.labels.items())]
    return "  ".join(words if recipient.enabled else [*words, "(disabled)"])
