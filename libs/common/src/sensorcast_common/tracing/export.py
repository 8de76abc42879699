"""Sends spans to an OpenTelemetry collector; the SDK is imported only where traces are on."""

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Final

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from prometheus_client import CollectorRegistry, Counter

from sensorcast_common.tracing.spans import Tracing

EVERY_MS: Final = 2000
TIMEOUT_SECONDS: Final = 5
"""How long a request to the collector may take, and a stopping service waits for the last one."""


class CountingExporter(SpanExporter):
    """Counts what the collector took and what was lost.

    Args:
        inner: Sends.
        counter: With the label `outcome`.
    """

    def __init__(self, inner: SpanExporter, counter: Counter) -> None:
        self._inner = inner
        self._counter = counter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send spans; runs in a thread of the SDK."""
        result = self._inner.export(spans)
        outcome = "sent" if result is SpanExportResult.SUCCESS else "lost"
        self._counter.labels(outcome).inc(len(spans))
        return result

    def shutdown(self) -> None:
        """Send no more."""
        self._inner.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Send what waits."""
        return self._inner.force_flush(timeout_millis)


@asynccontextmanager
async def exporting(
    *,
    service: str,
    endpoint: str,
    ratio: float,
    headers: Mapping[str, str],
    registry: CollectorRegistry,
) -> AsyncIterator[Tracing]:
    """Record spans and send them by OTLP over HTTP, until it is left; then send what is left within a few seconds.

    Args:
        service: Which service this is.
        endpoint: Base address of the collector, such as `http://collector:4318`.
        ratio: Share of the traces begun here that are recorded; one begun elsewhere is recorded if it is there.
        headers: Sent with every request, such as a key.
        registry: Where spans are counted.
    """
    counter = Counter(
        f"sensorcast_{service}_trace_spans", "Spans by outcome: sent, lost.", ["outcome"], registry=registry
    )
    exporter = OTLPSpanExporter(
        endpoint=f"{endpoint.rstrip('/')}/v1/traces", headers=dict(headers), timeout=TIMEOUT_SECONDS
    )
    resource = Resource.create(
        {
            "service.namespace": "sensorcast",
            "service.name": f"sensorcast-{service}",
            "service.version": version("sensorcast-common"),
            "service.instance.id": socket.gethostname(),
        }
    )
    provider = TracerProvider(sampler=ParentBased(TraceIdRatioBased(ratio)), resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(CountingExporter(exporter, counter), schedule_delay_millis=EVERY_MS))
    try:
        yield Tracing(provider.get_tracer(f"sensorcast_{service}"))
    finally:
        await asyncio.to_thread(provider.shutdown)
