"""Whatever the bytes, parsing either gives readings that may be stored or says why not."""

import json
import math

import cbor2
from hypothesis import given, settings
from hypothesis import strategies as st

from sensorcast_common.names import ReadingsTopic, is_name
from sensorcast_common.payload import PayloadRejected, parse
from sensorcast_common.payload.times import AHEAD_MS, YEAR_2000
from sensorcast_common.payload.units import UNITS
from sensorcast_common.reading import Reading

NOW = 1_764_000_000_000
TOPIC = ReadingsTopic(tenant="acme", device="truck-1")

scalars = (
    st.none()
    | st.booleans()
    | st.integers(min_value=-(2**63), max_value=2**64 - 1)
    | st.floats(allow_nan=True)
    | st.sampled_from(["temperature", "truck-1:", "Cel", "degF", "2025-11-24T16:00:00Z", "truck-2", "n", "\x00", "ß"])
    | st.text(max_size=20)
    | st.integers(min_value=NOW - 10**9, max_value=NOW + 10**6)
)
fields = st.sampled_from(
    [
        "ts",
        "metric",
        "value",
        "unit",
        "device",
        "tenant",
        "temperature",
        "humidity",
        "n",
        "bn",
        "u",
        "bu",
        "v",
        "bv",
        "vb",
        "vs",
        "vd",
        "s",
        "bs",
        "t",
        "bt",
        "bver",
        "ut",
        "x_",
    ]
) | st.text(max_size=8)
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(fields, inner, max_size=3))
objects = st.dictionaries(fields, values, max_size=6)
documents = objects | st.lists(objects | values, max_size=5)
labels = fields | st.integers(min_value=-7, max_value=9)
packs = st.lists(st.dictionaries(labels, values | st.binary(max_size=4), max_size=6), max_size=4)


def outcome(payload: bytes) -> list[Reading] | str:
    try:
        return parse(payload, TOPIC, received_at=NOW, redelivered=True)
    except PayloadRejected as rejected:
        return rejected.detail


def check(payload: bytes) -> None:
    readings = outcome(payload)
    assert 0 < len(readings) < 400
    if isinstance(readings, str):
        return
    for reading in readings:
        assert (reading.tenant, reading.device) == ("acme", "truck-1")
        assert is_name(reading.metric)
        assert type(reading.value) is float
        assert math.isfinite(reading.value)
        assert type(reading.ts) is int
        assert YEAR_2000 <= reading.ts <= NOW + AHEAD_MS
        assert reading.unit in UNITS
        assert reading.received_at == NOW
        assert reading.redelivered


@given(st.binary(max_size=200))
def test_any_bytes(payload: bytes) -> None:
    check(payload)


@given(st.text(max_size=200))
def test_any_text(payload: str) -> None:
    check(payload.encode("utf-8", "surrogatepass"))


@settings(max_examples=400)
@given(documents)
def test_any_json(document: object) -> None:
    check(json.dumps(document).encode())


@settings(max_examples=300)
@given(packs)
def test_any_cbor(pack: object) -> None:
    check(cbor2.dumps(pack))


@given(packs, st.data())
def test_damaged_cbor(pack: object, data: st.DataObject) -> None:
    payload = bytearray(cbor2.dumps(pack))
    at = data.draw(st.integers(min_value=0, max_value=len(payload) - 1))
    payload[at] = data.draw(st.integers(min_value=0, max_value=255))
    check(bytes(payload))


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(min_value=YEAR_2000, max_value=NOW))
def test_a_good_reading_keeps_its_value_and_time(value: float, ts: int) -> None:
    ts = max(ts, 10**11)
    payload = json.dumps({"ts": ts, "metric": "temperature", "value": value, "unit": "Cel"}).encode()
    (reading,) = parse(payload, TOPIC, received_at=NOW, redelivered=False)
    assert (reading.value, reading.ts) == (value, ts)
