"""Fills a gap in a stream's readings from the hot store.

Readings go by the time of measurement there, while a stream follows the time of receipt, so a replay begins `OVERLAP`
before the gap. It is read twice, since the archiver brings readings to the hot store some seconds after the broker
brought them here: once at once, and once when the gap's end must have arrived. What was sent by the first is not sent
by the second. A device that sends measurements older than `OVERLAP` fills its history, not the live view.
"""

from collections.abc import AsyncIterator, Collection, Sequence
from typing import Final, Literal

from sensorcast_api.ports import Readings
from sensorcast_api.stream.frames import LivePoint, ReadingsData
from sensorcast_common.clock import from_millis

OVERLAP_MS: Final = 60_000
AHEAD_MS: Final = 5 * 60_000
"""How far ahead of the present a device's clock may be before its readings are quarantined."""

MAX_READINGS: Final = 50_000
_PER_EVENT: Final = 500

ResetReason = Literal["too_old", "too_many_devices", "too_many_readings"]


class TooMuch(Exception):  # noqa: N818 - tells the stream to begin anew
    """The gap holds more than a stream replays."""

    def __init__(self, reason: ResetReason) -> None:
        super().__init__(reason)
        self.reason: ResetReason = reason


class Replay:
    """One gap of one stream.

    Args:
        store: The hot store.
        tenant: Whose devices.
        devices: Their names.
        since: Where the gap begins, in milliseconds since 1970 UTC.
        until: Where it ends.
    """

    def __init__(self, store: Readings, *, tenant: str, devices: Collection[str], since: int, until: int) -> None:
        self._store = store
        self._tenant = tenant
        self._devices = sorted(devices)
        self._start = max(0, since - OVERLAP_MS)
        self._end = until + AHEAD_MS
        self._sent: set[tuple[str, str, int]] = set()

    async def read(self) -> AsyncIterator[ReadingsData]:
        """What the hot store has of the gap and has not been sent yet.

        Raises:
            TooMuch: More than `MAX_READINGS`.
        """
        for device in self._devices:
            found = await self._store.read(self._tenant, device, start=self._start, end=self._end)
            points: list[LivePoint] = []
            for metric, series in found.items():
                for ts, value in zip(series.ts, series.value, strict=True):
                    if (device, metric, ts) not in self._sent:
                        self._sent.add((device, metric, ts))
                        points.append(LivePoint(metric=metric, ts=from_millis(ts), value=value, unit=series.unit))
            if len(self._sent) > MAX_READINGS:
                raise TooMuch("too_many_readings")
            points.sort(key=lambda point: (point.ts, point.metric))
            for part in _parts(points):
                yield ReadingsData(device=device, readings=part, replayed=True)


def _parts(points: Sequence[LivePoint]) -> list[Sequence[LivePoint]]:
    return [points[at : at + _PER_EVENT] for at in range(0, len(points), _PER_EVENT)]
