"""`make check-compose`: builds every image and runs compose.yaml, from a reading by MQTT to its row in the lake.

A Docker engine of its own does it, with its images under .tools. The base images are made of Debian's packages, so that
no registry is needed (`stand_ins`); with `--pull` they are the real ones. What is checked:

- every Dockerfile builds by its own steps, and each health check says healthy;
- a reading sent over MQTT is found by the API, in the hot store and in the lake;
- the containers run as their user, without privileges, and have changed no file of their images;
- they stop on SIGTERM with exit code 0, within their grace period;
- after a new start the device and its readings are still there.
"""

import argparse
import asyncio
import json
import tempfile
import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

import aiomqtt
from tests.deploy.compose.engine import CommandFailed, Engine, missing
from tests.deploy.compose.stack import SERVICES, Stack, running, say, wait_for
from tests.deploy.compose.stand_ins import make

LASTING: Final = ("emulator", "mosquitto", *SERVICES)
TENANT: Final = "demo"


async def send(stack: Stack, device: str, temperature: float) -> None:
    """Send a reading over MQTT, and wait for its PUBACK."""
    async with aiomqtt.Client("127.0.0.1", stack.mqtt_port) as client:
        await client.publish(f"dt/{TENANT}/{device}/readings", json.dumps({"temperature": temperature}), qos=1)


def command(stack: Stack, *arguments: str) -> str:
    """What the command `sensorcast` prints, in its own container."""
    return stack.compose("run", "--rm", "--no-deps", "-T", "sensorcast", *arguments)


def check_reading(stack: Stack, key: str) -> None:
    """A reading is in the hot store, in the lake, and in both the same."""
    began = datetime.now(UTC)
    asyncio.run(send(stack, "fridge", 4.2))
    wait_for("the API lists the device", lambda: devices(stack, key) == ["fridge"])
    wait_for("its reading is in the hot store", lambda: values(stack, key) == [4.2])
    wait_for("hot store and lake agree", lambda: agree(stack, {began.date(), datetime.now(UTC).date()}))


def agree(stack: Stack, days: set[date]) -> bool:
    """Tell whether one of these days has the reading in both stores, and none a difference."""
    told = [command(stack, "lake", "verify", day.isoformat(), "--tenant", TENANT) for day in days]
    return any("readings 1, differences 0" in each for each in told)


def devices(stack: Stack, key: str) -> list[str]:
    """Names of the devices that the API lists."""
    return [each["device"] for each in stack.ask("/v1/devices", key)["items"]]


def values(stack: Stack, key: str) -> list[float]:
    """The fridge's temperatures."""
    found = stack.ask("/v1/devices/fridge/readings?metric=temperature", key)
    return [each["value"] for each in found["readings"]]


def check_confined(stack: Stack) -> None:
    """Nobody is root, has a capability, or has written to the image."""
    for service in LASTING:
        container = stack.container(service)
        status = stack.engine.docker("exec", container, "cat", "/proc/1/status")
        facts = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
        assert facts["Uid"].split()[0] != "0", f"{service} is root"
        assert int(facts["CapEff"], 16) == int(facts["CapBnd"], 16) == 0, f"{service} has capabilities"
        assert facts["NoNewPrivs"] == "1", f"{service} may gain privileges"
        assert stack.state(service)["HostConfig"]["ReadonlyRootfs"] is True, f"{service} may write to its root"
        assert not stack.engine.succeeds("exec", container, "touch", "/written"), f"{service} may write to its root"
    say("  nobody is root, has capabilities or a file system to write to")


def check_stop(stack: Stack) -> None:
    """SIGTERM ends every service by itself."""
    for service in SERVICES:
        began = time.monotonic()
        stack.engine.docker("stop", "--time", "30", stack.container(service))
        code = stack.state(service)["State"]["ExitCode"]
        if code != 0:
            raise CommandFailed(
                f"{service}: SIGTERM ends it with exit code {code} after {time.monotonic() - began:.0f} s"
            )
    say("  SIGTERM ends every service with exit code 0")


def main() -> None:
    """Build, run, check, take away."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pull", action="store_true", help="take the real base images from their registry")
    options = parser.parse_args()
    reason = missing()
    if reason is not None:
        say(f"check-compose is skipped: {reason}")
        return
    with Engine.started() as engine, tempfile.TemporaryDirectory() as folder:
        stack = Stack(engine, Path(folder))
        if not options.pull:
            make(engine, stack.bases())
        build(stack)
        run(stack)
    say("compose.yaml works")


def build(stack: Stack) -> None:
    """Build every image, and tell what it adds to its base."""
    say("images")
    stack.compose("build")
    [base] = [each for each in stack.bases() if each.startswith("python:")]
    below = size(stack.engine, base)
    for image in stack.images():
        say(f"  {image}: {(size(stack.engine, image) - below) / 2**20:.0f} MiB on {base}")


def size(engine: Engine, image: str) -> int:
    """Bytes of an image, with its base."""
    return int(engine.docker("image", "inspect", "--format", "{{.Size}}", image))


def run(stack: Stack) -> None:
    """Start everything, send a reading, look, stop, and start again."""
    say("start")
    with running(stack):
        stack.compose("up", "--detach", "--no-build")
        stack.wait()
        key = command(stack, "api-key", "create", "--tenant", TENANT).split()[-1]
        check_reading(stack, key)
        check_confined(stack)
        check_stop(stack)
        say("start again")
        stack.compose("down", "--timeout", "30")
        stack.compose("up", "--detach", "--no-build")
        stack.wait()
        wait_for("the reading is still there", lambda: values(stack, key) == [4.2])


if __name__ == "__main__":
    main()
