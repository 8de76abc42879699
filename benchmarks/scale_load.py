"""What a fleet asks of AWS: requests a second, counted step by step from what the project's own encoders make."""

import math
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import zstandard
from benchmarks.scale_prices import dollars, most

from sensorcast_archiver.settings import ArchiverSettings
from sensorcast_common.batch import ReadingBatch
from sensorcast_common.forecast import Forecast, LimitRisk
from sensorcast_common.reading import Reading
from sensorcast_common.tables.hot_chunk import pack
from sensorcast_ingest.settings import IngestSettings

SIZES: Final = (1_000, 100_000, 10_000_000)
PERIOD: Final = 10  # s between two readings of a sensor
FORECAST_PERIOD: Final = 300  # s
DEVICE_UPDATE: Final = 300  # s between two writes of a device's own item

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
            "SNS": self.messages * dollars("sns_publish"),
            "SQS": self.sqs * dollars("sqs_request"),
            "DynamoDB readings": self.hot * dollars("dynamodb_write"),
            "DynamoDB devices": self.devices * dollars("dynamodb_write"),
            "DynamoDB forecasts": self.forecasts * dollars("dynamodb_write"),
            "S3 Tables requests": commits * 6 * dollars("s3_put"),
        }

    def naive(self) -> dict[str, float]:
        """One message per reading: published, received and deleted one by one in both queues, and one item each."""
        return {
            "SNS": self.rate * dollars("sns_publish"),
            "SQS": self.rate * 2 * (0.1 + 0.1) * dollars("sqs_request"),
            "DynamoDB readings": self.rate * dollars("dynamodb_write"),
            "DynamoDB devices": self.devices * dollars("dynamodb_write"),
            "DynamoDB forecasts": self.forecasts * dollars("dynamodb_write"),
            "S3 Tables requests": 6 * dollars("s3_put") / 60,
        }


def first_limits(load: Load) -> list[tuple[str, float, float]]:
    """Where each limit stands: what is used of it."""
    return [
        ("IoT Core: connections of devices", load.sensors, most("iot_connections")),
        ("IoT Core: messages a second to one session of ingest", load.rate / load.ingests, most("iot_outbound")),
        ("SNS: publishes a second", load.messages, most("sns_publish")),
        ("SQS: messages of `archive` in flight", load.in_flight, most("sqs_in_flight")),
        ("DynamoDB: write units a second of `readings`", load.hot, most("dynamodb_table")),
        ("DynamoDB: write units a second of `forecasts`", load.forecasts, most("dynamodb_table")),
    ]


def iot_core(*, rule: bool) -> dict[str, float]:
    """Dollars of a billion readings on AWS IoT Core, by part.

    A message is counted when the device publishes it, when it is handed to ingest, and when ingest acknowledges it: the
    broker's own PUBACK is free, a client's is not ("AWS IoT Core additional metering details"). By the topic rule it
    is sent to SQS one by one, and received and deleted there up to ten at a time.
    """
    on = dollars("iot_minute") * PERIOD / 60
    way = dollars("iot_rule") + dollars("sqs_request", 1.2) if rule else dollars("iot_message", 2)
    return {"published": 1e9 * dollars("iot_message"), "handed on": 1e9 * way, "connected": 1e9 * on}


def loads_of(size: Sizes) -> list[Load]:
    """The three fleets, with the services' own settings."""
    archiver, ingest = ArchiverSettings(), IngestSettings()
    return [
        Load(sensors, size, archiver.lake_commit_seconds, archiver.hot_flush_seconds, ingest.linger_ms / 1000)
        for sensors in SIZES
    ]
