"""Writes batches to the hot store, and what they tell of devices to table `devices`."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from sensorcast_archiver.accept import HotBatch
from sensorcast_archiver.metrics import ArchiverMetrics
from sensorcast_archiver.sightings import SeenDevices
from sensorcast_common.clock import Clock, system_clock
from sensorcast_common.reading import Reading
from sensorcast_common.tables.devices import DevicesTable
from sensorcast_common.tables.hot_chunk import pack
from sensorcast_common.tables.hot_store import HotStore

SLICE_READINGS: Final = 50_000
"""Readings that are unpacked at a time: as Python objects they take ten times the memory of their columns."""


class HotWriter:
    """Writes to both tables; doing so again changes nothing.

    Args:
        store: The hot store.
        devices: The table of devices.
        seen: What the table of devices is known to hold.
        metrics: Where write units are counted.
        clock: Milliseconds since 1970 UTC.
    """

    def __init__(
        self,
        *,
        store: HotStore,
        devices: DevicesTable,
        seen: SeenDevices,
        metrics: ArchiverMetrics,
        clock: Clock = system_clock,
    ) -> None:
        self._store = store
        self._clock = clock
        self._devices = devices
        self._seen = seen
        self._metrics = metrics

    async def write(self, batches: Sequence[HotBatch]) -> None:
        """Write the readings of all batches together, so that a device's chunk is as full as it can be.

        Raises:
            Retryable: DynamoDB left something unwritten; write the same again.
        """
        for part in slices(batches, readings=SLICE_READINGS):
            traces = {
                (series.tenant, series.device): batch.trace
                for batch in part
                if batch.trace is not None
                for series in batch.rows.series
            }
            await self._write([reading for batch in part for reading in batch.rows.readings()], traces)

    async def _write(self, readings: Sequence[Reading], traces: Mapping[tuple[str, str], str]) -> None:
        # Packing a large flush takes a second of computing, which must not keep the loop from extending visibility.
        chunks = await asyncio.to_thread(pack, readings)
        appended = await self._store.append(chunks, now=self._clock(), traces=traces)
        self._metrics.write_units("readings", appended.write_units)
        news = self._seen.news(readings)
        if news:
            recorded = await self._devices.record(news)
            self._metrics.write_units("devices", recorded.write_units)
            self._seen.recorded(news)


def slices(batches: Sequence[HotBatch], *, readings: int) -> Iterator[list[HotBatch]]:
    """Cut `batches` into lists of at most so many readings, a larger batch by itself."""
    part: list[HotBatch] = []
    size = 0
    for batch in batches:
        if part and size + len(batch.rows) > readings:
            yield part
            part, size = [], 0
        part.append(batch)
        size += len(batch.rows)
    if part:
        yield part
