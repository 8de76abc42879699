"""`up` refuses in words what it cannot do, and shows what it knows."""

import asyncio
import io
import os
import socket
import stat
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console
from tests.servers.aws import DeployedStack
from typer.testing import CliRunner

from sensorcast_common.cli import build
from sensorcast_common.clock import system_clock, to_millis
from sensorcast_common.device import MetricState, Sighting
from sensorcast_common.incident import Basis, Incident, IncidentState
from sensorcast_common.tables.api_keys import ApiKeysTable, key_hash
from sensorcast_common.tables.contacts import ContactsTable
from sensorcast_common.tables.device_labels import DeviceLabels
from sensorcast_common.tables.devices import DevicesTable
from sensorcast_common.tables.rules import RulesTable
from sensorcast_local.broker import Broker
from sensorcast_local.command import free_port
from sensorcast_local.emulator import SentSms
from sensorcast_local.faults import Fault
from sensorcast_local.running import Running
from sensorcast_local.supervise.program import Condition, State
from sensorcast_local.up.demo import api_key, demo_labels, demo_rules, put_labels, put_rules, send_tick
from sensorcast_local.up.lock import only_one
from sensorcast_local.up.meters import parse
from sensorcast_local.up.people import demo_contacts, put_contacts
from sensorcast_local.up.plan import DEMO_PHONE, Plan, inherited_environment
from sensorcast_local.up.programs import SERVICES, services
from sensorcast_local.up.screen import Header, Screen
from sensorcast_local.up.status import Status

WHEN = datetime(2026, 1, 1, tzinfo=UTC)


def test_busy_port_is_named_with_the_option_that_changes_it(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        arguments = ["up", "--data-dir", str(tmp_path), "--port", str(port)]
        arguments += ["--emulator-port", str(free_port()), "--mqtt-port", str(free_port())]
        result = CliRunner().invoke(build(), arguments)
    assert result.exit_code == 1
    assert f"port {port}" in result.stderr
    assert "--port" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--phone", "0049"], "--phone"),
        (["--tenant", "a/b"], "--tenant"),
        (["--history", "long"], "--history"),
        (["--broker", "http://a"], "mqtt://host:1883"),
        (["--port", "4566"], "three different ports"),
        (["--data-dir", "/proc/no"], "--data-dir"),
    ],
)
def test_wrong_option_is_named(arguments: list[str], said: str) -> None:
    result = CliRunner().invoke(build(), ["up", *arguments])
    assert result.exit_code == 1
    assert said in result.stderr
    assert "Traceback" not in result.stderr


def test_second_up_is_told_of_the_first(tmp_path: Path) -> None:
    with only_one(tmp_path) as killed:
        assert not killed
        with pytest.raises(Fault, match=rf"another .* \(process {os.getpid()}\)"), only_one(tmp_path):
            pass
    with only_one(tmp_path) as killed:
        assert not killed


def test_up_after_a_killed_one_knows_it(tmp_path: Path) -> None:
    code = (
        "import os, signal; from pathlib import Path; from sensorcast_local.up.lock import only_one\n"
        f"with only_one(Path({str(tmp_path)!r})): os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9
    with only_one(tmp_path) as killed:
        assert killed


def test_running_up_is_found_until_it_has_gone(tmp_path: Path) -> None:
    assert Running.find(tmp_path) is None
    running = Running(
        pid=os.getpid(),
        broker=Broker(host="a", port=1, password="secret"),
        tenant="demo",
        api_url="",
        endpoint_url="",
        account="",
        region="",
    )
    running.save(tmp_path)
    assert stat.S_IMODE(Running.file(tmp_path).stat().st_mode) == 0o600
    assert Running.find(tmp_path) == running
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    running.model_copy(update={"pid": process.pid}).save(tmp_path)
    assert Running.find(tmp_path) is None


def test_services_inherit_nothing_that_reaches_a_real_account() -> None:
    assert not [name for name in inherited_environment() if name.startswith(("AWS_", "SENSORCAST_"))]


def test_services_are_traced_only_where_a_collector_is_named(tmp_path: Path) -> None:
    plan = Plan(
        data_dir=tmp_path,
        port=1,
        emulator_port=2,
        mqtt_port=3,
        broker=None,
        fleet=0,
        history=0,
        seed=7,
        tenant="demo",
        phone=DEMO_PHONE,
    )
    ports = dict.fromkeys(SERVICES, 4)
    traced = replace(plan, traces="http://127.0.0.1:4318")
    for program in services(plan, broker=Broker(host="a", port=1), ports=ports):
        assert not [name for name in program.command.env if name.startswith("SENSORCAST_TRACES")]
    for program in services(traced, broker=Broker(host="a", port=1), ports=ports):
        assert program.command.env["SENSORCAST_TRACES"] == "otlp"
        assert program.command.env["SENSORCAST_TRACES_ENDPOINT"] == "http://127.0.0.1:4318"


async def test_api_key_is_the_same_at_the_next_start(stack: DeployedStack, tmp_path: Path) -> None:
    file, now = tmp_path / "api-key", system_clock()
    first = await api_key(stack.aws, stack.names, tenant="demo", file=file, now=now)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert await api_key(stack.aws, stack.names, tenant="demo", file=file, now=now) == first
    assert await api_key(stack.aws, stack.names, tenant="other", file=file, now=now) != first
    async with stack.aws.client("dynamodb") as dynamodb:
        known = await ApiKeysTable(dynamodb, stack.names).find(key_hash(file.read_text().strip()))
    assert known is not None
    assert known.tenant == "other"


async def test_what_somebody_changed_in_the_demo_stays_changed(stack: DeployedStack) -> None:
    rules, contacts = demo_rules(tenant="demo"), demo_contacts(tenant="demo", phone="+15555550100")
    await put_rules(stack.aws, stack.names, rules)
    await put_contacts(stack.aws, stack.names, contacts)
    rule = rules[0].model_copy(update={"name": "Mine", "version": 2})
    driver = contacts.recipients[0].model_copy(update={"name": "Mine", "version": 2})
    async with stack.aws.client("dynamodb") as dynamodb:
        table, people = RulesTable(dynamodb, stack.names), ContactsTable(dynamodb, stack.names)
        await table.put(rule)
        await people.recipients.put(driver)
        await put_rules(stack.aws, stack.names, rules)
        await put_contacts(stack.aws, stack.names, contacts)
        assert await table.list("demo") == [rule]
        assert await people.recipients.list("demo") == [driver, *contacts.recipients[1:]]
        assert await people.escalations.list("demo") == contacts.escalations


@pytest.mark.parametrize("hour", range(0, 24, 3))
def test_one_manager_of_the_demo_is_on_duty_at_any_time(hour: int) -> None:
    moment = WHEN.replace(hour=hour)
    people = demo_contacts(tenant="demo", phone="+15555550100").recipients
    on_duty = [each for each in people if each.roles == ["manager"] and each.on_duty(moment)]
    assert len(on_duty) == 1


async def test_trucks_get_labels_once_they_are_heard_of_and_keep_what_a_person_gave_them(stack: DeployedStack) -> None:
    def heard(truck: str) -> Sighting:
        at = to_millis(WHEN)
        return Sighting("fleet", truck, {"temperature": MetricState(unit="Cel", last_ts=WHEN, last_value=4.0)}, at, at)

    async with stack.aws.client("dynamodb") as dynamodb:
        table, labels = DevicesTable(dynamodb, stack.names), DeviceLabels(dynamodb, stack.names)
        await table.record([heard("truck-01"), heard("truck-02")])
        await labels.change("fleet", "truck-02", {"site": "Bergen"})
        giving = asyncio.create_task(
            put_labels(stack.aws, stack.names, tenant="fleet", trucks=["truck-01", "truck-02", "truck-03"])
        )
        await table.record([heard("truck-03")])
        async with asyncio.timeout(30):
            await giving
        found, _ = await table.list("fleet")
    assert [device.labels for device in found] == [demo_labels(0), {"site": "Bergen"}, demo_labels(2)]


async def test_tick_looks_like_the_scheduler_s(stack: DeployedStack) -> None:
    async with stack.aws.client("sqs") as sqs:
        await send_tick(stack.aws, stack.names, now=1_767_225_600_000)
        ticks = (await sqs.get_queue_url(QueueName=stack.names.queue_forecast_ticks))["QueueUrl"]
        (tick,) = (await sqs.receive_message(QueueUrl=ticks))["Messages"]
    assert tick["Body"] == '{"scheduled_at": "2026-01-01T00:00:00.000Z"}'


def test_metrics_are_summed_over_labels_and_histograms_averaged_since() -> None:
    before = parse('# TYPE a counter\na_total{x="1"} 2\na_total{x="2"} 3\n')
    after = parse('# TYPE lag histogram\nlag_bucket{le="+Inf"} 4\nlag_sum 10\nlag_count 4\n')
    assert before.total("a_total") == 5
    assert before.total("a_total", x={"2", "3"}) == 3
    assert before.total("b_total") is None
    assert after.mean("lag", since=before) == 2.5
    assert after.mean("lag", since=after) is None


@pytest.mark.parametrize("terminal", [True, False])
def test_status_shows_texts_troubles_and_addresses(terminal: bool) -> None:
    out = io.StringIO()
    screen = Screen(Console(file=out, force_terminal=terminal, width=160))
    incident = Incident(
        tenant="demo", incident_id="1", rule_id="chilled", rule_version=1, rule_name="Chilled goods",
        severity="critical",
        device="truck-07", metric="temperature", unit="Cel", state=IncidentState.OPEN, basis=Basis.PREDICTED,
        side="above", threshold=8.0, opened_at=WHEN, value=7.2, probability=0.93, reason="",
    )  # fmt: skip
    sms = SentSms(account="0", phone_number="+15555550100", message="[truck-07] too warm", message_id="1", sent_at=WHEN)
    screen.begin(Header(api_url="http://a", api_key="sc_key", broker="mqtt://b (Mosquitto)", logs="logs"))
    status = Status(received=1000, rate=4.8, queues={"archive": 3}, forecasts=48, incidents=[incident], sms=[sms])
    conditions = [Condition("ingest", state=State.RESTARTING, restarts=2), Condition("api", state=State.READY)]
    screen.show(status, conditions, 640 * 2**20)
    screen.event("ingest ended")
    screen.show(status, conditions, 640 * 2**20)
    screen.end()
    shown = out.getvalue()
    for part in ("sc_key", "http://a", "mqtt://b", "4.8/s", "archive 3", "[truck-07] too warm", "640 MiB", "ingest"):
        assert part in shown
    if terminal:
        assert "truck-07 temperature 7.2 Cel: predicted above 8, probability 93%" in shown
    else:
        assert shown.count("too warm") == 1, "an SMS is told once"
        assert "ingest restarting" in shown
