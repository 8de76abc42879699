"""Ingest as a service in this process, and what comes out of it."""

import asyncio
import base64
import contextlib
import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from tests.servers.aws import DeployedStack
from tests.servers.broker import MosquittoServer
from tests.servers.waiting import until

from sensorcast_common.aws import Aws
from sensorcast_common.batch import ReadingBatch
from sensorcast_common.envelope import Envelope
from sensorcast_common.lifecycle import Lifecycle
from sensorcast_common.mqtt import MqttSettings, mqtt_client
from sensorcast_common.reading import Reading
from sensorcast_ingest.app import build
from sensorcast_ingest.settings import IngestSettings

if TYPE_CHECKING:
    from types_aiobotocore_sqs import SQSClient


def settings_for(broker: MosquittoServer, **more: object) -> IngestSettings:
    values: dict[str, object] = {
        "mqtt_url": broker.url,
        "mqtt_client_id": f"ingest-{secrets.token_hex(4)}",
        "mqtt_keepalive": 5,
        "linger_ms": 20,
        "drain_seconds": 10.0,
        **more,
    }
    return IngestSettings.model_validate(values)


@contextlib.asynccontextmanager
async def ingesting(settings: IngestSettings, aws: Aws) -> AsyncIterator[Lifecycle]:
    """Run ingest until the block ends, then stop it in good order."""
    life = Lifecycle(drain_seconds=settings.drain_seconds)
    try:
        await build(settings, life, aws=aws)
        await until(lambda: sample(life, "sensorcast_ingest_mqtt_connections_total") >= 1)
        yield life
    finally:
        await life.close()


def sample(life: Lifecycle, name: str, **labels: str) -> float:
    """The value of a metric; 0 while it has none."""
    return life.registry.get_sample_value(name, labels) or 0.0


Publish = Callable[[str, Sequence[bytes]], Awaitable[None]]


@contextlib.asynccontextmanager
async def publishing(broker: MosquittoServer) -> AsyncIterator[Publish]:
    """A device's connection; what it is given is sent with QoS 1, and with the broker when the call returns."""
    settings = MqttSettings(mqtt_url=broker.url, mqtt_client_id=f"device-{secrets.token_hex(4)}")
    async with mqtt_client(settings) as client:
        client.pending_calls_threshold = 1000

        async def send(topic: str, payloads: Sequence[bytes]) -> None:
            for at in range(0, len(payloads), 500):
                await asyncio.gather(*(client.publish(topic, each, qos=1) for each in payloads[at : at + 500]))

        yield send


async def publish(broker: MosquittoServer, topic: str, payloads: Sequence[bytes]) -> None:
    """Send from a connection of its own."""
    async with publishing(broker) as send:
        await send(topic, payloads)


async def take(sqs: "SQSClient", queue: str, *, wait: int = 1) -> list[tuple[str, dict[str, str]]]:
    """Take what is in a queue: bodies and attributes."""
    url = (await sqs.get_queue_url(QueueName=queue))["QueueUrl"]
    answer = await sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=wait, MessageAttributeNames=["All"]
    )
    taken: list[tuple[str, dict[str, str]]] = []
    for message in answer.get("Messages", []):
        await sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        attributes = message.get("MessageAttributes", {})
        taken.append((message["Body"], {name: value.get("StringValue", "") for name, value in attributes.items()}))
    return taken


async def archived(stack: DeployedStack, count: int, *, within: float = 30.0) -> list[Reading]:
    """The readings in the archive's queue, once there are `count` of them."""
    readings: list[Reading] = []
    async with stack.aws.client("sqs") as sqs, asyncio.timeout(within):
        while len(readings) < count:
            for body, _ in await take(sqs, stack.names.queue_archive):
                readings += ReadingBatch.decode(Envelope.parse(body)).readings
        for body, _ in await take(sqs, stack.names.queue_archive, wait=0):
            readings += ReadingBatch.decode(Envelope.parse(body)).readings
    return readings


async def set_aside(stack: DeployedStack, count: int) -> list[tuple[dict[str, object], bytes, str]]:
    """What is in the quarantine, once there are `count`: the message, the payload and the attribute `reason`."""
    found: list[tuple[dict[str, object], bytes, str]] = []
    async with stack.aws.client("sqs") as sqs, asyncio.timeout(60):
        while len(found) < count:
            for body, attributes in await take(sqs, stack.names.queue_quarantine):
                message: dict[str, object] = json.loads(body)
                found.append((message, base64.b64decode(str(message["payload"])), attributes["reason"]))
    return found
