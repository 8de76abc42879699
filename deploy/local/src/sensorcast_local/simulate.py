"""`sensorcast simulate`: a fleet of refrigerated trucks that sends its readings over MQTT."""

import asyncio
import contextlib
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import typer
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from sensorcast_common.clock import system_clock
from sensorcast_common.health import Health
from sensorcast_common.names import is_name
from sensorcast_common.ops import OpsServer
from sensorcast_local.broker import Broker
from sensorcast_local.duration import parse_duration
from sensorcast_local.faults import Fault, readable
from sensorcast_local.fleet.drive import Drive, Phase
from sensorcast_local.fleet.fault import USUAL, FaultTimes
from sensorcast_local.fleet.progress import Progress, resume
from sensorcast_local.options import BrokerOptions, FaultOptions, choose_broker, fault_times
from sensorcast_local.publisher import Publisher
from sensorcast_local.running import DATA_DIR

STOP_SECONDS: Final = 3.0
"""How long a stop waits for a broker that owes acknowledgements."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """What to simulate.

    Attributes:
        tenant: Whose trucks.
        devices: How many.
        history: Seconds of readings to send before going live.
        seed: Everything random follows from it.
        progress: File that says where the fleet stands.
        fault_times: When the truck whose compressor fails leaves its limit.
        ops_port: Port of /healthz, /readyz (ready means live) and /metrics; `None` serves none.
    """

    tenant: str
    devices: int
    history: int
    seed: int
    progress: Path
    ops_port: int | None = None
    fault_times: FaultTimes = USUAL


def simulate(
    *,
    broker: BrokerOptions.URL = None,
    ca: BrokerOptions.CA = None,
    certificate: BrokerOptions.CERTIFICATE = None,
    key: BrokerOptions.KEY = None,
    tenant: Annotated[str, typer.Option(help="Whose trucks they are.")] = "demo",
    devices: Annotated[int, typer.Option(min=1, max=10_000, help="How many trucks.")] = 12,
    history: Annotated[str, typer.Option(help="How far back to begin, such as 24h.")] = "24h",
    seed: Annotated[int, typer.Option(help="Another seed, another fleet.")] = 7,
    breach_after: FaultOptions.BREACH_AFTER = "32m",
    repaired_after: FaultOptions.REPAIRED_AFTER = "75m",
    data_dir: Annotated[Path, typer.Option(help="Folder of the `up` that runs.")] = DATA_DIR,
    progress: Annotated[Path | None, typer.Option(help="File that says where the fleet stands.")] = None,
    ops_port: Annotated[int | None, typer.Option(hidden=True)] = None,
) -> None:
    """Simulate refrigerated trucks: first the past, then live, until Ctrl-C; the next run goes on where it was."""
    with readable():
        if not is_name(tenant):
            raise Fault(f"--tenant: {tenant!r} is not 1 to 64 letters, digits, '_', '.', ':' or '-'")
        try:
            seconds = parse_duration(history)
        except ValueError as error:
            raise Fault(f"--history: {error}") from error
        simulation = Simulation(
            tenant=tenant,
            devices=devices,
            history=seconds,
            seed=seed,
            progress=progress or data_dir / "fleet.json",
            ops_port=ops_port,
            fault_times=fault_times(breach_after, repaired_after),
        )
        target = choose_broker(broker, data_dir=data_dir, ca=ca, certificate=certificate, key=key)
        asyncio.run(run(simulation, target))


async def run(simulation: Simulation, broker: Broker) -> None:
    """Simulate until SIGINT or SIGTERM.

    Raises:
        BrokerError: The broker refuses, or never answered.
        ProgressError: The progress file cannot be read.
        Fault: The ops port is taken.
    """
    departure = resume(
        Progress.load(simulation.progress),
        seed=simulation.seed,
        devices=simulation.devices,
        now=system_clock() // 1000,
        history=simulation.history,
        fault_times=simulation.fault_times,
    )
    async with Publisher(broker) as publisher:
        drive = Drive(
            departure.fleet,
            tenant=simulation.tenant,
            live_from=departure.live_from,
            sender=publisher,
            clock=system_clock,
            save=lambda progress: progress.save(simulation.progress),
            sent_to=departure.sent_to,
        )
        driving = asyncio.create_task(drive.run(), name="drive")
        loop = asyncio.get_running_loop()

        def stop() -> None:
            drive.request_stop()
            loop.call_later(STOP_SECONDS, driving.cancel)

        for signum in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(signum, stop)
        ops = _ops_server(simulation.ops_port, drive, publisher)
        if ops is not None:
            try:
                await ops.start()
            except OSError as error:
                raise Fault(f"--ops-port: {simulation.ops_port} is taken") from error
        typer.echo(f"{simulation.devices} trucks of {simulation.tenant} send to {broker.url}")
        with contextlib.suppress(asyncio.CancelledError):
            await driving
        if ops is not None:
            await ops.close()
        typer.echo(f"{publisher.acknowledged} readings acknowledged")


class _Progressing(Collector):
    """Metrics that are read when they are asked for."""

    def __init__(self, drive: Drive, publisher: Publisher) -> None:
        self._drive = drive
        self._publisher = publisher

    def collect(self) -> list[Metric]:
        """What /metrics shows."""
        sent = CounterMetricFamily("sensorcast_simulate_readings", "Readings the broker has acknowledged")
        sent.add_metric([], self._publisher.acknowledged)
        live = GaugeMetricFamily("sensorcast_simulate_live", "1 when the past is sent, 0 before")
        live.add_metric([], float(self._drive.phase is Phase.LIVE))
        connected = GaugeMetricFamily("sensorcast_simulate_connected", "1 while the broker is reached")
        connected.add_metric([], float(self._publisher.connected))
        return [sent, live, connected]


def _ops_server(port: int | None, drive: Drive, publisher: Publisher) -> OpsServer | None:
    if port is None:
        return None

    async def live() -> None:
        if drive.phase is not Phase.LIVE:
            raise RuntimeError("the past is still being sent")

    registry = CollectorRegistry()
    registry.register(_Progressing(drive, publisher))
    health = Health()
    health.ready("live", live)
    return OpsServer(health=health, registry=registry, host="127.0.0.1", port=port)


if __name__ == "__main__":
    typer.run(simulate)
