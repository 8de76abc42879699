"""What tracing costs ingest, without network: parsing, batching and encoding with traces off, on and sampled.

`python benchmarks/tracing.py [--batches N]`

Rounds of the modes take turns, so that whatever else the machine does meets all of them alike; medians are printed.
"""

import argparse
import asyncio
import json
import statistics
import time
from collections.abc import Mapping, Sequence

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from prometheus_client import CollectorRegistry

from sensorcast_common.backoff import Backoff
from sensorcast_common.clock import system_clock
from sensorcast_common.mqtt import MessageBatch, MqttMessage
from sensorcast_common.tracing import Tracing
from sensorcast_ingest.batcher import Batcher
from sensorcast_ingest.intake import Intake
from sensorcast_ingest.metrics import IngestMetrics
from sensorcast_ingest.outbox import Outbox, Outgoing
from sensorcast_ingest.traced import IngestTraces

MESSAGES = 1000
READINGS_EACH = 2
ROUNDS = 15


class Nowhere(SpanExporter):
    """Takes spans and forgets them."""

    def export(self, spans: object) -> SpanExportResult:
        """Forget."""
        del spans
        return SpanExportResult.SUCCESS


class Accepting:
    """A sink that accepts everything at once."""

    name = "readings"

    async def send(self, messages: Sequence[Outgoing]) -> Mapping[int, str]:
        """Accept."""
        del messages
        return {}


class Prepared:
    """Hands out batches of messages."""

    def __init__(self, batches: Sequence[MessageBatch]) -> None:
        self._batches = list(batches)

    async def next_batch(self) -> MessageBatch | None:
        """The next one."""
        return self._batches.pop() if self._batches else None


def tracing(ratio: float | None) -> Tracing:
    """Off, or recording a share of the traces."""
    if ratio is None:
        return Tracing()
    provider = TracerProvider(sampler=ParentBased(TraceIdRatioBased(ratio)))
    provider.add_span_processor(SimpleSpanProcessor(Nowhere()))
    return Tracing(provider.get_tracer("benchmark"))


async def seconds(of: Tracing, batches: Sequence[MessageBatch]) -> float:
    """CPU seconds of this process for all batches."""
    outbox = Outbox(Accepting(), concurrency=4, backoff=lambda: Backoff(first=1, longest=1), on_failure=lambda _: None)
    intake = Intake(
        Prepared(batches),
        batcher=Batcher(target_bytes=65_024, linger=0.1),
        batch_bytes=65_024,
        readings=outbox,
        quarantine=outbox,
        metrics=IngestMetrics(CollectorRegistry()),
        traces=IngestTraces(of, topic="sensorcast-readings", devices=True),
        clock=system_clock,
    )
    sending = asyncio.create_task(outbox.run())
    began = time.process_time()
    await intake.run()
    await outbox.drain()
    took = time.process_time() - began
    sending.cancel()
    await asyncio.wait([sending])
    return took


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--batches", type=int, default=20)
    options = parser.parse_args()
    now = system_clock()
    messages = [
        MqttMessage(
            f"dt/acme/truck-{number % 50}/readings",
            json.dumps({"ts": now - number, "temperature": 4 + number % 97 / 10, "humidity": 61}).encode(),
            redelivered=False,
            received_at=now,
        )
        for number in range(MESSAGES)
    ]
    batches = [MessageBatch(messages, lambda: None)] * options.batches
    readings = options.batches * MESSAGES * READINGS_EACH
    modes: dict[str, float | None] = {"off": None, "1% recorded": 0.01, "all recorded": 1.0}
    took: dict[str, list[float]] = {mode: [] for mode in modes}
    for _ in range(ROUNDS):
        for mode, ratio in modes.items():
            took[mode].append(asyncio.run(seconds(tracing(ratio), batches)))
    base = statistics.median(took["off"])
    print(f"{'traces':<14} {'us a reading':>12} {'against off':>12}")
    for mode, all_of in took.items():
        median = statistics.median(all_of)
        print(f"{mode:<14} {median / readings * 1e6:>12.2f} {median / base:>12.3f}")


if __name__ == "__main__":
    main()
