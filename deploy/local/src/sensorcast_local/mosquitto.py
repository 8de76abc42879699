"""An MQTT broker on this machine: find Mosquitto and run it on loopback with sessions that survive a restart.

Mosquitto's settings: https://mosquitto.org/man/mosquitto-conf-5.html.
"""

import getpass
import shutil
from dataclasses import dataclass
from pathlib import Path

from sensorcast_local.command import LOOPBACK, Command, answers

OUTSIDE_PATH = ("/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto", "/opt/homebrew/sbin/mosquitto")
"""Where packages put it although a user's PATH may not look there."""


class MosquittoMissing(Exception):  # noqa: N818 - says what is wrong
    """Mosquitto is not installed."""

    def __init__(self) -> None:
        super().__init__(
            "mosquitto is not installed: install it (Debian: apt-get install mosquitto, macOS: brew install mosquitto)"
            " or name another broker"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsListener:
    """A listener that asks each client for a certificate.

    Args:
        port: TCP port.
        ca: Certificates that sign clients', PEM.
        certificate: The broker's own, PEM.
        key: Its private key, PEM.
    """

    port: int
    ca: Path
    certificate: Path
    key: Path


def find() -> Path | None:
    """Where Mosquitto is; `None` if it is not installed."""
    on_path = shutil.which("mosquitto")
    candidates = [on_path] if on_path else list(OUTSIDE_PATH)
    return next((Path(path) for path in candidates if Path(path).is_file()), None)


def command(
    *,
    port: int,
    state_dir: Path,
    tls: TlsListener | None = None,
    max_inflight: int = 1000,
    max_queued: int = 200_000,
) -> Command:
    """Write the configuration and give the command that runs the broker on loopback.

    Ready when `is_ready(port)` says so; SIGTERM saves the sessions and ends it.

    Args:
        port: TCP port of the listener that asks for nothing.
        state_dir: Where configuration and sessions are kept; made when missing.
        tls: A second listener with client certificates.
        max_inflight: Unacknowledged QoS 1 and 2 messages per client; a client's Receive Maximum may lower it.
        max_queued: Messages kept for a persistent session that is away or slow. What exceeds it is dropped by the
            broker, so it must hold what comes in while ingest restarts.

    Raises:
        MosquittoMissing: It is not installed.
        ValueError: An argument is out of range.
    """
    for name, number in (("port", port), ("tls.port", tls.port if tls else 1)):
        if not 1 <= number <= 65535:
            raise ValueError(f"{name}: expected 1 to 65535, got {number}")
    for name, number in (("max_inflight", max_inflight), ("max_queued", max_queued)):
        if number < 1:
            raise ValueError(f"{name}: expected 1 or more, got {number}")
    program = find()
    if program is None:
        raise MosquittoMissing
    state_dir = state_dir.resolve()
    state_dir.mkdir(parents=True, exist_ok=True)
    config = state_dir / "mosquitto.conf"
    config.write_text(_config(port, state_dir, tls, max_inflight, max_queued), encoding="utf-8")
    return Command(argv=(str(program), "-c", str(config)))


def is_ready(port: int) -> bool:
    """Tell whether the broker accepts connections."""
    return answers(port)


def _config(port: int, state_dir: Path, tls: TlsListener | None, max_inflight: int, max_queued: int) -> str:
    lines = [
        f"user {getpass.getuser()}",  # as root it would become `mosquitto`, who may not write the state
        "per_listener_settings false",
        "allow_anonymous true",
        "persistence true",
        f"persistence_location {state_dir}/",
        "autosave_interval 10",
        f"max_inflight_messages {max_inflight}",
        f"max_queued_messages {max_queued}",
        "log_dest stderr",
        "log_type error",
        "log_type warning",
        f"listener {port} {LOOPBACK}",
        "set_tcp_nodelay true",
    ]
    if tls is not None:
        lines += [
            f"listener {tls.port} {LOOPBACK}",
            f"cafile {tls.ca}",
            f"certfile {tls.certificate}",
            f"keyfile {tls.key}",
            "require_certificate true",
        ]
    return "\n".join(lines) + "\n"
