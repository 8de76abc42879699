"""A program to run: its arguments and what it needs in its environment, for whoever supervises it."""

import socket
from collections.abc import Mapping
from dataclasses import dataclass, field

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What to start.

    Args:
        argv: The program and its arguments.
        env: Variables to add to the caller's environment.
    """

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)


class PortBusy(Exception):  # noqa: N818 - names what is wrong, as OSError's subclasses do
    """Something else listens on the port already."""

    def __init__(self, port: int, *, wanted_by: str) -> None:
        super().__init__(
            f"port {port} on {LOOPBACK}, which {wanted_by} needs, is in use: stop what listens there or choose another"
        )
        self.port = port


def free_port() -> int:
    """A TCP port on loopback that nobody listens on at this moment."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def require_free(port: int, *, wanted_by: str) -> None:
    """Check that `port` can be listened on.

    Raises:
        PortBusy: It cannot; the message names the port and who wanted it.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            raise PortBusy(port, wanted_by=wanted_by) from error


def answers(port: int) -> bool:
    """Tell whether something on loopback accepts a TCP connection on `port`."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        return probe.connect_ex((LOOPBACK, port)) == 0
