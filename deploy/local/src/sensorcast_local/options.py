"""Command-line options that the commands that send readings share: which broker, and when a truck fails."""

from pathlib import Path
from typing import Annotated

import typer

from sensorcast_local.broker import Broker
from sensorcast_local.duration import parse_duration
from sensorcast_local.faults import Fault
from sensorcast_local.fleet.fault import FaultTimes
from sensorcast_local.running import Running


class BrokerOptions:
    """Types of the options, as typer reads them."""

    URL = Annotated[str | None, typer.Option("--broker", help="mqtt://[user:password@]host:port, or mqtts:// for TLS.")]
    CA = Annotated[
        Path | None, typer.Option(resolve_path=True, help="Certificates to trust instead of the system's, PEM.")
    ]
    CERTIFICATE = Annotated[Path | None, typer.Option(resolve_path=True, help="Client certificate, PEM.")]
    KEY = Annotated[Path | None, typer.Option(resolve_path=True, help="Private key of the client certificate, PEM.")]


class FaultOptions:
    """Types of the options about the truck whose compressor fails."""

    BREACH_AFTER = Annotated[str, typer.Option(help="When a truck leaves its limit, counted from going live.")]
    REPAIRED_AFTER = Annotated[str, typer.Option(help="When its compressor is reset, counted from then.")]


def fault_times(breach_after: str, repaired_after: str) -> FaultTimes:
    """When the truck fails and is put right.

    Raises:
        Fault: They are no durations, or too long together.
    """
    seconds = {}
    for name, text in (("breach-after", breach_after), ("repaired-after", repaired_after)):
        try:
            seconds[name] = parse_duration(text)
        except ValueError as error:
            raise Fault(f"--{name}: {error}") from error
    try:
        return FaultTimes(breach_after=seconds["breach-after"], right_again_after=seconds["repaired-after"])
    except ValueError as error:
        raise Fault(f"--breach-after, --repaired-after: {error}") from error


def choose_broker(
    url: str | None, *, data_dir: Path, ca: Path | None, certificate: Path | None, key: Path | None
) -> Broker:
    """The broker that was named, or that of the `up` that runs.

    Raises:
        BrokerError: The address is not one.
        Fault: None was named, and no `up` runs.
    """
    if url is not None:
        return Broker.parse(url, ca=ca, certificate=certificate, key=key)
    running = Running.find(data_dir)
    if running is None:
        raise Fault(
            f"no `sensorcast up` runs with {data_dir}: start it, or name a broker with --broker mqtt://host:1883"
        )
    return running.broker
