"""Ingest is killed in mid-stream, again and again: no reading is lost, and what comes twice says so."""

import asyncio
import contextlib
import json
import os
import secrets
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator

import httpx
import pytest
from tests.servers.aws import DeployedStack
from tests.servers.broker import MosquittoServer
from tests.servers.waiting import until
from tests.services.ingest.live import archived, publish

from sensorcast_common.reading import Reading
from sensorcast_local.command import free_port

KILLS = 2
MOST_KILLS = 10
"""A kill that comes after the last PUBACK repeats nothing: on a slow machine it takes more of them."""

EACH = 1500


@contextlib.asynccontextmanager
async def process(env: dict[str, str]) -> AsyncIterator[asyncio.subprocess.Process]:
    """Ingest in a process of its own; killed, whatever the test did."""
    ingest = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "sensorcast_ingest.app",
        env=os.environ | env,  # noqa: TID251 - a child inherits it
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield ingest
    finally:
        if ingest.returncode is None:
            ingest.kill()
        await ingest.wait()


async def ready(port: int) -> bool:
    try:
        async with httpx.AsyncClient() as http:
            return (await http.get(f"http://127.0.0.1:{port}/readyz")).status_code == 200
    except httpx.HTTPError:
        return False


async def something_arrived(stack: DeployedStack) -> bool:
    async with stack.aws.client("sqs") as sqs:
        url = (await sqs.get_queue_url(QueueName=stack.names.queue_archive))["QueueUrl"]
        answer = await sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
        return int(answer["Attributes"]["ApproximateNumberOfMessages"]) > 0


@pytest.mark.timeout(240)
@pytest.mark.parametrize("version", ["5", "3.1.1"])
async def test_killed_ingest_loses_nothing(stack: DeployedStack, mosquitto: MosquittoServer, version: str) -> None:
    ops_port = free_port()
    env = stack.env | {
        "SENSORCAST_OPS_PORT": str(ops_port),
        "SENSORCAST_MQTT_URL": mosquitto.url,
        "SENSORCAST_MQTT_CLIENT_ID": f"ingest-{secrets.token_hex(4)}",
        "SENSORCAST_MQTT_VERSION": version,
        "SENSORCAST_MQTT_RECEIVE_MAXIMUM": "100",
        "SENSORCAST_LINGER_MS": "5",
    }
    topic = f"dt/tenant-{secrets.token_hex(4)}/truck-1/readings"
    now = int(time.time() * 1000)
    async with process(env):  # the session must exist before anything is sent
        await until(lambda: ready(ops_port), within=30)

    readings: list[Reading] = []
    sent = 0
    while sent < KILLS * EACH or not (_any_marked(readings) or sent >= MOST_KILLS * EACH):
        numbers = range(sent, sent + EACH)
        await publish(mosquitto, topic, [json.dumps({"ts": now - n, "temperature": n}).encode() for n in numbers])
        sent += EACH
        async with process(env) as ingest:
            await until(lambda: something_arrived(stack), within=30, every=0.01)
            ingest.send_signal(signal.SIGKILL)
            await ingest.wait()
        readings += await archived(stack, 1)
        while await something_arrived(stack):
            readings += await archived(stack, 0)

    async with process(env):

        async def complete() -> bool:
            readings.extend(await archived(stack, 0))
            return len({reading.value for reading in readings}) >= sent

        await until(complete, within=60)

    assert {reading.value for reading in readings} == set(map(float, range(sent)))
    unmarked = Counter(reading.value for reading in readings if not reading.redelivered)
    assert max(unmarked.values()) == 1
    assert _any_marked(readings)


def _any_marked(readings: list[Reading]) -> bool:
    return any(reading.redelivered for reading in readings)
