"""The command is made of what is installed."""

from typer.testing import CliRunner

from sensorcast_common.cli import build


def test_every_installed_command_is_listed() -> None:
    listed = CliRunner().invoke(build(), ["--help"]).output
    for command in ("up", "simulate", "replay", "rules", "recipients", "doctor", "api-key"):
        assert command in listed


def test_one_command_works_without_the_others() -> None:
    app = build(only="replay")
    assert "no such file" in CliRunner().invoke(app, ["replay", "absent.csv"]).output.lower()
    assert len(app.registered_commands) + len(app.registered_groups) == 1


def test_an_unknown_command_is_told_apart_from_all_that_exist() -> None:
    result = CliRunner().invoke(build(only="relpay"), ["relpay"])
    assert result.exit_code == 2
    assert "No such command 'relpay'" in result.output
