"""A Docker engine of its own, with its images under .tools: nothing here touches those of this machine."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Self

import yaml

ROOT: Final = Path(__file__).parents[3]
STORE: Final = ROOT / ".tools" / "containers"
PROGRAMS: Final = {"dockerd": "docker.io", "docker": "docker.io", "mmdebstrap": "mmdebstrap"}
"""What must be installed, and Debian's package that has it; and `docker compose` or `docker-compose`."""
START_SECONDS: Final = 60.0


class CommandFailed(Exception):  # noqa: N818 - names what is wrong
    """A command failed; the message has what it printed."""


def missing() -> str | None:
    """Why containers cannot be run here; `None` where they can."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "it needs root on Linux"
    packages = {package for program, package in PROGRAMS.items() if shutil.which(program) is None}
    if not packages and not _has_plugin() and shutil.which("docker-compose") is None:
        packages.add("docker-compose")
    return f"not installed: {', '.join(sorted(packages))}" if packages else None


def _has_plugin() -> bool:
    return subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode == 0


class Engine:
    """Docker and Compose, on the engine that listens at a socket.

    Args:
        socket: Path of the socket.
    """

    def __init__(self, socket: Path) -> None:
        self._env = {
            **os.environ,  # noqa: TID251 - passed on to docker
            "DOCKER_HOST": f"unix://{socket}",
            "COMPOSE_DOCKER_CLI_BUILD": "0",
            "DOCKER_BUILDKIT": "0",  # its front end is an image too
        }
        self._compose = ["docker", "compose"] if _has_plugin() else ["docker-compose"]

    @classmethod
    @contextmanager
    def started(cls, folder: Path = STORE) -> Iterator[Self]:
        """An engine that runs until the end of the block; its images stay for the next one's layers.

        Raises:
            CommandFailed: It does not start.
        """
        folder.mkdir(parents=True, exist_ok=True)
        socket, log = folder / "docker.sock", folder / "dockerd.log"
        settings = folder / "daemon.json"
        settings.write_text(
            json.dumps(
                {
                    "data-root": str(folder / "data"),
                    "exec-root": str(folder / "exec"),
                    "pidfile": str(folder / "dockerd.pid"),
                    "hosts": [f"unix://{socket}"],
                    "oom-score-adjust": 0,  # root in a container may not lower it
                }
            ),
            encoding="utf-8",
        )
        with log.open("wb") as file:
            process = subprocess.Popen(["dockerd", "--config-file", str(settings)], stdout=file, stderr=file)
        try:
            engine = cls(socket)
            deadline = time.monotonic() + START_SECONDS
            while not engine.succeeds("version"):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise CommandFailed(f"dockerd does not answer:\n{log.read_text(encoding='utf-8')[-3000:]}")
                time.sleep(0.2)
            yield engine
        finally:
            process.terminate()
            process.wait(60)

    def docker(self, *arguments: str) -> str:
        """What docker prints.

        Raises:
            CommandFailed: It failed.
        """
        return self._run(["docker", *arguments])

    def compose(self, file: Path, project: str, *arguments: str, env: dict[str, str]) -> str:
        """What Compose prints for a file, with these variables.

        Raises:
            CommandFailed: It failed.
        """
        where = ["--file", str(file), "--project-directory", str(ROOT), "--project-name", project]
        return self._run([*self._compose, *where, *arguments], env=env)

    def succeeds(self, *arguments: str) -> bool:
        """Tell whether a docker command succeeds."""
        return subprocess.run(["docker", *arguments], env=self._env, check=False, capture_output=True).returncode == 0

    def _run(self, command: list[str], *, env: dict[str, str] | None = None) -> str:
        done = subprocess.run(command, env=self._env | (env or {}), capture_output=True, check=False, cwd=ROOT)
        if done.returncode != 0:
            printed = (done.stdout + done.stderr).decode(errors="replace")[-6000:]
            raise CommandFailed(f"{' '.join(command)}: exit code {done.returncode}\n{printed}")
        return done.stdout.decode(errors="replace")


def without_name(file: Path, folder: Path) -> Path:
    """A copy of a Compose file without its `name`, which docker-compose 1 does not know."""
    whole = yaml.safe_load(file.read_text(encoding="utf-8"))
    del whole["name"]
    copy = folder / file.name
    copy.write_text(yaml.safe_dump(whole, sort_keys=False), encoding="utf-8")
    return copy
