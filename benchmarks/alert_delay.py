"""From a reading to SNS: how long a breach takes to be told, while 2,000 readings a second come.

`make bench-alert-delay ARGS="--seconds 60"`

Mosquitto, the emulated AWS (DynamoDB, SNS, SQS) and the services ingest and alerter run as processes of their own on
loopback. Every device sends once a second, one message with the readings of four sensors, each of which the rule
watches. Now and then a sensor of another device leaves its limit for good, which opens one incident and tells one
recipient by SMS. The delay runs from just before that reading is published until the emulator has taken the SNS Publish
of its SMS; ingest's own clock starts a little later.

Beside it, in the same seconds, the floor: the calls to AWS that such an alert consists of, one after the other, without
any of our code between them: SNS to a queue, a transaction of three items, four conditional updates, a transaction of
two, SNS to a telephone. What is left between floor and delay, and the two waits that are meant (ingest's linger and the
moment a message waits for its group), is ours.
"""

import argparse
import asyncio
import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import httpx
from aiobotocore.session import get_session
from benchmarks.alert_floor import Floor

from sensorcast_common.aws import Aws
from sensorcast_common.names import Names
from sensorcast_common.recipient import Recipient
from sensorcast_common.rule import LimitCondition, Rule
from sensorcast_common.tables.contacts import ContactsTable
from sensorcast_common.tables.rules import RulesTable
from sensorcast_local import emulator, mosquitto
from sensorcast_local.broker import Broker
from sensorcast_local.command import LOOPBACK, Command, answers, free_port
from sensorcast_local.publisher import Publisher
from sensorcast_local.stack import deploy_stack

REGION: Final = "eu-central-1"
ACCOUNT: Final = "123456789012"
TENANT: Final = "bench"
SENSORS: Final = 4
PHONE: Final = "+4915112345678"
DEADLINE_SECONDS: Final = 60.0
_DEVICE: Final = re.compile(r"dev-\d+")


def environment(endpoint: str) -> dict[str, str]:
    """What the SDK and the services need to find the emulator, and nothing of ours that could lead elsewhere."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SENSORCAST_"))}  # noqa: TID251 - passed on to the services
    return kept | {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": ACCOUNT,
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


@contextlib.contextmanager
def running(*commands: Command, env: Mapping[str, str], logs: Path) -> Iterator[None]:
    """Run programs until the block ends."""
    processes = []
    try:
        for at, command in enumerate(commands):
            log = (logs / f"{Path(command.argv[0]).name}-{at}.log").open("wb")
            processes.append(
                subprocess.Popen(command.argv, env={**env, **command.env}, stdout=log, stderr=subprocess.STDOUT)
            )
        yield
    finally:
        for process in reversed(processes):
            process.terminate()
        for process in processes:
            process.wait(30)


def service(name: str, mqtt_port: int, ops_port: int) -> Command:
    """One of the services, as its container runs it."""
    own = {
        "alerter": {"SENSORCAST_SMS_PER_NUMBER_PER_DAY": "100000", "SENSORCAST_SMS_PER_TENANT_PER_DAY": "100000"},
        "ingest": {},
    }
    return Command(
        argv=(str(Path(sys.executable).with_name(f"sensorcast-{name}")),),
        env={
            "SENSORCAST_MQTT_URL": f"mqtt://{LOOPBACK}:{mqtt_port}",
            "SENSORCAST_OPS_PORT": str(ops_port),
            "SENSORCAST_DRAIN_SECONDS": "2",
            **own[name],
        },
    )


async def ready(*ops_ports: int) -> None:
    """Wait until the services are."""
    async with httpx.AsyncClient() as http:
        for port in ops_ports:
            async with asyncio.timeout(DEADLINE_SECONDS):
                while True:
                    with contextlib.suppress(httpx.HTTPError):
                        if (await http.get(f"http://{LOOPBACK}:{port}/readyz")).status_code == 200:
                            break
                    await asyncio.sleep(0.2)


async def prepare(aws: Aws, names: Names) -> None:
    """Deploy the stack; store the rule and who is told."""
    async with aws.client("cloudformation") as cloudformation:
        await deploy_stack(cloudformation, stack=names.stack)
    rule = Rule(
        tenant=TENANT,
        rule_id="warm",
        name="Too warm",
        device="dev-*",
        metric="sensor-*",
        condition=LimitCondition(above=8),
    )
    async with aws.client("dynamodb") as dynamodb:
        await RulesTable(dynamodb, names).put(rule)
        who = Recipient(tenant=TENANT, recipient_id="manager", name="Manager", roles=["manager"], sms=PHONE)
        await ContactsTable(dynamodb, names).recipients.put(who)


class Fleet:
    """Sends one message of each device every second; some of them leave their limit, one after the other.

    Args:
        publisher: Where to.
        devices: How many.
        breaches: How many a second leave their limit.
    """

    def __init__(self, publisher: Publisher, *, devices: int, breaches: int) -> None:
        self._publisher = publisher
        self._devices = devices
        self._breaches = breaches
        self.began: dict[str, float] = {}
        """When the breach of each device was published, in seconds since 1970."""

        self.sent = 0
        self.behind = 0.0
        """The longest that sending was late by, in seconds: what the machine was too busy for."""

    async def drive(self, seconds: int, *, warm_up: int) -> None:
        """Send for some seconds; nothing breaks a limit in the first ones."""
        start = time.monotonic()
        tick, total = 1 / 50, seconds * self._devices
        outside: set[int] = set()
        while self.sent < total:
            elapsed = time.monotonic() - start
            due = min(total, int(elapsed * self._devices))
            self.behind = max(self.behind, (due - self.sent) / self._devices - tick)
            wanted = int(max(0.0, elapsed - warm_up) * self._breaches)
            for number in range(self.sent, due):
                device = number % self._devices
                if len(outside) < wanted and device not in outside:
                    outside.add(device)
                    self.began[f"dev-{device:05}"] = time.time()
                await self._send(device, 9.0 if device in outside else 4.0 + number % 13 / 10)
            self.sent = due
            await asyncio.sleep(tick)

    async def _send(self, device: int, value: float) -> None:
        ts = round(time.time() * 1000)
        readings = [
            {"ts": ts, "metric": f"sensor-{at}", "value": value if at == 0 else 4.0, "unit": "Cel"}
            for at in range(SENSORS)
        ]
        topic = f"dt/{TENANT}/dev-{device:05}/readings"
        await self._publisher.send(topic, json.dumps(readings).encode(), readings=SENSORS)


async def told(endpoint: str, fleet: Fleet) -> dict[str, float]:
    """When the SMS of each device came to SNS, once all are there; those that never come are missing."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while True:
        found: dict[str, float] = {}
        for text in await emulator.sent_sms(endpoint, account=ACCOUNT):
            device = _DEVICE.search(text.message)
            if text.phone_number == PHONE and device is not None:
                found.setdefault(device[0], text.sent_at.timestamp())
        if len(found) >= len(fleet.began) or time.monotonic() > deadline:
            return found
        await asyncio.sleep(1)


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -(-int(share * 1000 * len(ordered)) // 1000) - 1))]


async def measure(options: argparse.Namespace, mqtt_port: int, endpoint: str, folder: Path) -> int:
    """Drive the fleet and print the delays; 1 where fewer than 99 % were told within two seconds."""
    session = get_session()
    session.set_credentials(ACCOUNT, "secret")
    session.set_config_variable("region", REGION)
    aws, names = Aws(session=session, region=REGION, endpoint_url=endpoint), Names()
    await prepare(aws, names)
    ports = {name: free_port() for name in ("ingest", "alerter")}
    programs = [service(name, mqtt_port, port) for name, port in ports.items()]
    broker = Broker(host=LOOPBACK, port=mqtt_port)
    with running(*programs, env=environment(endpoint), logs=options.logs or folder):
        await ready(*ports.values())
        async with Publisher(broker, in_flight=1_000) as publisher:
            fleet, floor = (
                Fleet(publisher, devices=options.readings // SENSORS, breaches=options.breaches),
                Floor(aws, names),
            )
            ended = asyncio.Event()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(floor.measure(every=0.5, ended=ended))
                await fleet.drive(options.seconds, warm_up=options.warm_up)
                ended.set()
            came = await told(endpoint, fleet)
        async with httpx.AsyncClient() as http:
            metrics = (await http.get(f"http://{LOOPBACK}:{ports['alerter']}/metrics")).text
    if not came:
        print(f"{len(fleet.began)} breaches and no SMS at all")
        return 1
    delays = [came[device] - began for device, began in fleet.began.items() if device in came]
    within = sum(delay <= 2 for delay in delays) / len(fleet.began)
    print(f"{options.readings:,} readings/s for {options.seconds} s, sent at most {fleet.behind:.2f} s late")
    print(f"{len(fleet.began)} breaches, {len(delays)} SMS, {within:.2%} within 2 s of their publication")
    print(f"delay: p50 {quantile(delays, 0.5):.2f} s, p99 {quantile(delays, 0.99):.2f} s, worst {max(delays):.2f} s")
    print(f"from ingest on, as the alerter counts it: {_share_within(metrics, '2.0'):.2%} within 2 s")
    print(
        f"floor, {len(floor.seconds)} times: p50 {quantile(floor.seconds, 0.5):.2f} s, "
        f"p99 {quantile(floor.seconds, 0.99):.2f} s; waits that are meant: 0.1 s linger, 0.5 s group"
    )
    return 0 if within >= 0.99 else 1


def _share_within(metrics: str, bucket: str) -> float:
    name = "sensorcast_alerter_notification_delay_seconds"
    inside = re.search(rf'{name}_bucket{{channel="sms",le="{bucket}"}} (\S+)', metrics)
    count = re.search(rf'{name}_count{{channel="sms"}} (\S+)', metrics)
    return float(inside[1]) / float(count[1]) if inside and count else 0.0


def main() -> None:
    """Start the servers and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=90)
    parser.add_argument("--warm-up", type=int, default=10)
    parser.add_argument("--readings", type=int, default=2_000)
    parser.add_argument("--breaches", type=int, default=2)
    parser.add_argument("--logs", type=Path, help="keep what the programs write in this folder")
    options = parser.parse_args()
    mqtt_port, aws_port = free_port(), free_port()
    endpoint = f"http://{LOOPBACK}:{aws_port}"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "aws").mkdir()
        servers = (
            mosquitto.command(port=mqtt_port, state_dir=folder / "mqtt", max_inflight=8192, max_queued=2_000_000),
            emulator.command(port=aws_port, state_dir=folder / "aws", save_every=600.0, iot_port=None),
        )
        with running(*servers, env=environment(endpoint), logs=options.logs or folder):
            deadline = time.monotonic() + DEADLINE_SECONDS
            while not (mosquitto.is_ready(mqtt_port) and answers(aws_port)):
                if time.monotonic() > deadline:
                    sys.exit("the servers did not start")
                time.sleep(0.1)
            sys.exit(asyncio.run(measure(options, mqtt_port, endpoint, folder)))


if __name__ == "__main__":
    main()
