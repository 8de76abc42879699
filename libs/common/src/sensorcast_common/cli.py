"""The command `sensorcast`: each subcommand lives with the part it drives and is found by its entry point.

A distribution adds a subcommand by an entry point in the group `sensorcast.commands`; it names a `typer.Typer`, which
becomes a group of commands, or a function, which becomes one command.
"""

from importlib.metadata import entry_points

import typer

GROUP = "sensorcast.commands"


def build() -> typer.Typer:
    """Assemble the command from what is installed.

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

    for entry_point in sorted(entry_points(group=GROUP), key=lambda each: each.name):
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
    build()()
