"""What can be expected to go wrong, said in a line to whoever typed the command."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from sensorcast_common.csv.fault import CsvFault
from sensorcast_local.broker import BrokerError
from sensorcast_local.command import PortBusy
from sensorcast_local.fleet.progress import ProgressError
from sensorcast_local.mosquitto import MosquittoMissing


class Fault(Exception):  # noqa: N818 - what a person reads, not what a caller handles
    """Something a person can put right; the message says what and how."""


EXPECTED = (Fault, CsvFault, BrokerError, PortBusy, ProgressError, MosquittoMissing)


@contextmanager
def readable() -> Iterator[None]:
    """Turn expected faults into a message and exit code 1; everything else keeps its traceback."""
    try:
        yield
    except EXPECTED as fault:
        typer.echo(f"sensorcast: {fault}", err=True)
        raise typer.Exit(code=1) from fault
