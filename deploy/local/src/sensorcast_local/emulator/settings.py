"""MiniStack's settings: it reads them from the environment when it is imported."""

import os
from pathlib import Path

from sensorcast_local.command import LOOPBACK
from sensorcast_local.emulator.process import SERVICES


def configure_ministack(*, port: int, state_dir: Path, iot_port: int | None, log_level: str) -> None:
    """Set MiniStack's environment variables; call it before the first import of `ministack`.

    Args:
        port: TCP port that will be served.
        state_dir: Where state goes (`state/`) and the objects of S3 (`s3/`).
        iot_port: TCP port of MQTT over TLS; `None` leaves it off.
        log_level: Python's name of the log level.
    """
    os.environ.update(  # noqa: TID251 - these are MiniStack's settings, and this is their settings module
        {
            "MINISTACK_HOST": LOOPBACK,
            "GATEWAY_PORT": str(port),
            "SERVICES": ",".join(SERVICES),
            "PERSIST_STATE": "1",
            "STATE_DIR": str(state_dir / "state"),
            "S3_PERSIST": "1",
            "S3_DATA_DIR": str(state_dir / "s3"),
            "SFTP_ENABLED": "0",
            "IOT_MTLS_ENABLED": "0" if iot_port is None else "1",
            "IOT_MTLS_PORT": str(iot_port or 0),
            "ATHENA_ENGINE": "duckdb",
            "MINISTACK_WORKER_THREADS": "8",
            "LOG_LEVEL": log_level,
        }
    )
