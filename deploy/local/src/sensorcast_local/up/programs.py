"""The programs that `up` runs: the same entry points as in the containers, with other settings."""

import asyncio
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import aiohttp

from sensorcast_local import emulator as aws_emulator
from sensorcast_local import mosquitto
from sensorcast_local.broker import Broker
from sensorcast_local.command import Command
from sensorcast_local.supervise.program import Program, Ready
from sensorcast_local.up.meters import answers
from sensorcast_local.up.plan import Plan

SERVICES: Final = ("archiver", "forecaster", "alerter", "api", "ingest")
WITH_OPS_PORT: Final = (*SERVICES, "fleet")

FOUNDATION, WRITERS, INTAKE, SENSORS = range(4)
"""Stages: sensors stop first, then ingest, then what stores and answers, at last broker and emulator."""

DRAIN_SECONDS: Final = 2.0
"""How long a service may finish what it has begun; what it does not is delivered again at the next start."""

SOON: Final = {
    "SENSORCAST_HOT_FLUSH_SECONDS": "2",
    "SENSORCAST_LAKE_COMMIT_SECONDS": "15",
    "SENSORCAST_VISIBILITY_SECONDS": "30",
}
"""On AWS longer intervals save money; here nobody pays, and a newcomer waits."""


def emulator(plan: Plan, *, iot_port: int | None) -> Program:
    """The AWS emulator; with `iot_port` also its MQTT broker."""
    return Program(
        name="emulator",
        command=aws_emulator.command(
            port=plan.emulator_port, state_dir=plan.data_dir / "emulator", iot_port=iot_port, stop_with_parent=False
        ),
        ready=lambda: aws_emulator.is_ready(plan.endpoint_url),
        stage=FOUNDATION,
        start_seconds=120.0,
        stop_seconds=5.0,
    )


def own_mosquitto(plan: Plan) -> Program:
    """A Mosquitto of our own, on loopback, whose sessions survive a restart."""

    async def ready() -> bool:
        return await asyncio.to_thread(mosquitto.is_ready, plan.mqtt_port)

    return Program(
        name="broker",
        command=mosquitto.command(port=plan.mqtt_port, state_dir=plan.data_dir / "broker"),
        ready=ready,
        stage=FOUNDATION,
        stop_seconds=2.0,
    )


def services(plan: Plan, *, broker: Broker, ports: Mapping[str, int]) -> list[Program]:
    """The five services."""
    own = {"archiver": SOON, "api": {"SENSORCAST_PORT": str(plan.port)}}
    return [
        Program(
            name=name,
            command=Command(
                argv=(entry_point(f"sensorcast-{name}"),),
                env={
                    "SENSORCAST_STACK": plan.names.stack,
                    "SENSORCAST_OPS_PORT": str(ports[name]),
                    "SENSORCAST_DRAIN_SECONDS": str(DRAIN_SECONDS),
                    **mqtt_settings(broker, client=f"sensorcast-{name}"),
                    **plan.traces_environment,
                    **own.get(name, {}),
                },
            ),
            ready=_ready(ports[name]),
            stage=INTAKE if name == "ingest" else WRITERS,
            start_seconds=120.0,
            stop_seconds=DRAIN_SECONDS + 3.0,
        )
        for name in SERVICES
    ]


def fleet(plan: Plan, *, ports: Mapping[str, int]) -> Program:
    """The simulated fleet; it finds the broker in the file that says what runs."""
    # As a module, since the command `sensorcast` would import every other command too.
    argv = [
        sys.executable,
        "-m",
        "sensorcast_local.simulate",
        "--data-dir",
        str(plan.data_dir),
        "--tenant",
        plan.tenant,
    ]
    argv += ["--devices", str(plan.fleet), "--history", f"{plan.history}s", "--seed", str(plan.seed)]
    times = plan.fault_times
    argv += ["--breach-after", f"{times.breach_after}s", "--repaired-after", f"{times.right_again_after}s"]
    argv += ["--ops-port", str(ports["fleet"])]
    return Program(
        name="fleet",
        command=Command(argv=tuple(argv)),
        ready=_ready(ports["fleet"], "/healthz"),
        stage=SENSORS,
        stop_seconds=1.5,
    )


def mqtt_settings(broker: Broker, *, client: str) -> dict[str, str]:
    """A broker's address as the settings of a service; `client` is its MQTT client id."""
    settings = {
        "URL": broker.url,
        "CLIENT_ID": client,
        "USERNAME": broker.username,
        "PASSWORD": broker.password,
        "CA_FILE": broker.ca,
        "CERT_FILE": broker.certificate,
        "KEY_FILE": broker.key,
    }
    return {f"SENSORCAST_MQTT_{name}": str(value) for name, value in settings.items() if value is not None}


def entry_point(name: str) -> str:
    """The program of this name that is installed beside our Python, or on the PATH."""
    beside = Path(sys.executable).parent / name
    return str(beside) if beside.exists() else shutil.which(name) or name


def _ready(port: int, path: str = "/readyz") -> Ready:
    async def ready() -> bool:
        async with aiohttp.ClientSession() as http:
            return await answers(http, port, path)

    return ready
