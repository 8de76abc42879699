"""A reading's trace begins at its device, or with its batch; while traces are off nothing is made or sent."""

import pytest
from tests.servers.spans import Recorded, linked, parent_id, span_id, trace_id

from sensorcast_common.mqtt import MqttMessage
from sensorcast_common.reading import Reading
from sensorcast_common.tracing import TRACEPARENT, Tracing
from sensorcast_ingest.encode import Encoded
from sensorcast_ingest.receipt import Receipt
from sensorcast_ingest.traced import Arrival, IngestTraces

NOW = 1_764_000_000_000
DEVICE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
OTHER = "00-11111111111111111111111111111111-2222222222222222-01"
READING = Reading("acme", "truck-1", "temperature", NOW, 4.2, "Cel", NOW)
PART = Encoded("018f0000-0000-7000-8000-000000000000", "text", 1)


class Bench:
    """Spans of ingest, and a receipt that counts how often it is acknowledged."""

    def __init__(self, *, devices: bool = True) -> None:
        self.recorded = Recorded()
        self.traces = IngestTraces(self.recorded.tracing, topic="sensorcast-readings", devices=devices)
        self.safe = 0
        self.within = Receipt(self.is_safe)

    def is_safe(self) -> None:
        self.safe += 1

    def arrival(self, traceparent: str) -> Arrival | None:
        return self.traces.arrival(traced(b"4.2", traceparent), self.within)


def traced(payload: bytes, traceparent: str) -> MqttMessage:
    name, value = TRACEPARENT.encode(), traceparent.encode()
    properties = b"\x26" + len(name).to_bytes(2, "big") + name + len(value).to_bytes(2, "big") + value
    return MqttMessage("dt/acme/truck-1/readings", payload, False, NOW, properties)


def test_a_batch_goes_on_from_the_first_traced_message_and_links_to_the_others() -> None:
    bench = Bench()
    first, second = bench.arrival(DEVICE), bench.arrival(OTHER)
    assert first is not None
    assert second is not None
    headers = bench.traces.headers(PART, READING, [bench.within, first, first, second])
    (batch,) = bench.recorded.spans("create sensorcast-readings")
    assert headers[TRACEPARENT].startswith(DEVICE[:35])
    assert trace_id(batch) == DEVICE[3:35]
    assert batch.start_time == NOW * 1_000_000
    assert linked(batch) == [OTHER[3:35]]
    assert bench.recorded.spans("process ") == [], "a message is under way until its readings are safe"
    first.release()
    second.release()
    bench.within.release()
    one, other = bench.recorded.spans("process dt/{tenant}/{device}/readings")
    assert bench.safe == 1
    assert parent_id(one) == DEVICE[36:52]
    assert parent_id(batch) == span_id(one)
    assert trace_id(other) == OTHER[3:35]


def test_what_came_with_a_traced_message_waits_for_it() -> None:
    bench = Bench()
    arrival = bench.arrival(DEVICE)
    assert arrival is not None
    bench.within.release()
    assert bench.safe == 0
    arrival.release()
    assert bench.safe == 1


@pytest.mark.parametrize("traceparent", ["", "nonsense", DEVICE[:-1] + "0", "00-" + "0" * 32 + DEVICE[35:]])
def test_a_message_that_is_not_recorded_gets_no_span(traceparent: str) -> None:
    assert Bench().arrival(traceparent) is None


def test_devices_can_be_ignored() -> None:
    assert Bench(devices=False).arrival(DEVICE) is None


def test_off_nothing_is_made_or_sent() -> None:
    traces = IngestTraces(Tracing(), topic="sensorcast-readings", devices=True)
    within = Receipt(lambda: None)
    assert traces.arrival(traced(b"4.2", DEVICE), within) is None
    assert traces.headers(PART, READING, [within]) == {}


def test_a_batch_by_itself_begins_a_trace() -> None:
    bench = Bench()
    headers = bench.traces.headers(PART, READING, [bench.within])
    (batch,) = bench.recorded.spans("create ")
    assert batch.parent is None
    assert headers[TRACEPARENT][3:35] == trace_id(batch)
