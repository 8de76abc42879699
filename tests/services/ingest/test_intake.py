"""Nothing is acknowledged before every part of it is accepted."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence

from prometheus_client import CollectorRegistry
from tests.servers.spans import Recorded, attribute, parent_id, place
from tests.servers.waiting import until
from tests.services.ingest.test_traced import DEVICE, OTHER, traced

from sensorcast_common.backoff import Backoff
from sensorcast_common.batch import ReadingBatch
from sensorcast_common.envelope import Envelope
from sensorcast_common.mqtt import MessageBatch, MqttMessage
from sensorcast_common.reading import Reading
from sensorcast_common.tracing import Tracing
from sensorcast_ingest.batcher import Batcher
from sensorcast_ingest.intake import Intake, Source
from sensorcast_ingest.metrics import IngestMetrics
from sensorcast_ingest.outbox import Outbox, Outgoing, Sink
from sensorcast_ingest.traced import IngestTraces

NOW = 1_764_000_000_000
TOPIC = "dt/acme/truck-1/readings"


def accept(text: str) -> str | None:
    return None


def away(text: str) -> str | None:
    return "away"


class FakeSink(Sink):
    """Accepts what the test lets it accept."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.accepted: list[str] = []
        self.headers: list[Mapping[str, str]] = []
        self.refuse: Callable[[str], str | None] = accept
        self.calls = 0

    async def send(self, messages: Sequence[Outgoing]) -> Mapping[int, str]:
        self.calls += 1
        await asyncio.sleep(0)
        failures: dict[int, str] = {}
        for index, message in enumerate(messages):
            reason = self.refuse(message.text)
            if reason is None:
                self.accepted.append(message.text)
                self.headers.append(message.headers)
            else:
                failures[index] = reason
        return failures

    @property
    def readings(self) -> list[Reading]:
        return [each for text in self.accepted for each in ReadingBatch.decode(Envelope.parse(text)).readings]


class FakeSource(Source):
    """Hands out what the test puts in, and notes what is acknowledged."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[MessageBatch | None] = asyncio.Queue()
        self.acknowledged: list[str] = []
        self.taken = 0

    def put(
        self,
        name: str,
        *payloads: bytes,
        topic: str = "dt/acme/truck-1/readings",
        redelivered: bool = False,
        more: Sequence[MqttMessage] = (),
    ) -> None:
        messages = [*more, *(MqttMessage(topic, payload, redelivered, NOW) for payload in payloads)]
        self.queue.put_nowait(MessageBatch(messages, lambda: self.acknowledged.append(name)))

    async def next_batch(self) -> MessageBatch | None:
        batch = await self.queue.get()
        self.taken += 1
        return batch


class Bench:
    """An intake between fakes."""

    def __init__(self, *, linger: float = 0.01, batch_bytes: int = 65_024, tracing: Tracing | None = None) -> None:
        self.source, self.readings, self.quarantine = FakeSource(), FakeSink("readings"), FakeSink("quarantine")
        self.registry = CollectorRegistry()
        self.failures: list[int] = []
        self.outboxes = [
            Outbox(
                sink,
                concurrency=2,
                backoff=lambda: Backoff(first=0.01, longest=0.02),
                on_failure=self.failures.append,
            )
            for sink in (self.readings, self.quarantine)
        ]
        self.intake = Intake(
            self.source,
            batcher=Batcher(target_bytes=batch_bytes, linger=linger),
            batch_bytes=batch_bytes,
            readings=self.outboxes[0],
            quarantine=self.outboxes[1],
            metrics=IngestMetrics(self.registry),
            traces=IngestTraces(tracing or Tracing(), topic="readings", devices=True),
            clock=lambda: NOW + 50,
        )

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as tasks:
            started = [tasks.create_task(work()) for work in (self.intake.run, *(each.run for each in self.outboxes))]
            try:
                yield
            finally:
                for task in started:
                    task.cancel()


def temperature(value: float) -> bytes:
    return json.dumps({"ts": NOW, "metric": "temperature", "value": value, "unit": "Cel"}).encode()


async def test_acknowledged_after_acceptance() -> None:
    bench = Bench()
    bench.readings.refuse = away
    async with bench.running():
        bench.source.put("one", temperature(1), temperature(2))
        await until(lambda: len(bench.failures) > 3)
        assert bench.source.acknowledged == []
        assert bench.outboxes[0].failing == "away"
        bench.readings.refuse = accept
        await until(lambda: bench.source.acknowledged == ["one"])
        assert [each.value for each in bench.readings.readings] == [1.0, 2.0]
        assert bench.outboxes[0].failing is None


async def test_bad_payload_is_acknowledged_once_it_is_set_aside() -> None:
    bench = Bench()
    bench.quarantine.refuse = away
    async with bench.running():
        bench.source.put("one", temperature(1), b"{", temperature(2))
        await until(lambda: len(bench.readings.readings) == 2 and bool(bench.failures))
        assert bench.source.acknowledged == []
        bench.quarantine.refuse = accept
        await until(lambda: bench.source.acknowledged == ["one"])
    assert [json.loads(text)["reason"] for text in bench.quarantine.accepted] == ["not_json"]
    labels = {"reason": "not_json"}
    assert bench.registry.get_sample_value("sensorcast_ingest_quarantined_messages_total", labels) == 1


async def test_a_traced_message_is_in_the_trace_of_its_device_until_all_of_it_is_safe() -> None:
    recorded = Recorded()
    bench = Bench(tracing=recorded.tracing)
    bench.readings.refuse = bench.quarantine.refuse = away
    async with bench.running():
        bench.source.put("one", temperature(1), more=[traced(temperature(2), DEVICE), traced(b"{", OTHER)])
        await until(lambda: len(bench.failures) > 3)
        assert recorded.spans("process") == []
        bench.readings.refuse = bench.quarantine.refuse = accept
        await until(lambda: bench.source.acknowledged == ["one"])
    assert sorted(each.value for each in bench.readings.readings) == [1.0, 2.0]
    (good,) = recorded.spans("process", trace=DEVICE[3:35])
    (bad,) = recorded.spans("process", trace=OTHER[3:35])
    assert (parent_id(good), parent_id(bad)) == (DEVICE[36:52], OTHER[36:52])
    assert (attribute(good, "error.type"), attribute(bad, "error.type")) == (None, "not_json")
    assert bench.readings.headers[0]["traceparent"].startswith(DEVICE[:35])
    assert bench.quarantine.headers == [{"reason": "not_json", "traceparent": place(bad)}]


async def test_message_on_a_wrong_topic_is_set_aside() -> None:
    bench = Bench()
    async with bench.running():
        bench.source.put("one", temperature(1), topic="dt/acme/truck 1/readings")
        await until(lambda: bench.source.acknowledged == ["one"])
    (kept,) = (json.loads(text) for text in bench.quarantine.accepted)
    assert (kept["reason"], kept["topic"]) == ("bad_topic", "dt/acme/truck 1/readings")


async def test_readings_of_many_batches_travel_together() -> None:
    bench = Bench(linger=0.2)
    async with bench.running():
        for n in range(5):
            bench.source.put(str(n), temperature(n))
        await until(lambda: len(bench.source.acknowledged) == 5)
    assert len(bench.readings.accepted) == 1


async def test_one_message_in_many_batches_is_acknowledged_with_the_last() -> None:
    bench = Bench(batch_bytes=2048)
    last = json.dumps([{"ts": NOW - n, "temperature": n * 1.37} for n in range(2000)]).encode()
    lost: list[str] = []

    def refuse_one(text: str) -> str | None:
        if not lost:
            lost.append(text)
        return "away" if text == lost[0] else None

    bench.readings.refuse = refuse_one
    async with bench.running():
        bench.source.put("one", last)
        bench.source.put("two", temperature(1))
        await until(lambda: bench.source.acknowledged == ["two"])
        assert len(bench.readings.accepted) > 3
        bench.readings.refuse = accept
        await until(lambda: bench.source.acknowledged == ["two", "one"])
    assert len(bench.readings.readings) == 2001


async def test_intake_waits_while_nothing_is_accepted() -> None:
    bench = Bench(linger=0.0)
    bench.readings.refuse = away
    async with bench.running():
        for n in range(200):
            bench.source.put(str(n), temperature(n))
        await until(lambda: len(bench.failures) > 20)
        assert bench.source.taken < 60
        bench.readings.refuse = accept
        await until(lambda: len(bench.source.acknowledged) == 200)


async def test_redelivered_messages_mark_their_readings() -> None:
    bench = Bench()
    async with bench.running():
        bench.source.put("one", temperature(1), redelivered=True)
        await until(lambda: bench.source.acknowledged == ["one"])
    assert [each.redelivered for each in bench.readings.readings] == [True]


async def test_end_of_the_source_flushes_what_lingers() -> None:
    bench = Bench(linger=60.0)
    async with bench.running():
        bench.source.put("one", temperature(1))
        bench.source.queue.put_nowait(None)
        await asyncio.wait_for(bench.intake.ended.wait(), 5)
        await bench.outboxes[0].drain()
        assert bench.source.acknowledged == ["one"]


async def test_no_request_is_larger_than_sns_takes() -> None:
    bench = Bench()
    sizes: list[int] = []

    class Measuring(FakeSink):
        async def send(self, messages: Sequence[Outgoing]) -> Mapping[int, str]:
            sizes.append(sum(len(message.text) for message in messages))
            return await super().send(messages)

    outbox = Outbox(
        Measuring("x"), concurrency=1, backoff=lambda: Backoff(first=1, longest=1), on_failure=bench.failures.append
    )
    for n in range(10):
        await outbox.put(Outgoing("x" * 60_000, str(n), {}, ()))
    running = asyncio.create_task(outbox.run())
    await asyncio.wait_for(outbox.drain(), 5)
    running.cancel()
    assert sum(sizes) == 600_000
    assert max(sizes) <= 256 * 1024
