"""Resolve every lock file: `make lock`. The files pin hashes and name no index."""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
OWN = (
    "faststream-sqs",
    "sensorcast-common",
    "sensorcast-ingest",
    "sensorcast-archiver",
    "sensorcast-forecaster",
    "sensorcast-alerter",
    "sensorcast-api",
    "sensorcast-local",
)


def compile_lock(source: str, target: str) -> None:
    """Write the lock file `target` of the requirements or project file `source`, both relative to requirements/."""
    command = [str(Path(sys.executable).with_name("uv")), "pip", "compile", "--quiet", "--universal"]
    command += ["--python-version", "3.11", "--generate-hashes", "--no-header", "--upgrade"]
    for name in OWN:
        command += ["--no-emit-package", name]
    subprocess.run([*command, source, "-o", target], cwd=HERE, check=True)


if __name__ == "__main__":
    compile_lock("bootstrap.in", "bootstrap.txt")
    compile_lock("dev.in", "dev.txt")
    for service in ("ingest", "archiver", "forecaster", "alerter", "api"):
        compile_lock(f"{service}.in", f"{service}.txt")
