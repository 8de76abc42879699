"""Messages per second through the whole of ingest: Mosquitto, parsing, batching, SNS on the emulator, PUBACK.

`python benchmarks/ingest_path.py [--messages N] [--devices N] [--version 5|3.1.1] [--payload one|several|senml]`

A persistent session is filled while ingest is away; then the time is taken until everything is acknowledged. Ingest
runs in this process, on one core; the CPU seconds are its own.
"""

import argparse
import asyncio
import json
import subprocess
import tempfile
import time
from pathlib import Path

from aiobotocore.session import get_session

from sensorcast_common.aws import Aws
from sensorcast_common.lifecycle import Lifecycle
from sensorcast_common.mqtt import mqtt_client
from sensorcast_common.names import MQTT_READINGS_FILTER
from sensorcast_ingest.app import build
from sensorcast_ingest.settings import IngestSettings
from sensorcast_local import emulator, mosquitto
from sensorcast_local.command import answers, free_port
from sensorcast_local.stack import deploy_stack

REGION = "eu-central-1"
PUB_LINES = 20_000
"""mosquitto_pub loses lines when it is given more than there are packet identifiers."""

READINGS_EACH = {"one": 1, "several": 2, "senml": 10}


def payload(form: str, number: int) -> str:
    """A payload of this form, every one different."""
    now = int(time.time() * 1000) - number
    value = round(4 + number % 997 / 100, 2)
    if form == "one":
        return json.dumps({"ts": now, "metric": "temperature", "value": value, "unit": "Cel"})
    if form == "several":
        return json.dumps({"ts": now, "temperature": value, "humidity": 61})
    first = {"bt": now / 1000, "n": "temperature", "v": value}
    return json.dumps([first, *({"n": "humidity", "t": -back, "v": 61} for back in range(1, 10))])


def fill(settings: IngestSettings, form: str, messages: int, devices: int) -> None:
    """Queue messages of all devices in the session."""
    for device in range(devices):
        lines = [payload(form, n) for n in range(device, messages, devices)]
        command = ["mosquitto_pub", "-p", str(settings.mqtt_port), "-q", "1", "-l"]
        command += ["-t", f"dt/acme/truck-{device}/readings"]
        for at in range(0, len(lines), PUB_LINES):
            text = "\n".join(lines[at : at + PUB_LINES]) + "\n"
            subprocess.run(command, input=text.encode(), check=True)


async def drain(settings: IngestSettings, aws: Aws, messages: int) -> tuple[float, float]:
    """Seconds, on the clock and of this process's CPU, until everything is acknowledged."""
    life = Lifecycle(drain_seconds=10)
    began, cpu = time.perf_counter(), time.process_time()
    await build(settings, life, aws=aws)
    began, cpu = time.perf_counter(), time.process_time()

    def value(name: str) -> float:
        return life.registry.get_sample_value(f"sensorcast_ingest_{name}") or 0.0

    while value("messages_total") < messages or value("in_flight_messages") > 0:  # noqa: ASYNC110 - metrics tell nobody
        await asyncio.sleep(0.01)
    took = time.perf_counter() - began, time.process_time() - cpu
    batches = value("batch_fill_bytes_count")
    readings, size = value("readings_total") / batches, value("batch_fill_bytes_sum") / batches
    print(f"{readings:,.0f} readings and {size:,.0f} bytes a batch")
    await life.close()
    return took


async def measure(options: argparse.Namespace, port: int, endpoint: str) -> None:
    """Prepare, fill, drain, print."""
    session = get_session()
    session.set_credentials("123456789012", "secret")
    session.set_config_variable("region", REGION)
    aws = Aws(session=session, region=REGION, endpoint_url=endpoint)
    settings = IngestSettings(mqtt_url=f"mqtt://127.0.0.1:{port}", mqtt_version=options.version)
    async with aws.client("cloudformation") as cloudformation:
        await deploy_stack(cloudformation, stack=settings.stack)
    async with mqtt_client(settings, persistent=True) as client:
        await client.subscribe(MQTT_READINGS_FILTER, qos=1)
    fill(settings, options.payload, options.messages, options.devices)
    took, cpu = await drain(settings, aws, options.messages)
    each = READINGS_EACH[options.payload]
    print(f"MQTT {options.version}, payload {options.payload}, {options.devices} devices:")
    print(f"{options.messages / took:,.0f} messages/s, {options.messages * each / took:,.0f} readings/s")
    print(f"{options.messages / cpu:,.0f} messages per CPU second")


def main() -> None:
    """Start the servers and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--devices", type=int, default=12)
    parser.add_argument("--version", choices=("5", "3.1.1"), default="5")
    parser.add_argument("--payload", choices=tuple(READINGS_EACH), default="one")
    options = parser.parse_args()
    port, aws_port = free_port(), free_port()
    with tempfile.TemporaryDirectory() as folder:
        commands = (
            mosquitto.command(port=port, state_dir=Path(folder) / "mqtt", max_inflight=8192, max_queued=2_000_000),
            emulator.command(port=aws_port, state_dir=Path(folder) / "aws", save_every=600.0, iot_port=None),
        )
        (Path(folder) / "aws").mkdir()
        running = [
            subprocess.Popen(
                each.argv,
                env=None if not each.env else {**each.env},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            for each in commands
        ]
        try:
            while not (mosquitto.is_ready(port) and answers(aws_port)):
                time.sleep(0.1)
            asyncio.run(measure(options, port, f"http://127.0.0.1:{aws_port}"))
        finally:
            for process in running:
                process.terminate()
            for process in running:
                process.wait(10)


if __name__ == "__main__":
    main()
