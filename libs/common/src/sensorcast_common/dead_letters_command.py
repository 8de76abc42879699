"""`sensorcast dlq`: count, show and send back what was set aside, with an operator's AWS credentials."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import typer
from botocore.exceptions import BotoCoreError, ClientError

from sensorcast_common.aws import Aws
from sensorcast_common.dead_letters import DeadLetters, NotAccepted, QueueMissing
from sensorcast_common.names import Names
from sensorcast_common.settings import ServiceSettings, SettingsError, load

app = typer.Typer(help="Count, show and send back what was set aside.", no_args_is_help=True)

ResultT = TypeVar("ResultT")

HEAD = 300  # characters of a body that are shown

Queue = Annotated[str, typer.Option(help="The working queue, with or without the stack's name: archive, watch, ...")]


@app.command("ls")
def ls() -> None:
    """How many messages wait in each dead-letter queue."""
    for queue, count in _run(lambda letters, _: letters.counts()).items():
        typer.echo(f"{count:8}  {queue}")


@app.command()
def show(
    queue: Queue,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Messages at most.")] = 10,
    whole: Annotated[bool, typer.Option(help="Bodies as they are, not only their beginning.")] = False,
) -> None:
    """Show messages with the reason of their setting aside; they stay where they are."""
    for letter in _run(lambda letters, names: letters.show(_full(queue, names), limit=limit)):
        reason = letter.reason or "received too often"
        times = f"received {letter.receive_count} times"
        typer.echo(f"{letter.sent_at:%Y-%m-%dT%H:%M:%SZ}  {letter.message_id}  {reason} ({times})")
        typer.echo(letter.body if whole or len(letter.body) <= HEAD else f"{letter.body[:HEAD]} ...")


@app.command()
def redrive(queue: Queue, limit: Annotated[int, typer.Option(min=1, help="Messages at most.")] = 1_000_000) -> None:
    """Send messages back to their queue."""
    moved = _run(lambda letters, names: letters.redrive(_full(queue, names), limit=limit))
    typer.echo(f"{moved} sent back to {queue}")


def _full(queue: str, names: Names) -> str:
    return queue if queue.startswith(f"{names.stack}-") else f"{names.stack}-{queue}"


def _run(work: Callable[[DeadLetters, Names], Awaitable[ResultT]]) -> ResultT:
    async def run() -> ResultT:
        names = Names(load(ServiceSettings).stack)
        async with Aws().client("sqs") as sqs:
            return await work(DeadLetters(sqs, names), names)

    try:
        return asyncio.run(run())
    except SettingsError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    except (QueueMissing, NotAccepted, BotoCoreError, ClientError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
