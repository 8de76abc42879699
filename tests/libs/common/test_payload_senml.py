"""SenML packs in JSON and CBOR: base fields, relative times, values and names (RFC 8428)."""

import json
from decimal import Decimal

import cbor2
import pytest

from sensorcast_common.names import ReadingsTopic
from sensorcast_common.payload import PayloadRejected, Reason, parse
from sensorcast_common.reading import Reading, TsSource

NOW = 1_764_000_000_000
TOPIC = ReadingsTopic(tenant="acme", device="truck-1")
LABELS = {"bver": -1, "bn": -2, "bt": -3, "bu": -4, "bv": -5, "bs": -6, "n": 0, "u": 1, "v": 2, "vs": 3, "vb": 4}
LABELS |= {"s": 5, "t": 6, "ut": 7, "vd": 8}

Record = dict[str, object]


def encode(records: list[Record], form: str) -> bytes:
    if form == "json":
        return json.dumps(records).encode()
    return cbor2.dumps([{LABELS.get(label, label): value for label, value in record.items()} for record in records])


def read(records: list[Record], form: str, topic: ReadingsTopic = TOPIC) -> list[Reading]:
    return parse(encode(records, form), topic, received_at=NOW, redelivered=False)


def rejected(payload: bytes) -> Reason:
    with pytest.raises(PayloadRejected) as caught:
        parse(payload, TOPIC, received_at=NOW, redelivered=False)
    return caught.value.reason_code


@pytest.fixture(params=["json", "cbor"])
def form(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_base_fields_hold_until_they_change(form: str) -> None:
    pack: list[Record] = [
        {"bn": "truck-1:", "bt": 1_763_999_900, "bu": "Cel", "bv": 20, "n": "temperature", "v": 1.5},
        {"n": "humidity", "u": "%RH", "v": 41, "t": 10.5},
        {"bt": 1_763_999_950, "bv": 0, "n": "temperature", "v": -18},
    ]
    assert [(r.metric, r.ts, r.value, r.unit) for r in read(pack, form)] == [
        ("temperature", 1_763_999_900_000, 21.5, "Cel"),
        ("humidity", 1_763_999_910_500, 61.0, "%RH"),
        ("temperature", 1_763_999_950_000, -18.0, "Cel"),
    ]


def test_base_only_record_holds_no_reading(form: str) -> None:
    pack: list[Record] = [{"bn": "truck-1/", "bt": 1_763_999_900, "bver": 10}, {"n": "temperature", "v": 4}]
    assert [(r.metric, r.ts) for r in read(pack, form)] == [("temperature", 1_763_999_900_000)]


def test_base_value_alone_is_the_value(form: str) -> None:
    assert read([{"n": "temperature", "bv": 4}], form)[0].value == 4.0


@pytest.mark.parametrize(
    ("record", "ts", "source"),
    [
        ({}, NOW, TsSource.SERVER),
        ({"t": -30}, NOW - 30_000, TsSource.SERVER),
        ({"bt": -60, "t": 12.25}, NOW - 47_750, TsSource.SERVER),
        ({"t": 60}, NOW + 60_000, TsSource.SERVER),
        ({"t": 1_763_999_999.25}, NOW - 750, TsSource.DEVICE),
        ({"bt": 1_763_999_999, "t": -9}, NOW - 10_000, TsSource.DEVICE),
    ],
)
def test_time_is_resolved(form: str, record: Record, ts: int, source: TsSource) -> None:
    (reading,) = read([{"n": "temperature", "v": 4, **record}], form)
    assert (reading.ts, reading.ts_source) == (ts, source)


def test_boolean_is_a_switch(form: str) -> None:
    pack: list[Record] = [{"n": "defrost", "vb": True, "bu": "Cel"}, {"n": "defrost", "vb": False}]
    assert [(r.value, r.unit) for r in read(pack, form)] == [(1.0, "/"), (0.0, "/")]


@pytest.mark.parametrize(
    ("base", "name", "metric"),
    [
        (None, "temperature", "temperature"),
        (None, "truck-1:temperature", "temperature"),
        (None, "truck-1/temperature", "temperature"),
        (None, "acme/truck-1/temperature", "temperature"),
        (None, "urn:dev:ops:32473-truck:truck-1:temperature", "temperature"),
        (None, "urn:dev:org:32473:truck-1_temperature", "temperature"),
        (None, "inside:temperature", "inside:temperature"),
        ("truck-1", "temperature", "temperature"),
        ("truck-1:", "temperature", "temperature"),
        ("truck-1_", "temperature", "temperature"),
        ("acme/truck-1/", "temperature", "temperature"),
        ("acme:truck-1:", "temperature", "temperature"),
        ("dt/acme/truck-1", "/temperature", "temperature"),
        ("urn:dev:org:32473:truck-1:", "temperature", "temperature"),
        ("", "temperature", "temperature"),
    ],
)
def test_name_gives_the_metric(form: str, base: str | None, name: str, metric: str) -> None:
    record: Record = {"n": name, "v": 4, "u": "Cel"} | ({} if base is None else {"bn": base})
    assert read([record], form)[0].metric == metric


@pytest.mark.parametrize(
    "record",
    [
        {"bn": "truck-2:", "n": "temperature", "v": 4},
        {"bn": "truck-11", "n": "temperature", "v": 4},
        {"bn": "other/truck-1/", "n": "temperature", "v": 4},
        {"bn": "other:truck-1:", "n": "temperature", "v": 4},
        {"bn": "urn:dev:org:32473:truck-2:", "n": "temperature", "v": 4},
        {"n": "urn:dev:org:32473:truck-2:temperature", "v": 4},
        {"n": "acme/truck-2/temperature", "v": 4},
        {"n": "temperature", "v": 4, "device": "truck-2"},
    ],
)
def test_name_of_another_device_is_rejected(form: str, record: Record) -> None:
    assert rejected(encode([record], form)) is Reason.FOREIGN_DEVICE


def test_a_device_is_not_taken_for_its_name_as_prefix(form: str) -> None:
    with pytest.raises(PayloadRejected):
        read([{"bn": "truck-1:", "n": "temperature", "v": 4}], form, ReadingsTopic(tenant="acme", device="truck"))


@pytest.mark.parametrize(
    ("record", "code"),
    [
        ({"n": "temperature"}, Reason.MISSING_FIELD),
        ({"n": "temperature", "t": 5}, Reason.MISSING_FIELD),
        ({"bn": "truck-1:", "v": 4}, Reason.MISSING_FIELD),
        ({"n": "truck-1", "v": 4}, Reason.MISSING_FIELD),
        ({"n": "temperature", "vs": "warm"}, Reason.UNSUPPORTED_VALUE),
        ({"n": "temperature", "vd": "AAAA"}, Reason.UNSUPPORTED_VALUE),
        ({"n": "energy", "u": "Wh", "v": 4, "s": 9}, Reason.UNSUPPORTED_VALUE),
        ({"n": "energy", "u": "Wh", "v": 4, "bs": 9}, Reason.UNSUPPORTED_VALUE),
        ({"n": "temperature", "v": 4, "vb": True}, Reason.UNSUPPORTED_VALUE),
        ({"n": "temperature", "vb": 1}, Reason.UNSUPPORTED_VALUE),
        ({"n": "temperature", "v": True}, Reason.NOT_A_NUMBER),
        ({"n": "temperature", "v": "4"}, Reason.NOT_A_NUMBER),
        ({"n": "temperature", "v": None}, Reason.NOT_A_NUMBER),
        ({"n": "temperature", "v": 1.7e308, "bv": 1.7e308}, Reason.NOT_FINITE),
        ({"n": "temperature", "v": 4, "t": "now"}, Reason.NOT_A_NUMBER),
        ({"n": "temperature", "v": 4, "ut": "often"}, Reason.NOT_A_NUMBER),
        ({"n": "temperature", "v": 4, "t": 301}, Reason.FUTURE_TIME),
        ({"n": "temperature", "v": 4, "t": 2**28}, Reason.BEFORE_2000),
        ({"n": "temperature", "v": 4, "t": 1e300}, Reason.BAD_TIME),
        ({"n": "temperature", "v": 4, "u": "degF"}, Reason.UNKNOWN_UNIT),
        ({"n": "temperature", "v": 4, "u": 1}, Reason.BAD_SHAPE),
        ({"n": "flavour", "v": 4}, Reason.MISSING_UNIT),
        ({"n": "not a name", "v": 4}, Reason.BAD_NAME),
        ({"n": "t" * 5000, "v": 4}, Reason.BAD_NAME),
        ({"n": "temperature", "v": 4, "bver": 99}, Reason.UNSUPPORTED_VERSION),
        ({"n": "temperature", "v": 4, "bver": "10"}, Reason.UNSUPPORTED_VERSION),
        ({"n": "temperature", "v": 4, "calibrated_": 1}, Reason.UNKNOWN_FIELD),
    ],
    ids=str,
)
def test_bad_record_rejects_the_pack(form: str, record: Record, code: Reason) -> None:
    assert rejected(encode([{"n": "humidity", "v": 61}, record], form)) is code


def test_unknown_field_beside_a_value_is_ignored(form: str) -> None:
    assert len(read([{"n": "temperature", "v": 4, "calibrated": 1}], form)) == 1


def test_plain_object_in_a_pack_is_not_lost(form: str) -> None:
    pack: list[Record] = [{"n": "humidity", "v": 61}, {"metric": "temperature", "value": 4}]
    assert rejected(encode(pack, form)) is Reason.MISSING_FIELD
    assert rejected(encode([{"bn": "truck-1:", "temperature": 4}], form)) is Reason.UNKNOWN_FIELD


def test_version_must_not_change(form: str) -> None:
    pack: list[Record] = [{"bver": 10, "n": "humidity", "v": 61}, {"bver": 5, "n": "humidity", "v": 61}]
    assert rejected(encode(pack, form)) is Reason.UNSUPPORTED_VERSION


def test_secondary_units_are_taken_as_sent(form: str) -> None:
    (reading,) = read([{"bver": 26, "n": "speed", "u": "km/h", "v": 82}], form)
    assert (reading.value, reading.unit) == (82.0, "km/h")


def test_cbor_decimal_fraction_is_a_number() -> None:
    assert parse(cbor2.dumps([{0: "temperature", 2: Decimal("4.25")}]), TOPIC, received_at=NOW, redelivered=False)[
        0
    ].value == pytest.approx(4.25)


def test_self_described_cbor_is_read() -> None:
    payload = b"\xd9\xd9\xf7" + cbor2.dumps([{0: "temperature", 2: 4}])
    assert len(parse(payload, TOPIC, received_at=NOW, redelivered=False)) == 1


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b"\x81", Reason.NOT_CBOR),
        (b"\x80", Reason.EMPTY),
        (b"\x81\x01", Reason.BAD_SHAPE),
        (b"\xa1\x00\x01", Reason.BAD_SHAPE),
        (cbor2.dumps([{0: "temperature", 2: 4}]) + b"\x00", Reason.NOT_CBOR),
        (b"\x81" * 1000 + b"\x01", Reason.NOT_CBOR),
        (b"\x9b" + b"\xff" * 8, Reason.NOT_CBOR),
        (bytes.fromhex("81a2006b74656d706572617475726502f97e00"), Reason.NOT_FINITE),
        (bytes.fromhex("81a3006b74656d70657261747572650201") + b"\x02\x02", Reason.DUPLICATE_FIELD),
        (bytes.fromhex("81a3006b74656d70657261747572650201") + b"\x61v\x02", Reason.DUPLICATE_FIELD),
        (cbor2.dumps([{0: "temperature", 2: 2**70}]), Reason.NOT_CBOR),  # a bignum
        (cbor2.dumps([{0: "temperature", 2: 4, 99: 1}]), Reason.UNKNOWN_FIELD),
        (cbor2.dumps([{0: b"temperature", 2: 4}]), Reason.BAD_SHAPE),
        (bytes.fromhex("d81c81d81d00"), Reason.NOT_UTF8),
        (bytes.fromhex("81d81c81d81d00"), Reason.NOT_CBOR),
    ],
    ids=lambda value: value.hex()[:40] if isinstance(value, bytes) else str(value),
)
def test_bad_cbor_is_rejected_with_its_reason(payload: bytes, code: Reason) -> None:
    assert rejected(payload) is code


def test_json_example_of_the_standard_is_read() -> None:
    # RFC 8428, section 5.1.3, with a device that is the example's and a clock of its time
    pack = b"""[
      {"bn":"urn:dev:ow:10e2073a0108006:","bt":1.276020076001e+09,"bu":"A","bver":5,"n":"voltage","u":"V","v":120.1},
      {"n":"current","t":-5,"v":1.2}, {"n":"current","t":-4,"v":1.3}, {"n":"current","v":1.7}]"""
    topic = ReadingsTopic(tenant="acme", device="10e2073a0108006")
    readings = parse(pack, topic, received_at=1_276_020_080_000, redelivered=False)
    assert [(r.metric, r.ts, r.value, r.unit) for r in readings] == [
        ("voltage", 1_276_020_076_001, 120.1, "V"),
        ("current", 1_276_020_071_001, 1.2, "A"),
        ("current", 1_276_020_072_001, 1.3, "A"),
        ("current", 1_276_020_076_001, 1.7, "A"),
    ]
