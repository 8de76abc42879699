"""Traces are off unless asked for, sent to the collector that the settings name, and carried where messages go."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from tests.servers.aws import AwsAccount
from tests.servers.collector import collecting
from tests.servers.spans import Recorded, span_id, trace_id

from sensorcast_common.clock import from_millis
from sensorcast_common.lifecycle import Lifecycle
from sensorcast_common.mqtt.packets import user_property
from sensorcast_common.names import Names
from sensorcast_common.notice import Channel, Notice, Occasion
from sensorcast_common.reading import Reading
from sensorcast_common.settings import ServiceSettings, SettingsError, load
from sensorcast_common.tables.hot_chunk import pack
from sensorcast_common.tables.hot_store import HotStore
from sensorcast_common.tables.incident_items import notice_value
from sensorcast_common.tracing import Tracing, is_sampled, packed, traceparent_of, unpacked
from sensorcast_common.tracing.export import exporting
from sensorcast_common.tracing.spans import add_trace

GOLDEN = Path(__file__).parent / "golden"
RECORDED = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
T0 = 1_764_000_000_000


def test_traces_are_off_by_default() -> None:
    assert ServiceSettings().traces == "off"
    tracing = Lifecycle(drain_seconds=1).tracing
    assert not tracing.on
    assert traceparent_of(tracing.start("anything")) is None


def test_headers_are_a_secret_and_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENSORCAST_TRACES_HEADERS", "Authorization=Basic dXNlcjo=, x-scope = acme")
    settings = load(ServiceSettings)
    assert settings.traces_header_fields == {"authorization": "Basic dXNlcjo=", "x-scope": "acme"}
    assert "dXNlcjo" not in str(settings.masked())
    monkeypatch.setenv("SENSORCAST_TRACES_HEADERS", "just a key")
    with pytest.raises(SettingsError, match="SENSORCAST_TRACES_HEADERS: "):
        load(ServiceSettings)


@pytest.mark.parametrize("endpoint", ["collector:4318", "http://user:secret@collector:4318", "grpc://collector:4317"])
def test_an_endpoint_is_an_http_address_without_a_password(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENSORCAST_TRACES_ENDPOINT", endpoint)
    with pytest.raises(SettingsError, match="SENSORCAST_TRACES_ENDPOINT: "):
        load(ServiceSettings)


async def test_spans_reach_the_collector_as_often_as_the_ratio_says() -> None:
    registry = CollectorRegistry()
    async with collecting() as collector:
        async with exporting(
            service="ingest", endpoint=collector.url, ratio=0.0, headers={"x-scope": "acme"}, registry=registry
        ) as tracing:
            tracing.start("begun here").end()
            tracing.start("goes on", parent=RECORDED, links=["nonsense"], since=T0).end()
        (span,) = collector.spans
        (headers,) = collector.headers
    assert (span.service, span.name, span.parent_id) == ("sensorcast-ingest", "goes on", RECORDED[36:52])
    assert span.began == T0 * 1_000_000
    assert span.links == ()
    assert headers["x-scope"] == "acme"
    assert registry.get_sample_value("sensorcast_ingest_trace_spans_total", {"outcome": "sent"}) == 1


async def test_what_the_collector_does_not_take_is_counted_as_lost() -> None:
    registry = CollectorRegistry()
    async with collecting() as collector:
        unknown = f"{collector.url}/elsewhere"
        async with exporting(service="api", endpoint=unknown, ratio=1.0, headers={}, registry=registry) as tracing:
            tracing.start("lost").end()
    assert registry.get_sample_value("sensorcast_api_trace_spans_total", {"outcome": "lost"}) == 1


@pytest.mark.parametrize(
    ("text", "sampled"),
    [
        (RECORDED, True),
        (RECORDED[:-2] + "03", True),
        (RECORDED[:-2] + "00", False),
        (RECORDED.upper(), False),
        ("ff" + RECORDED[2:], False),
        ("00-" + "0" * 32 + RECORDED[35:], False),
        (RECORDED + "-x", False),
        (None, False),
    ],
)
def test_a_traceparent_says_whether_it_is_recorded(text: object, *, sampled: bool) -> None:
    assert is_sampled(text) is sampled


def test_a_traceparent_is_packed_into_24_bytes() -> None:
    assert unpacked(packed(RECORDED)) == RECORDED
    assert len(packed(RECORDED)) == 24
    assert unpacked(b"") is None
    assert unpacked(bytes(24)) is None
    with pytest.raises(ValueError, match="traceparent: "):
        packed("x")


def sized(text: str) -> bytes:
    return len(text.encode()).to_bytes(2, "big") + text.encode()


def test_a_user_property_is_found_among_all_that_a_publish_may_have() -> None:
    others = b"\x01\x01" + b"\x02\0\0\0\x05" + b"\x03" + sized("application/json") + b"\x08" + sized("reply")
    others += b"\x09" + sized("id") + b"\x0b\x80\x01" + b"\x23\0\x07" + b"\x26" + sized("colour") + sized("blue")
    properties = others + b"\x26" + sized("traceparent") + sized(RECORDED) + b"\x26" + sized("traceparent") + sized("x")
    assert user_property(properties, "traceparent") == RECORDED
    assert user_property(properties, "colour") == "blue"
    assert user_property(properties, "absent") is None


@given(st.binary(max_size=60))
def test_no_properties_are_an_error(properties: bytes) -> None:
    found = user_property(b"\x26" + properties, "traceparent")
    assert found is None or isinstance(found, str)


NOTICE = Notice(
    occasion=Occasion.OPENED,
    channel=Channel.SMS,
    recipient="+15555550100",
    recipient_id="anna",
    group="device=truck-1",
    group_interval=120,
    text="",
    created_at=from_millis(1_768_464_000_000),
    ready_at=from_millis(1_768_463_999_500),
)


def test_a_notice_of_the_version_before_has_no_trace() -> None:
    assert Notice.model_validate_json((GOLDEN / "notice-v1.json").read_text()) == NOTICE


def test_a_notice_is_stored_with_its_trace_and_as_before_without_one() -> None:
    for file, trace in (("notice-v1.json", None), ("notice-v2.json", RECORDED)):
        stored = notice_value(NOTICE.model_copy(update={"trace": trace}))["M"]["notice"]["S"]
        assert stored == (GOLDEN / file).read_text().strip()


async def test_chunks_tell_by_which_traces_their_readings_came(account: AwsAccount) -> None:
    names = Names()
    async with account.aws.client("dynamodb") as dynamodb:
        await dynamodb.create_table(
            TableName=names.table_readings,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        )
        store = HotStore(dynamodb, names)
        for device, ts, traces in (
            ("truck-1", T0, {("acme", "truck-1"): RECORDED}),
            ("truck-1", T0 + 60_000, {("acme", "truck-1"): RECORDED}),
            ("truck-1", T0 + 120_000, {("acme", "truck-9"): RECORDED}),
            ("truck-2", T0, {}),
        ):
            await store.append(pack([Reading("acme", device, "temperature", ts, 4.2, "Cel", ts)]), traces=traces)
        assert await store.traces("acme", "truck-1", start=T0, end=T0 + 300_000) == [RECORDED]
        assert await store.traces("acme", "truck-1", start=T0 + 90_000, end=T0 + 300_000) == []
        assert await store.traces("acme", "truck-2", start=T0, end=T0 + 300_000) == []
        found = await store.read("acme", "truck-1", start=T0, end=T0 + 300_000)
    assert len(found["temperature"].ts) == 3


def test_a_record_of_the_log_names_the_trace_at_hand() -> None:
    recorded = Recorded()
    with recorded.tracing.tracer.start_as_current_span("work"):
        event = add_trace(None, "info", {"event": "x"})
    assert add_trace(None, "info", {"event": "x"}) == {"event": "x"}
    (span,) = recorded.spans()
    assert event == {"event": "x", "trace_id": trace_id(span), "span_id": span_id(span)}


def test_off_is_no_tracer_at_all() -> None:
    span = Tracing().start("anything", parent=RECORDED, attributes={"a": 1})
    assert not span.is_recording()
