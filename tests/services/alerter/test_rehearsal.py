"""A dry run says what the same rules would have done."""

import asyncio
from pathlib import Path

from tests.services.alerter.observations import forecast, limit_rule, reading
from tests.services.alerter.room import opened_room, spans
from typer.testing import CliRunner

from sensorcast_alerter.rules_command import app
from sensorcast_common.rule import ForecastCondition
from sensorcast_rules.rehearse import rehearse

RULES = """
tenant: acme
rules:
  - {rule_id: chilled, name: Chilled, condition: {above: 8, hold_seconds: 120, forecast: {}}, sms: ["+4915112345678"]}
"""


def test_it_ends_in_the_incidents_of_the_live_code() -> None:
    rule = limit_rule(hold_seconds=120, forecast=ForecastCondition())
    values = [5, 7, 9, 9, 9, 9, 7, 5, 9, 5, 9, 9, 9, 9, 9, 5]
    readings = [reading(f"00:{minute:02}", value) for minute, value in enumerate(values)]
    foreseen = [forecast("00:00", 0.9, last_value=5), forecast("01:00", 0.9, last_value=5)]

    async def live() -> list[tuple[str, str, str | None]]:
        room = await opened_room(rule)
        await room.play(foreseen[0], *readings, foreseen[1])
        return spans(room.incidents)

    async def dry() -> None:
        late = [reading("03:00", 5)]
        result = await rehearse([rule], [*readings, *late], foreseen)
        assert spans(result.incidents)[:2] == (await live())[:2]
        assert (len(result.incidents), result.sms) == (3, 3)
        assert (result.came_true, result.false_alarms, result.missed) == (1, 1, 1)
        assert result.lead_minutes == (2,)

    asyncio.run(dry())


def test_the_command_reports_and_draws(tmp_path: Path) -> None:
    rules, data, picture = tmp_path / "rules.yaml", tmp_path / "fridge.csv", tmp_path / "out.png"
    known = tmp_path / "forecasts.jsonl"
    rules.write_text(RULES)
    rows = "".join(f"2025-01-15T00:{minute:02}:00Z,{9 if 5 <= minute < 12 else 5}\n" for minute in range(20))
    data.write_text("time,temperature\n" + rows)
    foreseen = forecast("00:01", 0.9, last_value=5).model_copy(update={"device": "fridge"})
    known.write_text(foreseen.model_dump_json() + "\n")
    arguments = ["test", str(rules), "--data", str(data), "--forecasts", str(known), "--plot", str(picture)]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert "2025-01-15T00:01:00.000Z  chilled  fridge temperature  above 8  came_true  back_inside" in result.output
    assert "20 readings (0 rejected), 1 forecasts\n1 alerts, 1 SMS\n1 predicted and came true" in result.output
    assert "warned 4 minutes ahead" in result.output
    assert picture.read_bytes().startswith(b"\x89PNG")
    known.write_text("{}\n")
    broken = CliRunner().invoke(app, arguments)
    assert broken.exit_code == 2
    assert "forecasts.jsonl: line 1: tenant: Field required" in broken.output


def test_rules_about_labels_ask_what_the_devices_are(tmp_path: Path) -> None:
    rules, data, labels = tmp_path / "rules.yaml", tmp_path / "fridges.csv", tmp_path / "labels.yaml"
    rules.write_text(RULES.replace("condition:", "labels: {site: north*}, condition:"))
    rows = "".join(f"2025-01-15T00:{minute:02}:00Z,9,9\n" for minute in range(10))
    data.write_text("time,a,b\n" + rows)
    arguments = ["test", str(rules), "--data", str(data), "--columns-are-devices", "temperature"]

    def alerts(*more: str) -> tuple[int, str]:
        result = CliRunner().invoke(app, [*arguments, *more])
        return result.exit_code, result.output

    code, said = alerts()
    assert code == 2
    assert "rule chilled: labels: no device has site; say with --label site=VALUE" in " ".join(said.split())
    assert "2 alerts" in alerts("--label", "site=north-1")[1]
    assert "0 alerts" in alerts("--label", "site=south")[1]
    labels.write_text("a: {site: north-2}\nb: {site: south}\n")
    code, said = alerts("--labels", str(labels))
    assert "1 alerts" in said
    assert "chilled  a temperature" in said
    # What is said of one device goes before what is said of all.
    assert "1 alerts" in alerts("--labels", str(labels), "--label", "site=south")[1]
    assert alerts("--label", "north")[0] == 2
    labels.write_text("a: 5\n")
    code, said = alerts("--labels", str(labels))
    assert (code, "labels.yaml: a: Input should be a valid dictionary" in " ".join(said.split())) == (2, True)
