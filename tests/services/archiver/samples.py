"""Readings and batches for tests of the archiver."""

from collections.abc import Iterable

from sensorcast_archiver.lake.rows import Rows
from sensorcast_archiver.lake.write import LakeBatch
from sensorcast_common.batch import ReadingBatch
from sensorcast_common.identity import new_id
from sensorcast_common.reading import Reading

T0 = 4_102_444_800_000
"""2100-01-01, so that the hot store's TTL takes nothing away in the middle of a test."""


def reading(
    second: float = 0,
    value: float = 4.0,
    *,
    device: str = "truck-1",
    metric: str = "temperature",
    tenant: str = "acme",
    unit: str = "Cel",
    redelivered: bool = False,
) -> Reading:
    """A reading `second` seconds after `T0`, received 80 ms later."""
    ts = T0 + round(second * 1000)
    return Reading(tenant, device, metric, ts, value, unit, ts + 80, redelivered=redelivered)


def marked(readings: Iterable[Reading]) -> list[Reading]:
    """The same readings as MQTT delivers them again."""
    return [one._replace(redelivered=True, received_at=one.received_at + 5000) for one in readings]


def batch(*readings: Reading, batch_id: str | None = None, created_at: int = T0) -> ReadingBatch:
    """A batch of readings."""
    return ReadingBatch(batch_id or new_id(), created_at, readings)


def lake_batch(*readings: Reading, batch_id: str | None = None, created_at: int = T0) -> LakeBatch:
    """A batch of readings on its way into the lake."""
    return LakeBatch(batch_id or new_id(), created_at, Rows.of(readings))
