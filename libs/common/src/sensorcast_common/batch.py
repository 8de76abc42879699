"""Reading batches, the unit that travels from ingest to the archiver and the alerter.

Version 1 of the body is a CBOR map of columns. Strings are held once, in a dictionary of series; numbers are
little-endian arrays (the order RFC 8746 calls ta-sint64-le and so on), times as differences to the one before, so
that zstd finds the repetition.
"""

import sys
from array import array
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple, TypedDict, cast

import cbor2

from sensorcast_common.envelope import Envelope, pack
from sensorcast_common.errors import Poison
from sensorcast_common.reading import Reading, TsSource

KIND = "readings"
SCHEMA_VERSION = 1

_TS_FROM_SERVER = 1
_REDELIVERED = 2


class _Columns(TypedDict):
    series: list[list[str]]
    series_index: bytes
    ts_delta: bytes
    value: bytes
    received_at_delta: bytes
    flags: bytes


class ReadingBatch(NamedTuple):
    """Readings that travel together.

    Attributes:
        batch_id: A time-ordered UUID; the lake skips a batch id it has already added.
        created_at: When ingest closed the batch, in milliseconds since 1970 UTC.
        readings: In the order of receipt.
    """

    batch_id: str
    created_at: int
    readings: Sequence[Reading]

    def encode(self) -> str:
        """The message text of this batch."""
        series: dict[tuple[str, str, str, str], int] = {}
        index = array("I")
        flags = bytearray()
        for reading in self.readings:
            key = (reading.tenant, reading.device, reading.metric, reading.unit)
            index.append(series.setdefault(key, len(series)))
            flag = _TS_FROM_SERVER if reading.ts_source is TsSource.SERVER else 0
            flags.append(flag | _REDELIVERED if reading.redelivered else flag)
        columns = _Columns(
            series=[list(key) for key in series],
            series_index=_to_bytes(index),
            ts_delta=_to_bytes(_deltas([reading.ts for reading in self.readings])),
            value=_to_bytes(array("d", [reading.value for reading in self.readings])),
            received_at_delta=_to_bytes(_deltas([reading.received_at for reading in self.readings])),
            flags=bytes(flags),
        )
        return Envelope(
            kind=KIND,
            schema_version=SCHEMA_VERSION,
            batch_id=self.batch_id,
            created_at=self.created_at,
            count=len(self.readings),
            body=pack(cbor2.dumps(columns)),
        ).text()

    @classmethod
    def decode(cls, envelope: Envelope) -> "ReadingBatch":
        """Read a batch from its message.

        Raises:
            Poison: Another kind, an unknown version, or a body that contradicts itself; the reason names the field.
        """
        envelope.expect(KIND, SCHEMA_VERSION)
        columns = _load_columns(envelope.unpacked())
        try:
            series = [(str(t), str(d), str(m), str(u)) for t, d, m, u in columns["series"]]
        except (TypeError, ValueError) as error:
            raise Poison(f"series: {error}") from error
        index = _from_bytes("I", "series_index", columns["series_index"])
        ts = accumulate(_from_bytes("q", "ts_delta", columns["ts_delta"]))
        values = _from_bytes("d", "value", columns["value"])
        received = accumulate(_from_bytes("q", "received_at_delta", columns["received_at_delta"]))
        flags = columns["flags"]
        try:
            readings = [
                Reading(
                    *series[at][:3],
                    ts=when,
                    value=value,
                    unit=series[at][3],
                    received_at=got,
                    ts_source=TsSource.SERVER if flag & _TS_FROM_SERVER else TsSource.DEVICE,
                    redelivered=bool(flag & _REDELIVERED),
                )
                for at, when, value, got, flag in zip(index, ts, values, received, flags, strict=True)
            ]
        except (IndexError, ValueError) as error:
            raise Poison(f"columns: {error}") from error
        if len(readings) != envelope.count:
            raise Poison(f"count: the header says {envelope.count}, the columns hold {len(readings)}")
        return cls(batch_id=envelope.batch_id, created_at=envelope.created_at, readings=readings)


def _load_columns(body: bytes) -> _Columns:
    try:
        loaded: object = cbor2.loads(body)
    except (cbor2.CBORDecodeError, UnicodeDecodeError) as error:
        raise Poison(f"body: not CBOR: {error}") from error
    if not isinstance(loaded, dict):
        raise Poison("body: not a map of columns")
    for name, kind in _Columns.__annotations__.items():
        wanted = bytes if kind is bytes else list
        if not isinstance(loaded.get(name), wanted):
            raise Poison(f"{name}: missing, or not {wanted.__name__}")
    return cast("_Columns", loaded)


def _deltas(values: Sequence[int]) -> "array[int]":
    before = 0
    out = array("q")
    for value in values:
        out.append(value - before)
        before = value
    return out


def _to_bytes(column: "array[int] | array[float]") -> bytes:
    if sys.byteorder == "big":
        column.byteswap()
    return column.tobytes()


def _from_bytes(typecode: str, name: str, data: bytes) -> "array[int]":
    column = array(typecode)
    try:
        column.frombytes(data)
    except ValueError as error:
        raise Poison(f"{name}: {error}") from error
    if sys.byteorder == "big":
        column.byteswap()
    return column
