"""What `sensorcast backtest` writes is what `sensorcast rules test` reads."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from typer.testing import CliRunner, Result

from sensorcast_common.cli import build
from sensorcast_common.forecast import Forecast

RULES = """
tenant: acme
rules:
  - {rule_id: chilled, name: Chilled, condition: {above: 8, forecast: {min_probability: 0.5}}, sms: ["+4915112345678"]}
"""


def run(command: str, *arguments: str | Path) -> Result:
    return CliRunner().invoke(build(only=command), [command, *map(str, arguments)])


def test_forecasts_of_a_backtest_are_tried_on_rules(tmp_path: Path) -> None:
    # A fridge whose cycle leaves its limit every two hours.
    minutes = np.arange(0, 4000, 5)
    values = 6 + 3 * np.sin(2 * np.pi * minutes / 120) + np.random.default_rng(1).normal(0, 0.05, len(minutes))
    start = datetime(2026, 1, 5, tzinfo=UTC)
    rows = [
        f"{(start + timedelta(minutes=int(at))).isoformat()},{value:.2f}"
        for at, value in zip(minutes, values, strict=True)
    ]
    data, rules, out = tmp_path / "fridge 1.csv", tmp_path / "rules.yaml", tmp_path / "out.jsonl"
    data.write_text("\n".join(["time,Temperature", *rows]))
    rules.write_text(RULES)
    options = ("--only", "sensorcast", "--origins", "12", "--limit", "above:8", "--forecasts", out)
    made = run("backtest", data, *options)
    assert made.exit_code == 0, made.output
    forecasts = [Forecast.model_validate_json(line) for line in out.read_text().splitlines()]
    assert len(forecasts) == 12
    tried = run("rules", "test", rules, "--data", data, "--forecasts", out)
    assert tried.exit_code == 0, tried.output
    assert "800 readings (0 rejected), 12 forecasts" in tried.output
    # The forecasts are of the series that the readings are of.
    assert re.search(r"^[1-9]\d* predicted and came true, 0 false alarms", tried.output, re.MULTILINE)
