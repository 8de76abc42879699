"""The bytes of one hot-store chunk: a few minutes of one device's series, packed without losing a bit.

Version 1, after the version byte (whose top bit says that the rest is raw deflate, RFC 1951):

- first ts, as a zigzag varint (the integer coding of Protocol Buffers), then the number of timelines;
- each timeline: its length, its times as delta of delta, and how much later each was received, as delta. Metrics of one
  message share a timeline, which is then held once;
- the number of series; each series: metric, unit, the index of its timeline, a mode, its values. Modes 0 to 12 are
  decimal places: the values are integers once scaled, held as deltas. Mode 255 is the float64 XOR the one before
  (Pelkonen et al., "Gorilla", VLDB 2015), with its leading and trailing zero bytes left out.
"""

import math
import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

_VERSION: Final = 1
_DEFLATED: Final = 0x80
_MAX_PLACES: Final = 12
_EXACT: Final = 2**53
_XOR: Final = 255


class ChunkSeries(NamedTuple):
    """One series inside a chunk; the three columns are of one length, ordered by `ts`.

    Attributes:
        metric: What was measured.
        unit: SenML unit.
        ts: Milliseconds since 1970 UTC.
        received: When ingest received each reading, in milliseconds since 1970 UTC.
        value: Float64 values.
    """

    metric: str
    unit: str
    ts: Sequence[int]
    received: Sequence[int]
    value: Sequence[float]


def encode(series: Sequence[ChunkSeries]) -> bytes:
    """Pack the series of one device.

    Args:
        series: At least one series with at least one reading.

    Returns:
        The chunk's bytes; equal input gives equal bytes.
    """
    first_ts = min(one.ts[0] for one in series)
    timelines: dict[tuple[tuple[int, ...], tuple[int, ...]], int] = {}
    tail = bytearray()
    _put(tail, len(series))
    for one in series:
        timeline = timelines.setdefault((tuple(one.ts), tuple(one.received)), len(timelines))
        _put_text(tail, one.metric)
        _put_text(tail, one.unit)
        _put(tail, timeline)
        _put_values(tail, one.value)
    head = bytearray()
    _put(head, _zigzag(first_ts))
    _put(head, len(timelines))
    for ts, received in timelines:
        _put(head, len(ts))
        _put_deltas(head, _deltas(when - first_ts for when in ts))
        _put_deltas(head, (got - when for when, got in zip(ts, received, strict=True)))
    plain = bytes(head + tail)
    squeezer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS, 9)
    deflated = squeezer.compress(plain) + squeezer.flush()
    if len(deflated) < len(plain):
        return bytes([_VERSION | _DEFLATED]) + deflated
    return bytes([_VERSION]) + plain


def decode(data: bytes) -> list[ChunkSeries]:
    """Unpack a chunk.

    Raises:
        ValueError: The bytes are of an unknown version, or are no chunk.
    """
    if not data or data[0] & ~_DEFLATED != _VERSION:
        raise ValueError(f"chunk: version {data[0] & ~_DEFLATED if data else None} is unknown here, known: {_VERSION}")
    try:
        plain = zlib.decompress(data[1:], -zlib.MAX_WBITS) if data[0] & _DEFLATED else data[1:]
        return list(_series(_Reader(plain)))
    except (zlib.error, IndexError, struct.error, UnicodeDecodeError) as error:
        raise ValueError(f"chunk: not readable: {error}") from error


def _series(reader: "_Reader") -> Iterator[ChunkSeries]:
    first_ts = reader.signed()
    timelines: list[tuple[list[int], list[int]]] = []
    for _ in range(reader.unsigned()):
        length = reader.unsigned()
        ts = [first_ts + offset for offset in _sums(_sums(reader.signed() for _ in range(length)))]
        late = _sums(reader.signed() for _ in range(length))
        timelines.append((ts, [when + more for when, more in zip(ts, late, strict=True)]))
    for _ in range(reader.unsigned()):
        metric, unit = reader.text(), reader.text()
        ts, received = timelines[reader.unsigned()]
        yield ChunkSeries(metric, unit, ts, received, reader.values(len(ts)))


def _put_values(out: bytearray, values: Sequence[float]) -> None:
    scaled = _scaled(values)
    if scaled is not None:
        places, integers = scaled
        out.append(places)
        _put_deltas(out, integers)
        return
    out.append(_XOR)
    before = 0
    for (bits,) in struct.iter_unpack(">Q", struct.pack(f">{len(values)}d", *values)):
        changed = (bits ^ before).to_bytes(8, "big")
        before = bits
        kept = changed.lstrip(b"\0")
        lead = 8 - len(kept)
        kept = kept.rstrip(b"\0")
        out.append(lead << 4 | len(kept))
        out += kept


def _scaled(values: Sequence[float]) -> tuple[int, list[int]] | None:
    """The values as integers and their decimal places, where every one comes back bit by bit; else `None`."""
    places = 0
    for value in values:
        if not math.isfinite(value) or (value == 0 and math.copysign(1, value) < 0):
            return None
        while not _comes_back(value, places):
            places += 1
            if places > _MAX_PLACES:
                return None
    if not all(_comes_back(value, places) for value in values):
        return None
    return places, [round(value * 10**places) for value in values]


def _comes_back(value: float, places: int) -> bool:
    factor: int = 10**places
    product = value * factor
    return abs(product) < _EXACT and round(product) / factor == value


def _zigzag(number: int) -> int:
    return number << 1 if number >= 0 else ~number << 1 | 1


def _put(out: bytearray, number: int) -> None:
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)


def _put_text(out: bytearray, text: str) -> None:
    encoded = text.encode()
    _put(out, len(encoded))
    out += encoded


def _put_deltas(out: bytearray, numbers: Iterable[int]) -> None:
    for step in _deltas(numbers):
        _put(out, _zigzag(step))


def _deltas(numbers: Iterable[int]) -> Iterator[int]:
    before = 0
    for number in numbers:
        yield number - before
        before = number


def _sums(steps: Iterable[int]) -> Iterator[int]:
    total = 0
    for step in steps:
        total += step
        yield total


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def unsigned(self) -> int:
        number = shift = 0
        while True:
            byte = self._data[self._at]
            self._at += 1
            number |= (byte & 0x7F) << shift
            if byte <= 0x7F:
                return number
            shift += 7

    def signed(self) -> int:
        number = self.unsigned()
        return number >> 1 if number & 1 == 0 else ~(number >> 1)

    def take(self, length: int) -> bytes:
        taken = self._data[self._at : self._at + length]
        if len(taken) != length:
            raise IndexError("it ends too early")
        self._at += length
        return taken

    def text(self) -> str:
        return self.take(self.unsigned()).decode()

    def values(self, length: int) -> list[float]:
        mode = self.take(1)[0]
        if mode <= _MAX_PLACES:
            return [scaled / 10**mode for scaled in _sums(self.signed() for _ in range(length))]
        if mode != _XOR:
            raise IndexError(f"value mode {mode} is unknown")
        bits = bytearray()
        before = 0
        for _ in range(length):
            byte = self.take(1)[0]
            lead, size = byte >> 4, byte & 0xF
            before ^= int.from_bytes(self.take(size) + bytes(8 - lead - size), "big")
            bits += before.to_bytes(8, "big")
        return list(struct.unpack(f">{length}d", bits))
