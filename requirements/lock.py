"""Resolve every lock file: `make lock`, or `make lock ARGS=--upgrade` to take newer versions of what is locked.

The files pin hashes and name no index.
"""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
OWN = (
    "faststream-sqs",
    "sensorcast-common",
    "sensorcast-rules",
    "sensorcast-ingest",
    "sensorcast-archiver",
    "sensorcast-forecaster",
    "sensorcast-alerter",
    "sensorcast-api",
    "sensorcast-local",
)


def compile_lock(source: str, target: str, *, options: list[str]) -> None:
    """Write the lock file `target` of the requirements or project file `source`, both relative to requirements/."""
    command = [str(Path(sys.executable).with_name("uv")), "pip", "compile", "--quiet", "--universal"]
    command += ["--python-version", "3.11", "--generate-hashes", "--no-header", *options]
    for name in OWN:
        command += ["--no-emit-package", name]
    subprocess.run([*command, source, "-o", target], cwd=HERE, check=True)


if __name__ == "__main__":
    for name in ("bootstrap", "build", "dev", "local", "ingest", "archiver", "forecaster", "alerter", "api"):
        compile_lock(f"{name}.in", f"{name}.txt", options=sys.argv[1:])
