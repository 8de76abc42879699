"""The command `sensorcast`: each subcommand lives with the part it drives and is found by its entry point.

A distribution adds a subcommand by an entry point in the group `sensorcast.commands`; it names a `typer.Typer`, which
becomes a group of commands, or a function, which becomes one command.
"""

import sys
from importlib.metadata import entry_points

import typer

GROUP = "sensorcast.commands"


def build(*, only: str | None = None) -> typer.Typer:
    """Assemble the command from what is installed.

    Args:
        only: The one subcommand that will be run, so that the others need not be imported; `None`, or a name that no
            subcommand has, assembles all of them.

    Raises:
        TypeError: An entry point names neither a `typer.Typer` nor a function.
    """
    app = typer.Typer(
        name="sensorcast",
        help="Sensors over MQTT, forecasts, and an SMS before the goods spoil.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )

    @app.callback()
    def root() -> None:
        """Sensors over MQTT, forecasts, and an SMS before the goods spoil."""

    found = sorted(entry_points(group=GROUP), key=lambda each: each.name)
    for entry_point in [each for each in found if each.name == only] or found:
        command: object = entry_point.load()
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=entry_point.name)
        elif callable(command):
            app.command(entry_point.name)(command)
        else:
            raise TypeError(f"{entry_point.value}: neither a typer.Typer nor a function")
    return app


def main() -> None:
    """Run the command."""
    build(only=next(iter(sys.argv[1:]), None))()
