"""The command line of `sensorcast up`."""

import asyncio
import re
import time
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

from sensorcast_common.names import is_name
from sensorcast_local.broker import Broker
from sensorcast_local.command import PortBusy
from sensorcast_local.duration import parse_duration
from sensorcast_local.faults import Fault, readable
from sensorcast_local.options import BrokerOptions, FaultOptions, fault_times
from sensorcast_local.running import DATA_DIR
from sensorcast_local.up.lock import only_one
from sensorcast_local.up.plan import DEMO_PHONE, Plan

KILLED_PATIENCE: Final = 8.0
"""Seconds that the programs of an `up` that was killed have to let go of their ports."""


def up(
    *,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the API.")] = 8080,
    emulator_port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the AWS emulator.")] = 4566,
    mqtt_port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the MQTT broker that is started.")] = 1883,
    broker: Annotated[
        str | None, typer.Option(help="Use this broker instead: mqtt://[user:password@]host:port, mqtts:// for TLS.")
    ] = None,
    ca: BrokerOptions.CA = None,
    certificate: BrokerOptions.CERTIFICATE = None,
    key: BrokerOptions.KEY = None,
    fleet: Annotated[bool, typer.Option(help="Simulate a fleet of refrigerated trucks.")] = True,
    trucks: Annotated[int, typer.Option(min=1, max=10_000, help="How many.")] = 12,
    history: Annotated[str, typer.Option(help="How much of their past to send first.")] = "24h",
    seed: Annotated[int, typer.Option(help="Another seed, another fleet.")] = 7,
    breach_after: FaultOptions.BREACH_AFTER = "32m",
    repaired_after: FaultOptions.REPAIRED_AFTER = "75m",
    tenant: Annotated[str, typer.Option(help="Whose trucks, rules and API key.")] = "demo",
    phone: Annotated[
        str, typer.Option(help="The driver's, who gets the SMS; the emulator shows them, it sends none.")
    ] = DEMO_PHONE,
    data_dir: Annotated[Path, typer.Option(help="Where everything is kept.")] = DATA_DIR,
    traces: Annotated[
        str | None, typer.Option(help="Send every trace to this collector (OTLP over HTTP): http://127.0.0.1:4318.")
    ] = None,
) -> None:
    """Run everything on this machine, with a simulated fleet; Ctrl-C stops it, the next run goes on where it was."""
    with readable():
        if not is_name(tenant):
            raise Fault(f"--tenant: {tenant!r} is not 1 to 64 letters, digits, '_', '.', ':' or '-'")
        if not re.fullmatch(r"\+[1-9][0-9]{6,14}", phone):
            raise Fault(f"--phone: {phone!r} is not a number such as +15555550100")
        if len({port, emulator_port, mqtt_port}) < 3:
            raise Fault("--port, --emulator-port and --mqtt-port: three different ports are needed")
        if traces is not None and not re.fullmatch(r"https?://[^\s/@?#]+(/[^\s@?#]*)?", traces):
            raise Fault(f"--traces: {traces!r} is not an address such as http://127.0.0.1:4318")
        try:
            seconds = parse_duration(history)
        except ValueError as error:
            raise Fault(f"--history: {error}") from error
        plan = Plan(
            data_dir=data_dir,
            port=port,
            emulator_port=emulator_port,
            mqtt_port=mqtt_port,
            broker=None if broker is None else Broker.parse(broker, ca=ca, certificate=certificate, key=key),
            fleet=trucks if fleet else 0,
            history=seconds,
            seed=seed,
            tenant=tenant,
            phone=phone,
            fault_times=fault_times(breach_after, repaired_after),
            traces=traces,
        )
        with only_one(data_dir) as killed:
            _require_free_ports(plan, patience=KILLED_PATIENCE if killed else 0.0)
            asyncio.run(_run(plan))


def _require_free_ports(plan: Plan, *, patience: float) -> None:
    deadline = time.monotonic() + patience
    while True:
        try:
            plan.require_free_ports()
        except PortBusy:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
        else:
            return


async def _run(plan: Plan) -> None:
    from sensorcast_local.up.run import Up

    await Up(plan, console=Console()).run()
