"""The command `sensorcast rules`."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated

import typer
from botocore.exceptions import BotoCoreError, ClientError

from sensorcast_alerter.condition_words import in_words
from sensorcast_alerter.rules_file import RulesFileError, parse_rules
from sensorcast_common.aws import Aws
from sensorcast_common.names import Names
from sensorcast_common.rule import Rule
from sensorcast_common.tables.rules import RuleConflict, RulesTable

app = typer.Typer(help="Alert rules.", no_args_is_help=True)

Stack = Annotated[str, typer.Option(envvar="SENSORCAST_STACK", help="Prefix of the AWS resource names.")]


@app.command()
def apply(
    file: Annotated[Path, typer.Argument(help="Rules in YAML.", exists=True, dir_okay=False, readable=True)],
    stack: Stack = "sensorcast",
) -> None:
    """Create the rules of a file, and change those that differ; rules that are not in the file stay."""
    try:
        rules = parse_rules(file.read_text(encoding="utf-8"))
    except (RulesFileError, UnicodeDecodeError) as error:
        for line in str(error).splitlines():
            typer.echo(f"{file}: {line}", err=True)
        raise typer.Exit(2) from error
    for line in _run(_apply(rules, Names(stack))):
        typer.echo(line)


@app.command("ls")
def ls(
    tenant: Annotated[str | None, typer.Option(help="Only this tenant's.")] = None, stack: Stack = "sensorcast"
) -> None:
    """List the rules, one a line."""
    for line in _run(_list(tenant, Names(stack))):
        typer.echo(line)


def _run(work: Coroutine[object, object, list[str]]) -> list[str]:
    try:
        return asyncio.run(work)
    except (BotoCoreError, ClientError, RuleConflict) as error:
        typer.echo(f"{type(error).__name__}: {error}", err=True)
        raise typer.Exit(1) from error


async def _apply(rules: list[Rule], names: Names) -> list[str]:
    lines = []
    async with Aws().client("dynamodb") as dynamodb:
        table = RulesTable(dynamodb, names)
        for rule in rules:
            before = await table.get(rule.tenant, rule.rule_id)
            after = await table.apply(rule)
            outcome = "created" if before is None else "changed" if after.version > before.version else "unchanged"
            lines.append(f"{rule.tenant}/{rule.rule_id}: {outcome}, version {after.version}")
    return lines


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
