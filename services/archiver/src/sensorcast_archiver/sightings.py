"""What readings tell of their devices, and which of it is worth a write."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from sensorcast_common.clock import from_millis, to_millis
from sensorcast_common.device import REFRESH_MS, MetricState, Sighting
from sensorcast_common.reading import Reading

DeviceKey: TypeAlias = tuple[str, str]
_Units: TypeAlias = frozenset[tuple[str, str]]


@dataclass(slots=True)
class _Seen:
    first_received: int
    last_received: int
    newest: dict[str, Reading]


@dataclass(frozen=True, slots=True)
class _Recorded:
    last_received: int
    newest_ts: int
    units: _Units


class SeenDevices:
    """Remembers of each device when it was last recorded, and with which metrics.

    Args:
        capacity: How many devices are remembered; the one not heard of for longest is forgotten first. To record a
            forgotten device again costs a read, for the table knows it.
    """

    def __init__(self, *, capacity: int) -> None:
        if capacity < 1:
            raise ValueError(f"capacity: {capacity} must be at least 1")
        self._capacity = capacity
        self._recorded: OrderedDict[DeviceKey, _Recorded] = OrderedDict()
        self._units: dict[_Units, _Units] = {}

    def __len__(self) -> int:
        return len(self._recorded)

    def news(self, readings: Iterable[Reading]) -> list[Sighting]:
        """One sighting for each device that is new, has a new metric or unit, or values `REFRESH_MS` newer."""
        return [_sighting(key, seen) for key, seen in _seen(readings).items() if self._is_news(key, seen)]

    def recorded(self, sightings: Iterable[Sighting]) -> None:
        """Note that the table holds these."""
        for sighting in sightings:
            key = (sighting.tenant, sighting.device)
            before = self._recorded.pop(key, None) or _Recorded(0, 0, frozenset())
            units = before.units | {(name, state.unit) for name, state in sighting.metrics.items()}
            self._recorded[key] = _Recorded(
                last_received=max(before.last_received, sighting.last_received),
                newest_ts=max(before.newest_ts, *(to_millis(state.last_ts) for state in sighting.metrics.values())),
                # A fleet has few sets of metrics, so that each is held once.
                units=self._units.setdefault(units, units),
            )
        while len(self._recorded) > self._capacity:
            self._recorded.popitem(last=False)
        if len(self._units) > 2 * len(self._recorded):
            self._units = {units: units for units in (known.units for known in self._recorded.values())}

    def _is_news(self, key: DeviceKey, seen: _Seen) -> bool:
        known = self._recorded.get(key)
        if known is None:
            return True
        self._recorded.move_to_end(key)
        newest_ts = max(reading.ts for reading in seen.newest.values())
        # The latter is a device that catches up on what it kept while it was away.
        if seen.last_received - known.last_received >= REFRESH_MS or newest_ts - known.newest_ts >= REFRESH_MS:
            return True
        return any((name, reading.unit) not in known.units for name, reading in seen.newest.items())


def _seen(readings: Iterable[Reading]) -> Mapping[DeviceKey, _Seen]:
    found: dict[DeviceKey, _Seen] = {}
    for reading in readings:
        key = (reading.tenant, reading.device)
        seen = found.get(key)
        if seen is None:
            seen = found[key] = _Seen(reading.received_at, reading.received_at, {})
        seen.first_received = min(seen.first_received, reading.received_at)
        seen.last_received = max(seen.last_received, reading.received_at)
        before = seen.newest.get(reading.metric)
        if before is None or (reading.ts, reading.received_at) > (before.ts, before.received_at):
            seen.newest[reading.metric] = reading
    return found


def _sighting(key: DeviceKey, seen: _Seen) -> Sighting:
    return Sighting(
        tenant=key[0],
        device=key[1],
        metrics={
            name: MetricState(unit=reading.unit, last_ts=from_millis(reading.ts), last_value=reading.value)
            for name, reading in sorted(seen.newest.items())
        },
        first_received=seen.first_received,
        last_received=seen.last_received,
    )
