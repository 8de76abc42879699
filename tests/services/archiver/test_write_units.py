"""What the hot store costs: write units per 1,000 readings, counted from what the requests are billed."""

import random
from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry
from tests.servers.aws import DeployedStack
from tests.services.archiver.samples import T0

from sensorcast_archiver.accept import HotBatch
from sensorcast_archiver.hot import HotWriter
from sensorcast_archiver.lake.rows import Rows
from sensorcast_archiver.metrics import ArchiverMetrics
from sensorcast_archiver.sightings import SeenDevices
from sensorcast_common.identity import new_id
from sensorcast_common.reading import Reading
from sensorcast_common.tables.devices import DevicesTable
from sensorcast_common.tables.hot_store import HotStore

METRICS = (
    ("temperature", "Cel", 4.0),
    ("humidity", "%RH", 61.0),
    ("battery", "%EL", 88.0),
    ("pressure", "Pa", 101325.0),
)
DEVICES = 10
MINUTES = 30
SEND_EVERY = 10_000


def sent() -> list[Reading]:
    """Devices that send four metrics every 10 s, each at its own moment, some milliseconds early or late."""
    rng = random.Random(5)
    readings = []
    for device in range(DEVICES):
        phase = rng.randrange(SEND_EVERY)
        for turn in range(MINUTES * 60_000 // SEND_EVERY):
            ts = T0 + phase + turn * SEND_EVERY + rng.randrange(-40, 40)
            received = ts + rng.randrange(20, 200)
            readings += [
                Reading("acme", f"truck-{device:03d}", metric, ts, round(rng.gauss(mean, 0.8), 2), unit, received)
                for metric, unit, mean in METRICS
            ]
    return sorted(readings, key=lambda reading: reading.received_at)


def flushes(readings: list[Reading], every: int) -> Iterator[list[Reading]]:
    start = readings[0].received_at
    last = readings[-1].received_at
    while start <= last:
        window = [reading for reading in readings if start <= reading.received_at < start + every]
        if window:
            yield window
        start += every


@pytest.mark.parametrize(("flush_seconds", "at_most"), [(10, 260.0), (60, 50.0)])
async def test_write_units_per_thousand_readings(stack: DeployedStack, flush_seconds: int, at_most: float) -> None:
    registry = CollectorRegistry()
    readings = sent()
    async with stack.aws.client("dynamodb") as dynamodb:
        writer = HotWriter(
            store=HotStore(dynamodb, stack.names),
            devices=DevicesTable(dynamodb, stack.names),
            seen=SeenDevices(capacity=100),
            metrics=ArchiverMetrics(registry),
        )
        for window in flushes(readings, flush_seconds * 1000):
            await writer.write([HotBatch(new_id(), Rows.of(window))])
        sizes = {}
        for table in (stack.names.table_readings, stack.names.table_devices):
            pages = dynamodb.get_paginator("scan").paginate(TableName=table)
            sizes[table] = [item_bytes(item) async for page in pages for item in page["Items"]]
    # The emulator bills one unit per item; AWS does where an item is at most 1,024 bytes.
    assert max(max(each) for each in sizes.values()) <= 1024
    units = {
        table: registry.get_sample_value("sensorcast_archiver_write_units_total", {"table": table}) or 0.0
        for table in ("readings", "devices")
    }
    assert units["readings"] == len(sizes[stack.names.table_readings])
    per_thousand = 1000 * sum(units.values()) / len(readings)
    assert per_thousand <= at_most, units


def item_bytes(value: object) -> int:
    """An item's size by the rules of "DynamoDB item sizes and formats" in the developer guide."""
    assert isinstance(value, dict)
    return sum(len(name.encode()) + attribute_bytes(attribute) for name, attribute in value.items())


def attribute_bytes(attribute: dict[str, object]) -> int:
    ((kind, content),) = attribute.items()
    match kind, content:
        case "S", str():
            return len(content.encode())
        case "N", str():
            return (len(content.lstrip("-")) + 1) // 2 + 1
        case "B", bytes():
            return len(content)
        case "M", dict():
            return 3 + sum(1 + len(name.encode()) + attribute_bytes(one) for name, one in content.items())
    raise AssertionError(f"unexpected type {kind}")
