"""Plain JSON payloads: what is read from them and what each broken one is called."""

import json

import pytest

from sensorcast_common.names import ReadingsTopic
from sensorcast_common.payload import MAX_PAYLOAD_BYTES, MAX_READINGS, PayloadRejected, Reason, parse
from sensorcast_common.reading import Reading, TsSource

NOW = 1_764_000_000_000
TOPIC = ReadingsTopic(tenant="acme", device="truck-1")


def read(payload: bytes | str | object) -> list[Reading]:
    if not isinstance(payload, bytes):
        payload = (payload if isinstance(payload, str) else json.dumps(payload)).encode()
    return parse(payload, TOPIC, received_at=NOW, redelivered=False)


def reason(payload: bytes | str | object) -> Reason:
    with pytest.raises(PayloadRejected) as caught:
        read(payload)
    assert caught.value.detail
    assert len(caught.value.detail) < 300
    return caught.value.reason_code


def test_one_reading_is_read() -> None:
    assert read({"ts": NOW - 1000, "metric": "temperature", "value": 4.2, "unit": "Cel"}) == [
        Reading("acme", "truck-1", "temperature", NOW - 1000, 4.2, "Cel", NOW, TsSource.DEVICE, redelivered=False)
    ]


def test_several_metrics_share_a_time() -> None:
    readings = read({"ts": NOW, "temperature": 4.2, "humidity": 61})
    assert [(r.metric, r.value, r.unit, r.ts) for r in readings] == [
        ("temperature", 4.2, "Cel", NOW),
        ("humidity", 61.0, "%RH", NOW),
    ]


def test_array_of_both_forms_is_read_in_order() -> None:
    readings = read([{"temperature": 1}, {"metric": "load", "value": 2, "unit": "kg"}, {"humidity": 3, "door": 0}])
    assert [r.metric for r in readings] == ["temperature", "load", "humidity", "door"]


def test_missing_time_is_the_receipt_and_says_so() -> None:
    (reading,) = read({"temperature": 4})
    assert (reading.ts, reading.ts_source) == (NOW, TsSource.SERVER)


def test_redelivery_marks_every_reading() -> None:
    readings = parse(b'{"temperature": 1, "humidity": 2}', TOPIC, received_at=NOW, redelivered=True)
    assert [r.redelivered for r in readings] == [True, True]


@pytest.mark.parametrize(
    ("ts", "millis"),
    [
        ("2025-11-24T16:00:00Z", NOW),
        ("2025-11-24t16:00:00z", NOW),
        ("2025-11-24T17:00:00+01:00", NOW),
        ("2025-11-24 16:00:00.250Z", NOW + 250),
        ("2025-11-24T16:00:00.123456789Z", NOW + 123),
        ("2016-12-31T23:59:60Z", 1_483_228_800_000),
        (1_764_000_000, NOW),
        (1_764_000_000.125, NOW + 125),
        (NOW, NOW),
        (float(NOW), NOW),
        (NOW + 300_000, NOW + 300_000),
        (946_684_800, 946_684_800_000),
    ],
)
def test_time_is_understood(ts: object, millis: int) -> None:
    (reading,) = read({"ts": ts, "temperature": 4})
    assert (reading.ts, reading.ts_source) == (millis, TsSource.DEVICE)


@pytest.mark.parametrize(
    ("ts", "code"),
    [
        (NOW + 300_001, Reason.FUTURE_TIME),
        (NOW * 1000, Reason.FUTURE_TIME),  # microseconds
        ("9999-12-31T23:59:59Z", Reason.FUTURE_TIME),
        (946_684_799, Reason.BEFORE_2000),
        (-5, Reason.BEFORE_2000),
        ("1999-12-31T23:59:59Z", Reason.BEFORE_2000),
        ("0001-01-01T00:00:00+23:59", Reason.BEFORE_2000),
        ("2025-11-24T16:00:00", Reason.BAD_TIME),
        ("2025-11-24", Reason.BAD_TIME),
        ("2025-13-24T16:00:00Z", Reason.BAD_TIME),
        ("20251124T160000Z", Reason.BAD_TIME),
        ("1764000000", Reason.BAD_TIME),
        (None, Reason.BAD_TIME),
        (True, Reason.BAD_TIME),
        (10**400, Reason.BAD_TIME),
        ([NOW], Reason.BAD_TIME),
    ],
)
def test_bad_time_is_rejected(ts: object, code: Reason) -> None:
    assert reason({"ts": ts, "temperature": 4}) is code


@pytest.mark.parametrize("metric", ["temperature", "cabin_temperature", "evaporator.temperature"])
def test_known_metric_has_a_unit(metric: str) -> None:
    assert read({metric: 4})[0].unit == "Cel"


def test_sent_unit_and_value_are_kept_as_sent() -> None:
    (reading,) = read({"metric": "pressure", "value": 1013.25, "unit": "hPa"})
    assert (reading.value, reading.unit) == (1013.25, "hPa")


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b"", Reason.EMPTY),
        (b" \n", Reason.EMPTY),
        ("[]", Reason.EMPTY),
        ("{}", Reason.EMPTY),
        ('{"ts": 1764000000}', Reason.EMPTY),
        ('[{"temperature": 1}, {"ts": 1764000000}]', Reason.EMPTY),
        (b'{"temperature": 1' + b" " * MAX_PAYLOAD_BYTES + b"}", Reason.TOO_LARGE),
        (json.dumps([{"door": 1}] * (MAX_READINGS + 1)), Reason.TOO_MANY_READINGS),
        (json.dumps({f"m{n}_door": 1 for n in range(MAX_READINGS)})[:-1] + ', "door": 1}', Reason.TOO_LARGE),
        (b'{"temperature": "\xff"}', Reason.NOT_UTF8),
        (b"\xff\xfe{}", Reason.NOT_UTF8),
        (b"\xef\xbb\xbf{}", Reason.NOT_JSON),
        ("temperature=4", Reason.NOT_JSON),
        ('{"temperature": 4', Reason.NOT_JSON),
        ('{"temperature": 4} {}', Reason.NOT_JSON),
        ('{"temperature": 4,}', Reason.NOT_JSON),
        ("[" * 5000, Reason.NOT_JSON),
        ('{"temperature": ' + "9" * 5000 + "}", Reason.NOT_JSON),
        ("4.2", Reason.BAD_SHAPE),
        ('"4.2"', Reason.BAD_SHAPE),
        ("null", Reason.BAD_SHAPE),
        ("[4.2]", Reason.BAD_SHAPE),
        ('[[{"temperature": 4}]]', Reason.BAD_SHAPE),
        ('{"temperature": 4, "temperature": 5}', Reason.DUPLICATE_FIELD),
        ('{"temperature": 4, "tem\\u0070erature": 5}', Reason.DUPLICATE_FIELD),
        ('{"metric": "load", "metric": "load", "value": 1, "unit": "kg"}', Reason.DUPLICATE_FIELD),
        ('[{"door": 1}, {"door": 1, "door": 1}]', Reason.DUPLICATE_FIELD),
        ({"metric": "temperature", "value": 4, "quality": 1}, Reason.UNKNOWN_FIELD),
        ({"metric": "temperature"}, Reason.MISSING_FIELD),
        ({"value": 4, "unit": "Cel"}, Reason.MISSING_FIELD),
        ({"temperature": 4, "unit": "Cel"}, Reason.MISSING_FIELD),
        ({"temperature": 4, "device": "truck-2"}, Reason.FOREIGN_DEVICE),
        ({"temperature": 4, "tenant": "other"}, Reason.FOREIGN_DEVICE),
        ({"temperature": 4, "device": 1}, Reason.FOREIGN_DEVICE),
        ({"metric": "temp#1", "value": 4, "unit": "Cel"}, Reason.BAD_NAME),
        ({"metric": "", "value": 4, "unit": "Cel"}, Reason.BAD_NAME),
        ({"metric": 7, "value": 4, "unit": "Cel"}, Reason.BAD_NAME),
        ({"metric": "t" * 65, "value": 4, "unit": "Cel"}, Reason.BAD_NAME),
        ({"äußere_temperature": 4}, Reason.BAD_NAME),
        ({"temperature": True}, Reason.NOT_A_NUMBER),
        ({"temperature": "4.2"}, Reason.NOT_A_NUMBER),
        ({"temperature": None}, Reason.NOT_A_NUMBER),
        ({"temperature": {"value": 4}}, Reason.NOT_A_NUMBER),
        ({"temperature": [4]}, Reason.NOT_A_NUMBER),
        ({"temperature": 4, "humidity": None}, Reason.NOT_A_NUMBER),
        ('{"temperature": NaN}', Reason.NOT_FINITE),
        ('{"temperature": -Infinity}', Reason.NOT_FINITE),
        ('{"temperature": 1e999}', Reason.NOT_FINITE),
        ({"temperature": 10**400}, Reason.NOT_FINITE),
        ({"flavour": 4}, Reason.MISSING_UNIT),
        ({"metric": "flavour", "value": 4}, Reason.MISSING_UNIT),
        ({"metric": "temperature", "value": 4, "unit": "degF"}, Reason.UNKNOWN_UNIT),
        ({"metric": "temperature", "value": 4, "unit": "°C"}, Reason.UNKNOWN_UNIT),
        ({"metric": "temperature", "value": 4, "unit": "C"}, Reason.UNKNOWN_UNIT),  # coulomb
        ({"metric": "temperature", "value": 4, "unit": ""}, Reason.UNKNOWN_UNIT),
        ({"metric": "temperature", "value": 4, "unit": None}, Reason.UNKNOWN_UNIT),
        ({"metric": "temperature", "value": 4, "unit": ["Cel"]}, Reason.UNKNOWN_UNIT),
    ],
    ids=lambda value: str(value)[:60],
)
def test_bad_payload_is_rejected_with_its_reason(payload: object, code: Reason) -> None:
    assert reason(payload) is code


def test_one_bad_element_rejects_the_whole_array() -> None:
    assert reason([{"temperature": 1}, {"temperature": None}]) is Reason.NOT_A_NUMBER


def test_claim_of_the_right_device_is_accepted() -> None:
    assert len(read({"tenant": "acme", "device": "truck-1", "temperature": 4})) == 1


def test_escaped_text_is_read() -> None:
    assert read('{"metric": "tem\\u0070erature", "value": 4, "unit": "Cel"}')[0].metric == "temperature"


def test_a_wrong_unit_is_told_the_right_one() -> None:
    with pytest.raises(PayloadRejected, match="'Cel'"):
        read({"metric": "temperature", "value": 39, "unit": "degF"})
