"""Everything that `sensorcast up` runs, under faults: is a reading lost or doubled, is an incident missed or invented?

    python -m benchmarks.faults --minutes 10 --rate 200 --seed 1

Devices send readings over MQTT with QoS 1 while services are killed (SIGKILL), stand still for up to 45 s and wake up
again (SIGSTOP: longer than a lease), the broker restarts, and AWS does not answer for up to 15 s. Then the lake and the
hot store are compared with what was sent, value by value, the incidents with the excursions that were sent, and the
texts with the incidents. Ends with 1 where anything differs.
"""

import argparse
import asyncio
import contextlib
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.faults_storm import SERVICES, Storm
from rich.console import Console
from tests.e2e.everything import Everything
from tests.servers.waiting import until

from sensorcast_common.clock import system_clock, to_millis
from sensorcast_common.identity import first_id_at
from sensorcast_common.rule import LimitCondition, Rule
from sensorcast_common.stored_incident import StoredIncident
from sensorcast_common.tables.incidents import IncidentsTable
from sensorcast_local import emulator
from sensorcast_local.publisher import Publisher
from sensorcast_local.up.demo import put_rules

TENANT: Final = "demo"
METRIC: Final = "temperature"
DEVICES: Final = 10
PER_MESSAGE: Final = 5
LIMIT: Final = 8.0
HOLD_SECONDS: Final = 10
PERIOD_MS: Final = 90_000
"""From one excursion of a device to its next one."""

EXCURSION_MS: Final = 30_000
LEAD_IN_MS: Final = 40_000
CALM_SECONDS: Final = 600.0
"""How long everything may take to catch up after the last blow."""


@dataclass(frozen=True, slots=True)
class Device:
    """A device whose every reading is known beforehand.

    Attributes:
        number: Which one.
        start: Time of its first reading, ms.
        every: Milliseconds between two readings.
    """

    number: int
    start: int
    every: int

    @property
    def name(self) -> str:
        """Its name, in its topic and in its series."""
        return f"storm-{self.number}"

    @property
    def phone(self) -> str:
        """Who is told of it; a number for each, so that no cap holds a text back."""
        return f"+155555501{self.number:02d}"

    def reading(self, index: int) -> tuple[int, float]:
        """Time, ms, and value of a reading."""
        since = index * self.every
        base = 9.0 if self._excursion(since) is not None else 4.0
        return self.start + since, round(base + (index * 7919 % 100) / 100, 2)

    def excursions(self, count: int) -> list[int]:
        """When each excursion within the first `count` readings begins, ms."""
        found = {self._excursion(index * self.every): index for index in reversed(range(count))}
        return sorted(self.start + index * self.every for excursion, index in found.items() if excursion is not None)

    def _excursion(self, since: int) -> int | None:
        number, within = divmod(since - LEAD_IN_MS - self.number * 1_700, PERIOD_MS)
        return number if number >= 0 and within < EXCURSION_MS else None

    def messages(self, count: int) -> Iterator[tuple[int, bytes]]:
        """When each message is due, ms, and its payload."""
        for first in range(0, count, PER_MESSAGE):
            readings = [self.reading(index) for index in range(first, min(count, first + PER_MESSAGE))]
            body = ",".join(f'{{"ts":{ts},"{METRIC}":{value:.2f}}}' for ts, value in readings)
            yield readings[-1][0], f"[{body}]".encode()

    @property
    def rule(self) -> Rule:
        """Its limit."""
        return Rule(
            tenant=TENANT,
            rule_id=self.name,
            name="Storm",
            device=self.name,
            metric=METRIC,
            condition=LimitCondition(above=LIMIT, hold_seconds=HOLD_SECONDS, clear_margin=0.5),
            severity="warning",
            sms=[self.phone],
        )


class Tally:
    """What was found; anything that `differs` is a failure."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self.failed = False

    def say(self, what: str) -> None:
        """Print something worth knowing."""
        self._console.print(what, highlight=False)

    def differs(self, what: str) -> None:
        """Print what is not as it should be."""
        self.failed = True
        self._console.print(f"[red]{what}[/red]", highlight=False)


async def send(publisher: Publisher, device: Device, count: int) -> None:
    """Send a device's readings when they are due; late where the broker is away."""
    for due, payload in device.messages(count):
        await asyncio.sleep(max(0.0, due / 1000 - time.time()))
        readings = payload.count(b"{")
        await publisher.send(f"dt/{TENANT}/{device.name}/readings", payload, readings=readings)


async def incidents_of(everything: Everything) -> list[StoredIncident]:
    """All incidents that were ever opened, but those that ended while pending."""
    async with everything.stack.aws.client("dynamodb") as dynamodb:
        found = await IncidentsTable(dynamodb, everything.stack.names).recent(TENANT, first_id_at(0))
    return [one for one in found if not one.incident.passed]


async def compare_readings(everything: Everything, devices: Sequence[Device], count: int, tally: Tally) -> None:
    """Lake and hot store against what was sent."""
    end = system_clock()
    for device in devices:
        sent = [device.reading(index) for index in range(count)]
        kept = {
            "lake": await everything.lake_values(device.name, METRIC),
            "hot store": await everything.hot_values(device.name, METRIC, end=end),
        }
        for where, rows in kept.items():
            lost, added = Counter(sent) - Counter(rows), Counter(rows) - Counter(sent)
            if lost or added:
                tally.differs(f"{where}: {device.name} lost {lost.total()}, has {added.total()} too many")
    tally.say(f"lake and hot store: {len(devices) * count:,} readings compared each")


async def compare_incidents(everything: Everything, devices: Sequence[Device], count: int, tally: Tally) -> None:
    """Incidents against excursions, texts against incidents."""
    stored = await incidents_of(everything)
    incidents = [one.incident for one in stored]
    texts = Counter(one.phone_number for one in await emulator.sent_sms(everything.running.endpoint_url))
    twice = 0
    for device in devices:
        own = [one for one in incidents if one.device == device.name and not one.withdrawn]
        found, came = Counter(to_millis(one.opened_at) for one in own), Counter(device.excursions(count))
        missed, invented = came - found, found - came
        if missed or invented:
            tally.differs(f"incidents: {device.name} missed {missed.total()}, invented {invented.total()}")
            for one in own:
                tally.say(f"  {one.opened_at:%H:%M:%S.%f} {one.state} {one.reason} {one.incident_id}")
        if unresolved := sum(not one.over for one in own):
            tally.differs(f"incidents: {device.name} has {unresolved} that never ended")
        # Incidents of a device that come within the interval of their group are told of in one text.
        announced = {one.notified_at for one in incidents if one.device == device.name and one.notified_at}
        if untold := sum(not one.late and one.notified_at is None for one in own):
            tally.differs(f"texts: {device.name} has {untold} incidents that nobody was told of")
        if texts[device.phone] < len(announced):
            tally.differs(f"texts: {device.name} {texts[device.phone]} for {len(announced)} announcements")
        twice += texts[device.phone] - len(announced)
    late, withdrawn = sum(one.late for one in incidents), sum(one.withdrawn for one in incidents)
    tally.say(
        f"incidents: {len(incidents)}, {late} of them known too late to warn of, {withdrawn} withdrawn; "
        f"texts: {texts.total()}, {twice} of them sent twice"
    )


async def compare_queues(everything: Everything, tally: Tally) -> None:
    """Nothing may be left in a dead-letter queue or in quarantine."""
    names = everything.stack.names
    async with everything.stack.aws.client("sqs") as sqs:
        for queue in (*map(names.dead_letter, names.queues), names.queue_quarantine):
            url = (await sqs.get_queue_url(QueueName=queue))["QueueUrl"]
            answer = await sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
            if held := int(answer["Attributes"]["ApproximateNumberOfMessages"]):
                tally.differs(f"{queue} holds {held} messages")


async def catch_up(everything: Everything, devices: Sequence[Device], count: int) -> None:
    """Wait until what was sent is stored and every incident has ended."""

    async def stored() -> bool:
        return all([(await everything.lake(one.name))[1] >= count for one in devices])

    async def hot() -> bool:
        end = system_clock()
        return all([len(await everything.hot_values(one.name, METRIC, end=end)) >= count for one in devices])

    async def over() -> bool:
        incidents = await incidents_of(everything)
        return len(incidents) >= sum(len(one.excursions(count)) for one in devices) and all(
            one.incident.over and not any(notice.pending for notice in one.outbox.values()) for one in incidents
        )

    for condition in (stored, hot, over):
        with contextlib.suppress(TimeoutError):  # what is missing then is said by the comparison
            await until(condition, within=CALM_SECONDS, every=2)


async def run(options: argparse.Namespace, folder: Path, tally: Tally) -> None:
    """Start everything, send, strike, compare."""
    with Everything(folder=folder) as everything:
        every = DEVICES * 1000 // options.rate
        start = system_clock() + 5_000
        devices = [Device(number, start, every) for number in range(DEVICES)]
        # The last excursion has ended and its incident is cleared before the last reading.
        periods = max(1, int(options.minutes * 60_000) // PERIOD_MS)
        count = (LEAD_IN_MS + periods * PERIOD_MS) // every
        await put_rules(everything.stack.aws, everything.stack.names, [one.rule for one in devices])
        storm = Storm(seed=options.seed, every=options.every, services=options.services, process=everything.child)
        async with Publisher(everything.running.broker, in_flight=64) as publisher:
            began = time.monotonic()
            raging = asyncio.create_task(
                storm.rage(lambda what: tally.say(f"{time.monotonic() - began:6.0f} s {what}"))
            )
            try:
                await asyncio.gather(*(send(publisher, one, count) for one in devices))
            finally:
                raging.cancel()
                await asyncio.wait([raging])
            await publisher.drain()
            tally.say(f"{publisher.acknowledged:,} readings acknowledged; {storm.dealt.total()} blows")
        await catch_up(everything, devices, count)
        await compare_readings(everything, devices, count, tally)
        await compare_incidents(everything, devices, count, tally)
        await compare_queues(everything, tally)


def main() -> int:
    """Run it and say what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10, help="how long readings are sent")
    parser.add_argument("--rate", type=int, default=200, help="readings per second, all devices together")
    parser.add_argument("--every", type=float, default=8.0, help="seconds between two blows, on average")
    parser.add_argument("--seed", type=int, default=1, help="of the blows")
    parser.add_argument("--services", nargs="+", choices=SERVICES, default=SERVICES, help="which are struck")
    parser.add_argument("--folder", type=Path, help="keep state and logs here")
    options = parser.parse_args()
    tally = Tally(Console())
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run(options, options.folder or Path(folder), tally))
    tally.say("something differs" if tally.failed else "nothing lost, nothing doubled, nothing invented")
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())
