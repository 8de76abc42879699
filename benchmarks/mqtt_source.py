"""Messages per second through the MQTT source and through aiomqtt's iterator, same broker, same run.

`python benchmarks/mqtt_source.py [--messages N] [--version 5|3.1.1]`

A persistent session is filled while its client is away; then the time is taken until the client has received and
acknowledged everything. The iterator acknowledges each message at once; the source acknowledges each batch.
"""

import argparse
import asyncio
import subprocess
import tempfile
import time
from pathlib import Path

from sensorcast_common.mqtt import MqttSettings, MqttSource, mqtt_client
from sensorcast_local import mosquitto
from sensorcast_local.command import free_port

TOPIC = "dt/acme/truck-1/readings"
PUB_LINES = 20_000
"""mosquitto_pub loses lines when it is given more than there are packet identifiers."""

PAYLOAD = b'{"ts": 1764000000000, "metric": "temperature", "value": 4.25, "unit": "Cel"}'


def fill(settings: MqttSettings, messages: int) -> None:
    """Queue messages in the session."""
    command = ["mosquitto_pub", "-h", settings.mqtt_host, "-p", str(settings.mqtt_port), "-q", "1", "-l", "-t", TOPIC]
    for at in range(0, messages, PUB_LINES):
        lines = (PAYLOAD + b"\n") * min(PUB_LINES, messages - at)
        subprocess.run(command, input=lines, check=True)


async def prepare(settings: MqttSettings) -> None:
    """Make the persistent session."""
    async with mqtt_client(settings, persistent=True) as client:
        await client.subscribe(TOPIC, qos=1)


async def through_source(settings: MqttSettings, messages: int) -> float:
    """Messages per second through the source."""
    source = MqttSource(settings, topic_filter=TOPIC)
    began = time.perf_counter()
    running = asyncio.create_task(source.run())
    received = 0
    while received < messages:
        batch = await source.next_batch()
        if batch is None:
            raise RuntimeError("the source stopped")
        received += len(batch.messages)
        batch.ack()
    took = time.perf_counter() - began
    await source.close()
    await running
    return received / took


async def through_iterator(settings: MqttSettings, messages: int) -> float:
    """Messages per second through aiomqtt's iterator."""
    began = time.perf_counter()
    received = 0
    async with mqtt_client(settings, persistent=True) as client:
        async for _ in client.messages:
            received += 1
            if received == messages:
                break
        took = time.perf_counter() - began
    return received / took


def main() -> None:
    """Measure both and print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=60_000)
    parser.add_argument("--version", choices=("5", "3.1.1"), default="5")
    options = parser.parse_args()
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        command = mosquitto.command(port=port, state_dir=Path(folder), max_inflight=8192, max_queued=1_000_000)
        with subprocess.Popen(command.argv, stderr=subprocess.DEVNULL) as broker:
            try:
                while not mosquitto.is_ready(port):
                    time.sleep(0.05)
                rates = {}
                for name, measure in (("iterator", through_iterator), ("source", through_source)):
                    settings = MqttSettings(
                        mqtt_url=f"mqtt://127.0.0.1:{port}", mqtt_client_id=name, mqtt_version=options.version
                    )
                    asyncio.run(prepare(settings))
                    fill(settings, options.messages)
                    rates[name] = asyncio.run(measure(settings, options.messages))
                    print(f"{name:10s} {rates[name]:9,.0f} messages/s (MQTT {options.version})")
                print(f"source / iterator = {rates['source'] / rates['iterator']:.1f}")
            finally:
                broker.terminate()


if __name__ == "__main__":
    main()
