"""Writes batches to the hot store, and what they tell of devices to table `devices`."""

import asyncio
from collections.abc import Sequence
from itertools import chain

from sensorcast_archiver.accept import HotBatch
from sensorcast_archiver.metrics import ArchiverMetrics
from sensorcast_archiver.sightings import SeenDevices
from sensorcast_common.tables.devices import DevicesTable
from sensorcast_common.tables.hot_chunk import pack
from sensorcast_common.tables.hot_store import HotStore


class HotWriter:
    """Writes to both tables; doing so again changes nothing.

    Args:
        store: The hot store.
        devices: The table of devices.
        seen: What the table of devices is known to hold.
        metrics: Where write units are counted.
    """

    def __init__(self, *, store: HotStore, devices: DevicesTable, seen: SeenDevices, metrics: ArchiverMetrics) -> None:
        self._store = store
        self._devices = devices
        self._seen = seen
        self._metrics = metrics

    async def write(self, batches: Sequence[HotBatch]) -> None:
        """Write the readings of all batches together, so that a device's chunk is as full as it can be.

        Raises:
            Retryable: DynamoDB left something unwritten; write the same again.
        """
        readings = list(chain.from_iterable(batch.readings for batch in batches))
        # Packing a large flush takes a second of computing, which must not keep the loop from extending visibility.
        chunks = await asyncio.to_thread(pack, readings)
        appended = await self._store.append(chunks)
        self._metrics.write_units("readings", appended.write_units)
        news = self._seen.news(readings)
        if news:
            recorded = await self._devices.record(news)
            self._metrics.write_units("devices", recorded.write_units)
            self._seen.recorded(news)
