"""The command `sensorcast rules`."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated

import typer
from botocore.exceptions import BotoCoreError, ClientError

from sensorcast_alerter.condition_words import in_words
from sensorcast_alerter.rehearsal_command import rehearse_file
from sensorcast_alerter.rules_file import RulesFile, RulesFileError, parse_file
from sensorcast_alerter.whoami import account_name
from sensorcast_common.aws import Aws
from sensorcast_common.names import Names
from sensorcast_common.rule import Rule
from sensorcast_common.tables.products import ProductConflict, ProductsTable
from sensorcast_common.tables.rules import RuleConflict, RulesTable

app = typer.Typer(help="Alert rules.", no_args_is_help=True)
app.command("test")(rehearse_file)

Stack = Annotated[str, typer.Option(envvar="SENSORCAST_STACK", help="Prefix of the AWS resource names.")]


@app.command()
def apply(
    file: Annotated[Path, typer.Argument(help="Rules in YAML.", exists=True, dir_okay=False, readable=True)],
    stack: Stack = "sensorcast",
) -> None:
    """Create the products and rules of a file, and change those that differ; what is not in the file stays."""
    for line in _run(_apply(read_file(file), Names(stack), by=account_name() or "sensorcast rules")):
        typer.echo(line)


@app.command("ls")
def ls(
    tenant: Annotated[str | None, typer.Option(help="Only this tenant's.")] = None, stack: Stack = "sensorcast"
) -> None:
    """List the rules, one a line."""
    for line in _run(_list(tenant, Names(stack))):
        typer.echo(line)


def read_file(file: Path) -> RulesFile:
    """The products and rules of a file; ends the command, naming what is wrong, where they are not sound."""
    try:
        return parse_file(file.read_text(encoding="utf-8"))
    except (RulesFileError, UnicodeDecodeError) as error:
        for line in str(error).splitlines():
            typer.echo(f"{file}: {line}", err=True)
        raise typer.Exit(2) from error


def _run(work: Coroutine[object, object, list[str]]) -> list[str]:
    try:
        return asyncio.run(work)
    except (BotoCoreError, ClientError, RuleConflict, ProductConflict) as error:
        typer.echo(f"{type(error).__name__}: {error}", err=True)
        raise typer.Exit(1) from error


async def _apply(file: RulesFile, names: Names, *, by: str) -> list[str]:
    lines = []
    async with Aws().client("dynamodb") as dynamodb:
        table, products = RulesTable(dynamodb, names), ProductsTable(dynamodb, names)
        for profile in file.products:
            known = await products.get(profile.tenant, profile.product_id)
            stored = await products.apply(profile, by=by)
            name = f"{profile.tenant}/product {profile.product_id}"
            lines.append(_outcome(name, known.version if known else 0, stored.version))
        for rule in file.rules:
            before = await table.get(rule.tenant, rule.rule_id)
            after = await table.apply(rule, by=by)
            lines.append(_outcome(f"{rule.tenant}/{rule.rule_id}", before.version if before else 0, after.version))
    return lines


def _outcome(name: str, before: int, after: int) -> str:
    outcome = "created" if not before else "changed" if after > before else "unchanged"
    return f"{name}: {outcome}, version {after}"


async def _list(tenant: str | None, names: Names) -> list[str]:
    async with Aws().client("dynamodb") as dynamodb:
        table = RulesTable(dynamodb, names)
        rules = [rule async for rule in table.every()] if tenant is None else await table.list(tenant)
    return [_line(rule) for rule in sorted(rules, key=lambda rule: (rule.tenant, rule.rule_id))]


def _line(rule: Rule) -> str:
    words = [f"{rule.tenant}/{rule.rule_id}", f"v{rule.version}", rule.severity, f"{rule.device} {rule.metric}"]
    words += [f"{name}={wanted}" for name, wanted in sorted(rule.labels.items())]
    words += [*in_words(rule.condition), f"-> {', '.join(rule.sms) or 'nobody'}"]
    return "  ".join(words if rule.enabled else [*words, "(disabled)"])
