"""`sensorcast backtest` prints a table, writes what it is asked for, and names what is wrong."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from sensorcast_common.cli import build

COLD = ("--only", "predict_linear,sensorcast", "--origins", "8")


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(build(only="backtest"), ["backtest", *map(str, arguments)])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    values = 5 + 2 * np.sin(np.arange(400) / 9) + np.random.default_rng(3).normal(0, 0.1, 400)
    start = datetime(2026, 1, 5, tzinfo=UTC)
    lines = ["time,fridge,door"]
    lines += [f"{(start + timedelta(minutes=15 * at)).isoformat()},{value:.2f},1" for at, value in enumerate(values)]
    path = tmp_path / "cold.csv"
    path.write_text("\n".join(lines))
    return path


def test_table_json_and_picture(file: Path, tmp_path: Path) -> None:
    out, picture = tmp_path / "out.json", tmp_path / "out.png"
    made = run(file, "--columns", "fridge", "--horizon", "2h", "--limit", "above:6.5", *COLD, "--json", out,
               "--plot", picture)  # fmt: skip
    assert made.exit_code == 0, made.output
    for text in ("fridge: 8 steps of 15 min", "sensorcast", "naive", "predict_linear", "precision", "8 origins"):
        assert text in made.output
    (told,) = json.loads(out.read_text())
    ours, naive = told["forecasters"]["sensorcast"], told["forecasters"]["naive"]
    assert naive["wql_relative"] == 1
    assert ours["wql_relative"] < 0.7, "a sine is easily better than last value"
    assert {"precision", "recall", "lead_seconds", "brier"} <= ours["breaches"].keys()
    assert ours["breaches"]["questions"] == naive["breaches"]["questions"] > 0
    assert picture.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--columns", "freezer"), "--columns: no column 'freezer'; the file has time, fridge, door"),
        (("--limit", "over:8"), "--limit: 'over' is neither above nor below"),
        (("--limit", "above:warm"), "--limit: 'above:warm' is not a limit such as above:8"),
        (("--horizon", "soon"), "--horizon: 'soon' is not a duration"),
        (("--step", "7min"), "--step: a day is no whole number of 7min"),
        (("--only", "oracle"), "--only: no forecaster 'oracle'; there are sensorcast, naive"),
        (("--horizon", "2d"), "the last 30% hold 120 steps, the horizon has 192"),
        (("--json", "/nowhere/out.json"), "--json: folder /nowhere does not exist"),
    ],
)
def test_fault_names_the_option(file: Path, arguments: tuple[str, ...], said: str) -> None:
    made = run(file, *arguments, *(() if "--only" in arguments else ("--only", "predict_linear")))
    assert made.exit_code == 1
    assert said in " ".join(made.output.split())


def test_bad_cell_is_named_and_left_out(file: Path) -> None:
    lines = file.read_text().splitlines()
    lines[9] = lines[9].replace(",1", ",open")
    file.write_text("\n".join(lines))
    made = run(file, "--only", "predict_linear", "--origins", "2")
    assert made.exit_code == 0, made.output
    assert "row 10, column 'door': 'open' is not a number; left out" in " ".join(made.output.split())
    assert "door: 4 steps of 15 min" in made.output
