"""The containers of compose.yaml, and waiting for them."""

import json
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import yaml
from tests.deploy.compose.engine import ROOT, CommandFailed, Engine, without_name
from tests.deploy.images.dockerfile import read

from sensorcast_local.command import free_port

SERVICES: Final = ("ingest", "archiver", "forecaster", "alerter", "api")
PROBE: Final = ("/opt/sensorcast/bin/python", "-m", "sensorcast_common.probe")
START_SECONDS: Final = 240.0


def say(line: str) -> None:
    """Tell how far the check is."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


class Stack:
    """The containers of compose.yaml.

    Args:
        engine: Runs them.
        folder: For files that are needed on the way.
    """

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine = engine
        self.page_port = free_port()
        self.mqtt_port = free_port()
        self.file: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
        self._copy = without_name(ROOT / "compose.yaml", folder)
        self._env = {"SENSORCAST_PAGE_PORT": str(self.page_port), "SENSORCAST_MQTT_PORT": str(self.mqtt_port)}

    def bases(self) -> set[str]:
        """The images that come from elsewhere."""
        dockerfiles = {each["build"]["dockerfile"] for each in self.file["services"].values() if "build" in each}
        built = {each["image"] for each in self.file["services"].values() if "build" in each}
        return {stage.base for name in dockerfiles for stage in read(ROOT / name)} | {
            each["image"] for each in self.file["services"].values() if each["image"] not in built
        }

    def images(self) -> list[str]:
        """The images that are built here."""
        return sorted(each["image"] for each in self.file["services"].values() if "build" in each)

    def compose(self, *arguments: str) -> str:
        """Run Compose."""
        return self.engine.compose(self._copy, self.file["name"], *arguments, env=self._env)

    def container(self, service: str) -> str:
        """The container that runs a service, or ran it last."""
        return self.compose("ps", "--all", "--quiet", service).strip()

    def state(self, service: str) -> dict[str, Any]:
        """What Docker says of a service's container."""
        [found] = json.loads(self.engine.docker("inspect", self.container(service)))
        whole: dict[str, Any] = found
        return whole

    def wait(self) -> None:
        """Wait until every container is healthy and every service ready."""
        for service, entry in self.file["services"].items():
            if "healthcheck" in entry:
                wait_for(f"{service} is healthy", lambda: self.healthy(service))  # noqa: B023 - waited for at once
            if service in SERVICES:
                port = entry["environment"]["SENSORCAST_OPS_PORT"]
                ready = ("exec", self.container(service), *PROBE, port, "/readyz")
                wait_for(f"{service} is ready", lambda: self.engine.succeeds(*ready))  # noqa: B023 - waited for at once

    def healthy(self, service: str) -> bool:
        """Tell what its health check has found."""
        return bool(self.state(service)["State"]["Health"]["Status"] == "healthy")

    def ask(self, path: str, key: str) -> Any:  # noqa: ANN401 - JSON
        """The API's answer."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.page_port}{path}", headers={"Authorization": f"Bearer {key}"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)


def wait_for(what: str, holds: Callable[[], object], seconds: float = START_SECONDS) -> None:
    """Wait until something holds.

    Raises:
        TimeoutError: It does not in time.
    """
    began = time.monotonic()
    while True:
        try:
            if holds():
                break
        except (CommandFailed, urllib.error.URLError, ConnectionError):
            if time.monotonic() - began > seconds:
                raise
        if time.monotonic() - began > seconds:
            raise TimeoutError(f"not within {seconds:.0f} s: {what}")
        time.sleep(0.5)
    say(f"  {what} ({time.monotonic() - began:.0f} s)")


@contextmanager
def running(stack: Stack) -> Iterator[None]:
    """All containers, taken away with their volumes at the end; their logs are shown where something failed."""
    try:
        yield
    except BaseException:
        say(stack.compose("logs", "--tail", "15"))
        raise
    finally:
        stack.compose("down", "--volumes", "--timeout", "30")
