"""Reading batches keep what they are given, and every version stays readable."""

from pathlib import Path

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensorcast_common.batch import KIND, ReadingBatch
from sensorcast_common.envelope import Envelope, pack
from sensorcast_common.errors import Poison
from sensorcast_common.reading import Reading, TsSource

GOLDEN = Path(__file__).parent / "golden"

READINGS = [
    Reading("acme", "truck-1", "temperature", 1_700_000_000_000, 4.25, "Cel", 1_700_000_000_250),
    Reading("acme", "truck-1", "humidity", 1_700_000_000_000, 61.0, "%RH", 1_700_000_000_250),
    Reading("acme", "truck-2", "temperature", 1_699_999_990_001, -18.5, "Cel", 1_700_000_000_251, TsSource.SERVER),
    Reading("globex", "room:7", "temperature", 1_700_000_000_007, 5e-324, "Cel", 1_700_000_000_252, redelivered=True),
]

names = st.text(alphabet="abcXYZ019-_.:", min_size=1, max_size=12)
times = st.integers(min_value=946_684_800_000, max_value=4_102_444_800_000)
readings = st.builds(
    Reading,
    tenant=names,
    device=names,
    metric=names,
    ts=times,
    value=st.floats(allow_nan=False, allow_infinity=False),
    unit=st.sampled_from(["Cel", "%RH", "V", "Pa"]),
    received_at=times,
    ts_source=st.sampled_from(TsSource),
    redelivered=st.booleans(),
)


@given(st.lists(readings, max_size=50))
def test_a_batch_survives_the_journey_exactly(given_readings: list[Reading]) -> None:
    batch = ReadingBatch(batch_id="0190", created_at=1, readings=given_readings)
    again = ReadingBatch.decode(Envelope.parse(batch.encode()))
    assert list(again.readings) == given_readings
    assert [type(reading.ts_source) for reading in again.readings] == [TsSource] * len(given_readings)


@pytest.mark.parametrize("version", [1])
def test_every_golden_version_decodes_to_the_same_readings(version: int) -> None:
    text = (GOLDEN / f"readings-v{version}.json").read_text(encoding="utf-8")
    batch = ReadingBatch.decode(Envelope.parse(text))
    assert batch.batch_id == "018bcfe5-6800-7000-8000-000000000001"
    assert batch.created_at == 1_700_000_000_300
    assert list(batch.readings) == READINGS


def envelope(body: object, *, kind: str = KIND, version: int = 1, count: int = 1) -> Envelope:
    return Envelope(
        kind=kind, schema_version=version, batch_id="b", created_at=0, count=count, body=pack(cbor2.dumps(body))
    )


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (envelope({}, version=2), "schema_version: 2"),
        (envelope({}, kind="forecasts"), "kind: expected 'readings'"),
        (envelope([]), "body: not a map"),
        (envelope({"series": []}), "series_index: missing"),
        (Envelope(kind=KIND, schema_version=1, batch_id="b", created_at=0, count=1, body="~~~"), "body: "),
        (Envelope(kind=KIND, schema_version=1, batch_id="b", created_at=0, count=1, body="AAAA"), "body: "),
    ],
)
def test_what_is_no_batch_is_poison_that_names_the_field(message: Envelope, reason: str) -> None:
    with pytest.raises(Poison, match=reason):
        ReadingBatch.decode(message)


@pytest.mark.parametrize("field", ["series_index", "ts_delta", "value", "received_at_delta", "flags"])
def test_columns_of_different_lengths_are_poison(field: str) -> None:
    columns: dict[str, object] = {
        "series": [["t", "d", "m", "Cel"]],
        "series_index": bytes(4),
        "ts_delta": bytes(8),
        "value": bytes(8),
        "received_at_delta": bytes(8),
        "flags": bytes(1),
    }
    ReadingBatch.decode(envelope(columns))
    with pytest.raises(Poison, match=r"columns|series_index|ts_delta|value|received_at_delta"):
        ReadingBatch.decode(envelope(columns | {field: b""}))


def test_a_series_index_past_the_dictionary_is_poison() -> None:
    columns = {
        "series": [],
        "series_index": bytes(4),
        "ts_delta": bytes(8),
        "value": bytes(8),
        "received_at_delta": bytes(8),
        "flags": bytes(1),
    }
    with pytest.raises(Poison, match="columns"):
        ReadingBatch.decode(envelope(columns))


def test_a_count_that_differs_from_the_columns_is_poison() -> None:
    text = ReadingBatch("b", 0, READINGS).encode().replace('"count":4', '"count":5')
    with pytest.raises(Poison, match="count: the header says 5, the columns hold 4"):
        ReadingBatch.decode(Envelope.parse(text))


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("", "message"),
        ("[]", "message"),
        ('{"kind":"readings"}', "schema_version"),
        ('{"kind":"readings","schema_version":0}', "schema_version"),
    ],
)
def test_a_broken_header_is_poison_that_names_the_field(text: str, field: str) -> None:
    with pytest.raises(Poison, match=field):
        Envelope.parse(text)


def test_a_body_that_unpacks_too_far_is_poison() -> None:
    bomb = pack(bytes(9 * 1024 * 1024))
    with pytest.raises(Poison, match="unpacks to"):
        Envelope(kind=KIND, schema_version=1, batch_id="b", created_at=0, count=0, body=bomb).unpacked()
