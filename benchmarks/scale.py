"""Limits, replicas and dollars at three sizes of a fleet: `make scale` writes docs/scale.md.

Sizes of messages and items come from the project's own encoders, on readings made here; how many requests that makes is
counted below, step by step; what a request costs is in PRICES, with its date. Nothing is measured on AWS.
"""

import argparse
import json
import math
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import zstandard

from sensorcast_archiver.settings import ArchiverSettings
from sensorcast_common.batch import ReadingBatch
from sensorcast_common.forecast import Forecast, LimitRisk
from sensorcast_common.reading import Reading
from sensorcast_common.tables.hot_chunk import pack
from sensorcast_ingest.settings import IngestSettings

PAGE: Final = Path(__file__).resolve().parents[1] / "docs" / "scale.md"
SIZES: Final = (1_000, 100_000, 10_000_000)
PERIOD: Final = 10  # s between two readings of a sensor
FORECAST_PERIOD: Final = 300  # s
DEVICE_UPDATE: Final = 300  # s between two writes of a device's own item

PRICES_OF: Final = "us-east-1, list prices as of July 2025, without free tiers and discounts by volume"
PRICES: Final = {
    "iot_message": 1.00e-6,  # up to 5 KB
    "iot_minute": 0.08e-6,  # of a connection
    "iot_rule": 0.30e-6,  # triggered, and one action
    "sns_publish": 0.50e-6,  # per 64 KB; deliveries to SQS are free
    "sqs_request": 0.40e-6,  # per 64 KB
    "dynamodb_write": 0.625e-6,  # unit, on demand
    "dynamodb_read": 0.125e-6,  # unit, on demand
    "s3_put": 5.0e-6,
    "s3_gb_month": 0.0265,  # S3 Tables
}

LIMITS: Final = {
    "iot_in_flight": 100,  # unacknowledged QoS 1 messages of one connection
    "iot_outbound": 100,  # messages a second to one connection
    "iot_connections": 500_000,  # at one time; a quota that can be raised
    "sqs_in_flight": 120_000,
    "dynamodb_table": 40_000,  # write units a second of a table; a quota that can be raised
    "dynamodb_partition": 1_000,  # write units a second
    "sns_publish": 30_000,  # a second in us-east-1; less in other Regions, can be raised
}

INGEST_PER_REPLICA: Final = 5_000
"""Messages a second of one replica: a figure to plan with; benchmarks/ingest_path.py measures yours."""
FORECASTS_PER_REPLICA: Final = 150
"""Series a second of one replica: planned for a core; `sensorcast_forecaster_engine_seconds` says what yours takes."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """What the encoders make of a reading."""

    per_message: int
    """Readings of one message of 64 KiB."""
    hot_units: float
    """Write units for one device's readings of one flush."""
    forecast_units: int
    """Write units of one forecast."""


def readings(devices: int, each: int) -> list[Reading]:
    """Temperatures that wander, to a hundredth."""
    chance = random.Random(7)
    now = 1_750_000_000_000
    made = []
    for device in range(devices):
        value = chance.uniform(2, 8)
        for at in range(each):
            value += chance.gauss(0, 0.05)
            ts = now + at * PERIOD * 1000 + chance.randrange(PERIOD * 1000)
            made.append(
                Reading(
                    "acme", f"truck-{device:07d}", "temperature", ts, round(value, 2), "Cel", ts + chance.randrange(400)
                )
            )
    chance.shuffle(made)
    return made


def sizes() -> Sizes:
    """Encode, and count."""
    limit = IngestSettings().batch_bytes
    some = readings(20_000, 1)
    low, high = 1, len(some)
    while low < high:
        middle = (low + high + 1) // 2
        batch = ReadingBatch(batch_id="0" * 26, created_at=some[0].received_at, readings=some[:middle])
        low, high = (middle, high) if len(batch.encode()) <= limit else (low, middle - 1)
    flush = ArchiverSettings().hot_flush_seconds
    chunks = pack(readings(500, max(1, round(flush / PERIOD))))
    now = datetime(2025, 7, 1, tzinfo=UTC)
    chance = random.Random(7)
    points = [5 + chance.gauss(0, 0.3) for _ in range(12)]
    forecast = Forecast(
        tenant="acme", device="truck-0000001", metric="temperature", unit="Cel", known_at=now, last_value=5.0,
        step_seconds=300, start=now + timedelta(minutes=5), q10=[p - 0.7 for p in points], q50=points,
        q90=[p + 0.7 for p in points], model="builtin/1", trained_from=now - timedelta(days=2), trained_to=now,
        risks=[LimitRisk(rule_id="chilled", side="above", threshold=8.0, probability=0.04)],
    )  # fmt: skip
    body = len(zstandard.ZstdCompressor().compress(forecast.model_dump_json().encode())) + 150
    return Sizes(per_message=low, hot_units=len(chunks) / 500, forecast_units=math.ceil(body / 1024))


@dataclass(frozen=True, slots=True)
class Load:
    """Requests a second of a fleet."""

    sensors: int
    size: Sizes
    commit_seconds: float
    flush_seconds: float
    linger: float

    @property
    def rate(self) -> float:
        """Readings, and MQTT messages, a second."""
        return self.sensors / PERIOD

    @property
    def ingests(self) -> int:
        """Replicas of ingest; each fills its own batches."""
        return max(1, math.ceil(self.rate / INGEST_PER_REPLICA))

    @property
    def per_message(self) -> float:
        """Readings of a message: as many as fill it, or as came within the linger."""
        return max(1.0, min(self.size.per_message, self.rate / self.ingests * self.linger))

    @property
    def messages(self) -> float:
        """SNS messages a second."""
        return self.rate / self.per_message

    @property
    def sqs(self) -> float:
        """SQS requests of 64 KB a second: two queues, each receives and deletes, up to ten at a time."""
        receives = self.messages * max(0.1, min(1.0, self.per_message / self.size.per_message))
        deletes = self.messages / 10
        return 2 * (receives + deletes)

    @property
    def in_flight(self) -> float:
        """Messages that archivers hold until their commit."""
        return self.messages * self.commit_seconds

    @property
    def archivers(self) -> int:
        """Replicas: each holds two commits' worth at most."""
        return max(1, math.ceil(self.in_flight / ArchiverSettings().lake_commit_batches))

    @property
    def hot(self) -> float:
        """Write units a second of table `readings`."""
        return self.sensors * self.size.hot_units / max(self.flush_seconds, PERIOD)

    @property
    def devices(self) -> float:
        """Write units a second of table `devices`."""
        return self.sensors / DEVICE_UPDATE

    @property
    def forecasts(self) -> float:
        """Write units a second of table `forecasts`."""
        return self.sensors / FORECAST_PERIOD * self.size.forecast_units

    @property
    def forecasters(self) -> int:
        """Replicas of the forecaster."""
        return max(1, math.ceil(self.sensors / FORECAST_PERIOD / FORECASTS_PER_REPLICA))

    def dollars(self) -> dict[str, float]:
        """Per second, by part; MQTT apart, since the broker is a choice."""
        commits = self.archivers / self.commit_seconds
        return {
            "SNS": self.messages * PRICES["sns_publish"],
            "SQS": self.sqs * PRICES["sqs_request"],
            "DynamoDB readings": self.hot * PRICES["dynamodb_write"],
            "DynamoDB devices": self.devices * PRICES["dynamodb_write"],
            "DynamoDB forecasts": self.forecasts * PRICES["dynamodb_write"],
            "S3 Tables requests": commits * 6 * PRICES["s3_put"],
        }

    def naive(self) -> dict[str, float]:
        """One message per reading: published, received and deleted one by one in both queues, and one item each."""
        return {
            "SNS": self.rate * PRICES["sns_publish"],
            "SQS": self.rate * 2 * (0.1 + 0.1) * PRICES["sqs_request"],
            "DynamoDB readings": self.rate * PRICES["dynamodb_write"],
            "DynamoDB devices": self.devices * PRICES["dynamodb_write"],
            "DynamoDB forecasts": self.forecasts * PRICES["dynamodb_write"],
            "S3 Tables requests": 6 * PRICES["s3_put"] / 60,
        }


def first_limits(load: Load) -> list[tuple[str, float, float]]:
    """Where each limit stands: what is used of it."""
    return [
        ("IoT Core: connections of devices", load.sensors, LIMITS["iot_connections"]),
        ("IoT Core: messages a second to one session of ingest", load.rate / load.ingests, LIMITS["iot_outbound"]),
        ("SNS: publishes a second", load.messages, LIMITS["sns_publish"]),
        ("SQS: messages of `archive` in flight", load.in_flight, LIMITS["sqs_in_flight"]),
        ("DynamoDB: write units a second of `readings`", load.hot, LIMITS["dynamodb_table"]),
        ("DynamoDB: write units a second of `forecasts`", load.forecasts, LIMITS["dynamodb_table"]),
    ]


def number(value: float) -> str:
    """Readable."""
    if value >= 100 or value == round(value):
        return f"{value:,.0f}"
    return f"{value:.2f}" if value >= 0.01 else f"{value:.4f}"


def table(head: list[str], rows: list[list[str]]) -> str:
    """Markdown."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def page(size: Sizes, loads: list[Load]) -> str:
    """The whole page."""
    flush, slow = ArchiverSettings().hot_flush_seconds, 300
    head = ["", *(f"{load.sensors:,} sensors" for load in loads)]

    def row(name: str, values: list[str]) -> list[str]:
        return [name, *values]

    requests = [
        row("readings a second", [number(load.rate) for load in loads]),
        row("replicas of ingest", [number(load.ingests) for load in loads]),
        row("readings of a message", [number(load.per_message) for load in loads]),
        row("SNS publishes a second", [number(load.messages) for load in loads]),
        row("SQS requests a second", [number(load.sqs) for load in loads]),
        row("messages held by archivers", [number(load.in_flight) for load in loads]),
        row("replicas of the archiver", [number(load.archivers) for load in loads]),
        row("lake commits a minute", [number(load.archivers * 60 / load.commit_seconds) for load in loads]),
        row("write units a second, `readings`", [number(load.hot) for load in loads]),
        row("write units a second, `devices`", [number(load.devices) for load in loads]),
        row("write units a second, `forecasts`", [number(load.forecasts) for load in loads]),
        row("replicas of the forecaster", [number(load.forecasters) for load in loads]),
    ]
    limits = [
        row(name, [f"{number(used)} of {most:,} ({used / most:.0%})" for _, used, most in column])
        for name, column in (
            (first_limits(loads[0])[at][0], [first_limits(load)[at] for load in loads]) for at in range(6)
        )
    ]
    billion = [1e9 / load.rate for load in loads]
    parts = list(loads[0].dollars())
    cost = [
        row(part, [f"{load.dollars()[part] * seconds:,.0f}" for load, seconds in zip(loads, billion, strict=True)])
        for part in parts
    ]
    totals = [sum(load.dollars().values()) * seconds for load, seconds in zip(loads, billion, strict=True)]
    naive = [sum(load.naive().values()) * seconds for load, seconds in zip(loads, billion, strict=True)]
    slower = [Load(load.sensors, size, load.commit_seconds, slow, load.linger) for load in loads]
    slow_units = len(pack(readings(200, slow // PERIOD))) / 200
    slow_cost = [
        (sum(load.dollars().values()) - load.hot * PRICES["dynamodb_write"]
         + each.sensors * slow_units / slow * PRICES["dynamodb_write"]) * seconds
        for load, each, seconds in zip(loads, slower, billion, strict=True)
    ]  # fmt: skip
    cost += [
        row("**together**", [f"**{value:,.0f}**" for value in totals]),
        row("together, hot store flushed every 5 minutes", [f"{value:,.0f}" for value in slow_cost]),
        row("one message per reading", [f"{value:,.0f}" for value in naive]),
    ]
    connection = 60 / PERIOD
    broker = [
        row("AWS IoT Core, MQTT session of ingest", [f"{_iot(connection, rule=False):,.0f}"] * len(loads)),
        row("AWS IoT Core, topic rule to SQS", [f"{_iot(connection, rule=True):,.0f}"] * len(loads)),
    ]
    return f"""# Cost and scale on paper

Written by `make scale` (`benchmarks/scale.py`): nothing here was measured on AWS. Sizes come from the project's own
encoders on temperatures that wander; requests are counted step by step. Prices are those of
{PRICES_OF}; check them before you plan with them.

Each sensor sends one reading every {PERIOD} s. A message of {IngestSettings().batch_bytes:,} bytes holds {size.per_message:,} readings; a flush of
{flush:.0f} s writes {number(size.hot_units)} units for each sensor, one of {slow} s {number(slow_units)}; a forecast of 12 points takes {size.forecast_units}.

## Requests

{table(head, requests)}

A replica of ingest is planned for {INGEST_PER_REPLICA:,} messages a second and one of the forecaster for {FORECASTS_PER_REPLICA} series a second; an archiver
holds {ArchiverSettings().lake_commit_batches:,} messages at a commit.

## Which limit comes first

{table(head, limits)}

- **AWS IoT Core** delivers about {LIMITS["iot_outbound"]} messages a second to one connection, of which {LIMITS["iot_in_flight"]} may wait for their PUBACK. That is
  the first limit of the MQTT way: {LIMITS["iot_outbound"] * PERIOD:,} sensors for each session of ingest. Beyond a few thousand sensors on IoT
  Core, use the topic rule (`SENSORCAST_SOURCE=queue`), which has no session; with a broker of your own the limit is ingest's.
- **SQS in flight** counts messages that the archiver holds for its commit ({loads[0].commit_seconds:.0f} s). Fuller messages lower it: raise
  `SENSORCAST_LINGER_MS` before anything else.
- **DynamoDB**: a partition takes {LIMITS["dynamodb_partition"]:,} write units a second. Keys are devices, so that load spreads over partitions by
  itself; the quota of a table must be raised before ten million sensors, or the flush lengthened.
- **S3 Tables**: an Iceberg table takes about one commit a second before writers repeat more than they commit; with many
  archivers lengthen `SENSORCAST_LAKE_COMMIT_SECONDS`.
- **Athena** scans days of a partition: its cost follows the range that is asked for, and `AthenaCutoffBytes` bounds it.

## Dollars per billion readings

{table(head, cost)}

Storage, SMS, Athena, the machines that the services run on and the broker are apart. The broker, per billion readings:

{table(head, broker)}

What is written most is the bill: the flush of the hot store decides. Readings reach alerts before any store, so that a
longer flush (`SENSORCAST_HOT_FLUSH_SECONDS`) makes the page and forecasts older, and not the warning.
"""


def _iot(per_minute: float, *, rule: bool) -> float:
    """Dollars of a billion readings: messages in, out again to ingest or by a rule, and the connections' minutes."""
    out = PRICES["iot_rule"] + PRICES["sqs_request"] if rule else PRICES["iot_message"]
    return 1e9 * (PRICES["iot_message"] + out + PRICES["iot_minute"] / per_minute)


def main() -> None:
    """Write the page, or print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the counted requests instead of writing the page")
    options = parser.parse_args()
    size = sizes()
    archiver, ingest = ArchiverSettings(), IngestSettings()
    loads = [
        Load(sensors, size, archiver.lake_commit_seconds, archiver.hot_flush_seconds, ingest.linger_ms / 1000)
        for sensors in SIZES
    ]
    if options.json:
        print(json.dumps([{"sensors": load.sensors, "dollars": load.dollars(), "rate": load.rate} for load in loads]))
        return
    PAGE.write_text(page(size, loads), encoding="utf-8")
    print(f"{PAGE.name}: written")


if __name__ == "__main__":
    main()
