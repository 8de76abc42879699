"""Chunks of the hot store: which readings share an item, and how chunks become series again.

DynamoDB bills a write per started KB of the item, names and keys included, so a chunk takes as many readings of one
device as fit. It spans less than `CHUNK_SPAN_MS` from its first reading, so that whoever asks for a range knows how far
before it a chunk may begin.
"""

import base64
import hashlib
import struct
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Final, NamedTuple

from sensorcast_common.reading import Reading
from sensorcast_common.tables.hot_codec import ChunkSeries, encode

CHUNK_SPAN_MS: Final = 5 * 60 * 1000
ITEM_BYTES: Final = 1008
"""What an item may measure; AWS calls its size formula approximate, so a few bytes of the 1,024 stay free."""

_GOOD_FILL: Final = 0.95
_FIRST_GUESS: Final = 256
_HASH_CHARS: Final = 8


class Chunk(NamedTuple):
    """One item of the hot store.

    Attributes:
        tenant: Whose readings.
        device: Whose readings.
        first_ts: Time of the first reading, in milliseconds since 1970 UTC.
        latest: The latest time in it, of measurement or of receipt; the item's lifetime counts from there.
        readings: How many readings it holds.
        data: The packed series.
    """

    tenant: str
    device: str
    first_ts: int
    latest: int
    readings: int
    data: bytes

    @property
    def pk(self) -> str:
        """Partition key."""
        return partition_key(self.tenant, self.device)

    @property
    def sk(self) -> str:
        """Sort key: the first ts and a hash of the content, so that writing a chunk again changes nothing."""
        digest = hashlib.blake2b(self.data, digest_size=_HASH_CHARS * 3 // 4).digest()
        return f"{sort_key(self.first_ts)}#{base64.urlsafe_b64encode(digest).decode('ascii')}"

    @property
    def item_bytes(self) -> int:
        """The item's size as DynamoDB bills it."""
        return _overhead(self.tenant, self.device) + len(self.data)


class SeriesColumns(NamedTuple):
    """One series, read back.

    Attributes:
        ts: Milliseconds since 1970 UTC, ascending, each once.
        value: The value at each.
        unit: The unit of all values: that of the newest reading.
        other_units: How many readings came in another unit and are therefore not among the values.
    """

    ts: list[int]
    value: list[float]
    unit: str
    other_units: int = 0


def partition_key(tenant: str, device: str) -> str:
    """The partition key of a device's chunks."""
    return f"{tenant}#{device}"


def sort_key(ts: int) -> str:
    """The prefix of a sort key; sort keys order by time as text.

    Raises:
        ValueError: `ts` does not have 1 to 13 digits.
    """
    if not 0 <= ts < 10**13:
        raise ValueError(f"ts: {ts} is not a time between 1970 and 2286 in milliseconds")
    return f"{ts:013d}"


def pack(readings: Iterable[Reading]) -> list[Chunk]:
    """Pack readings of any devices, in any order, into as few chunks as they need.

    Of several readings with the same series, unit and time, the one received last stays.
    """
    newest: dict[tuple[str, str, str, str, int], Reading] = {}
    for reading in readings:
        key = (reading.tenant, reading.device, reading.metric, reading.unit, reading.ts)
        before = newest.get(key)
        if before is None or _rank(reading.received_at, reading.value) > _rank(before.received_at, before.value):
            newest[key] = reading
    ordered = sorted(newest.values(), key=attrgetter("tenant", "device", "ts", "metric", "unit"))
    return [
        chunk
        for (tenant, device), group in groupby(ordered, key=attrgetter("tenant", "device"))
        for chunk in _pack_device(tenant, device, list(group))
    ]


def merge(
    series: Iterable[ChunkSeries], *, start: int, end: int, metrics: Collection[str] | None = None
) -> dict[str, SeriesColumns]:
    """Join the series of many chunks, in any order and with repeats, into one series per metric.

    Args:
        series: What the chunks hold.
        start: First time wanted, in milliseconds.
        end: First time no longer wanted.
        metrics: The metrics wanted; all by default.

    Returns:
        One value per time: the one received last. The result does not depend on how readings were spread over chunks.
    """
    found: dict[str, dict[tuple[int, str], tuple[int, float]]] = {}
    for one in series:
        if metrics is not None and one.metric not in metrics:
            continue
        points = found.setdefault(one.metric, {})
        for ts, received, value in zip(one.ts, one.received, one.value, strict=True):
            if start <= ts < end:
                key = (ts, one.unit)
                before = points.get(key)
                if before is None or _rank(received, value) > _rank(*before):
                    points[key] = (received, value)
    return {metric: _columns(points) for metric, points in sorted(found.items()) if points}


def _columns(points: dict[tuple[int, str], tuple[int, float]]) -> SeriesColumns:
    last_ts = max(ts for ts, _ in points)
    unit = max((points[key][0], key[1]) for key in points if key[0] == last_ts)[1]
    chosen = sorted((ts, value) for (ts, of), (_, value) in points.items() if of == unit)
    return SeriesColumns(
        ts=[ts for ts, _ in chosen],
        value=[value for _, value in chosen],
        unit=unit,
        other_units=len(points) - len(chosen),
    )


def _rank(received: int, value: float) -> tuple[int, bytes]:
    """Of two readings of one series and time the greater stays: received later, or else any that all agree on."""
    return received, struct.pack(">d", value)


def _pack_device(tenant: str, device: str, readings: Sequence[Reading]) -> Iterator[Chunk]:
    room = ITEM_BYTES - _overhead(tenant, device)
    start = 0
    likely = _FIRST_GUESS
    while start < len(readings):
        first_ts = readings[start].ts
        stop = bisect_left(readings, first_ts + CHUNK_SPAN_MS, lo=start, key=attrgetter("ts"))
        taken, data = _fill(readings[start:stop], room, likely=likely)
        likely = max(taken, _FIRST_GUESS // 4)
        inside = readings[start : start + taken]
        yield Chunk(
            tenant=tenant,
            device=device,
            first_ts=first_ts,
            latest=max(max(reading.ts, reading.received_at) for reading in inside),
            readings=taken,
            data=data,
        )
        start += taken


def _fill(readings: Sequence[Reading], room: int, *, likely: int) -> tuple[int, bytes]:
    """Take the longest head of `readings` whose encoding fits into `room` bytes, or nearly; at least one reading.

    The search begins at `likely` readings.
    """
    fits, too_many = 0, len(readings) + 1
    best = b""
    guess = min(likely, len(readings))
    while True:
        data = encode(_to_series(readings[:guess]))
        if len(data) <= room or guess == 1:
            fits, best = guess, data
        else:
            too_many = guess
        if too_many - fits <= 1 or len(best) >= _GOOD_FILL * room:
            return fits, best
        proportional = guess * room // len(data)
        guess = min(max(proportional, fits + 1), too_many - 1)


def _to_series(readings: Sequence[Reading]) -> list[ChunkSeries]:
    by_series: dict[tuple[str, str], list[Reading]] = {}
    for reading in readings:
        by_series.setdefault((reading.metric, reading.unit), []).append(reading)
    return [
        ChunkSeries(
            metric=metric,
            unit=unit,
            ts=[reading.ts for reading in group],
            received=[reading.received_at for reading in group],
            value=[reading.value for reading in group],
        )
        for (metric, unit), group in sorted(by_series.items())
    ]


def _overhead(tenant: str, device: str) -> int:
    """Bytes of an item beside its data: attribute names, both keys and the expiry (a number of ten digits)."""
    keys = len(partition_key(tenant, device)) + len(sort_key(0)) + 1 + _HASH_CHARS
    return len("pk" + "sk" + "d" + "expires_at") + keys + 6
