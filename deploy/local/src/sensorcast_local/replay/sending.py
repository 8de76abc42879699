"""Sends the readings of a file at its own pace, a multiple of it, or as fast as the broker takes them."""

import asyncio
import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from sensorcast_common.clock import Clock
from sensorcast_common.csv.csv_file import Row
from sensorcast_common.csv.readings import Measured, RowReader
from sensorcast_common.csv.rejects import Rejects
from sensorcast_common.names import MQTT_READINGS
from sensorcast_local.fleet.drive import Sender

PACKED_READINGS: Final = 500
"""Readings of one message: some 40 KiB, where brokers and ingest take 128 KiB."""

SLACK_SECONDS: Final = 0.02
"""Rows this close together leave in one message."""


@dataclass(slots=True)
class Tally:
    """What has been done.

    Attributes:
        rows: Rows read.
        sent: Readings sent.
        empty: Cells without a value.
        rejected: Rows and cells that were not sent.
        first_ts: Earliest time sent, ms.
        last_ts: Latest time sent, ms.
        repeated: Rows whose time an earlier row had already.
    """

    rows: int = 0
    sent: int = 0
    empty: int = 0
    rejected: int = 0
    first_ts: int | None = None
    last_ts: int | None = None
    repeated: int = 0


class Replay:
    """A file on its way.

    Args:
        reader: Reads the rows.
        tenant: Whose devices.
        sender: Where readings go.
        rejects: Where the rest goes.
        clock: The present, ms.
        speed: How many times faster than it was measured; 0 is as fast as possible.

    Attributes:
        tally: What has been done so far.
    """

    def __init__(
        self, *, reader: RowReader, tenant: str, sender: Sender, rejects: Rejects, clock: Clock, speed: float
    ) -> None:
        self._reader = reader
        self._tenant = tenant
        self._sender = sender
        self._rejects = rejects
        self._clock = clock
        self._speed = speed
        self._waiting: list[Measured] = []
        self._times: set[int] = set()
        self._began: tuple[int, int] | None = None
        self.tally = Tally()

    async def run(self, rows: Iterable[Row]) -> None:
        """Send all rows and wait for the acknowledgements.

        Raises:
            BrokerError: As the sender does.
            OSError: The rejects cannot be written.
        """
        for row in rows:
            outcome = self._reader.read(row, now=self._clock())
            self.tally.rows += 1
            self.tally.empty += outcome.empty
            self.tally.rejected += len(outcome.rejected)
            self._rejects.add(outcome.rejected)
            if outcome.ts is not None:
                self.tally.repeated += outcome.ts in self._times
                self._times.add(outcome.ts)
                if self._speed > 0:
                    await self._until_due(outcome.ts)
            self._waiting += outcome.readings
            if len(self._waiting) >= PACKED_READINGS:
                await self._flush()
        await self._flush()
        await self._sender.drain()

    async def _until_due(self, ts: int) -> None:
        if self._began is None:
            self._began = (self._clock(), ts)
        started, first = self._began
        wait = (started + (ts - first) / self._speed - self._clock()) / 1000
        if wait > SLACK_SECONDS:
            await self._flush()
            await asyncio.sleep(wait)

    async def _flush(self) -> None:
        by_device: defaultdict[str, list[Measured]] = defaultdict(list)
        for reading in self._waiting:
            by_device[reading.device].append(reading)
            self._count(reading)
        self._waiting = []
        for device, readings in by_device.items():
            topic = MQTT_READINGS.format(tenant=self._tenant, device=device)
            for start in range(0, len(readings), PACKED_READINGS):
                part = readings[start : start + PACKED_READINGS]
                await self._sender.send(topic, _encode(part), readings=len(part))

    def _count(self, reading: Measured) -> None:
        tally = self.tally
        tally.sent += 1
        tally.first_ts = reading.ts if tally.first_ts is None else min(tally.first_ts, reading.ts)
        tally.last_ts = reading.ts if tally.last_ts is None else max(tally.last_ts, reading.ts)


def _encode(readings: list[Measured]) -> bytes:
    objects = [{"ts": each.ts, "metric": each.metric, "value": each.value, "unit": each.unit} for each in readings]
    return json.dumps(objects, separators=(",", ":")).encode()
