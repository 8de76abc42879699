"""How to start the emulator as a process of its own."""

import sys
from pathlib import Path

from sensorcast_local.command import Command

SERVICES = (
    "athena", "cloudformation", "cloudwatch", "dynamodb", "events", "glue", "iam", "iot", "iot-data", "s3", "s3tables",
    "scheduler", "ses", "sns", "sqs", "sts",
)  # fmt: skip
"""What of MiniStack is switched on: the services that Sensorcast's template and code speak to."""


def command(
    *,
    port: int,
    state_dir: Path,
    iot_port: int | None = None,
    save_every: float = 30.0,
    stop_with_parent: bool = True,
    log_level: str = "WARNING",
) -> Command:
    """The command that serves the emulator on loopback.

    An access key id of 12 digits is the AWS account; any other key means account 000000000000. Ready when
    `is_ready(endpoint)` says so; SIGTERM saves the state and ends it.

    Args:
        port: TCP port of the AWS endpoint, `http://127.0.0.1:{port}`.
        state_dir: Where everything is kept; made when missing. An empty one starts from nothing.
        iot_port: TCP port of IoT Core's MQTT over TLS; `None` leaves it off.
        save_every: Seconds between two savings of what is kept in memory.
        stop_with_parent: End when the process that started it has gone.
        log_level: Python's name of the log level.

    Raises:
        ValueError: `port`, `iot_port` or `save_every` is out of range.
    """
    for name, number in (("port", port), ("iot_port", iot_port)):
        if number is not None and not 1 <= number <= 65535:
            raise ValueError(f"{name}: expected 1 to 65535, got {number}")
    if save_every <= 0:
        raise ValueError(f"save_every: expected seconds above 0, got {save_every}")
    argv = [sys.executable, "-m", "sensorcast_local.emulator", "--port", str(port), "--state-dir", str(state_dir)]
    argv += ["--save-every", str(save_every), "--log-level", log_level]
    if iot_port is not None:
        argv += ["--iot-port", str(iot_port)]
    if stop_with_parent:
        argv += ["--stop-with-parent"]
    return Command(argv=tuple(argv))
