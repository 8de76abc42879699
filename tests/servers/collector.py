"""An OpenTelemetry collector on loopback: takes traces by OTLP over HTTP and keeps them for tests to look at."""

import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span as ProtoSpan


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A span as the collector got it.

    Attributes:
        service: Which service sent it.
        name: Its name.
        kind: `internal`, `client`, `producer` or `consumer`.
        trace_id: Hex.
        span_id: Hex.
        parent_id: Hex; empty at the root.
        links: Trace and span that it links to.
        attributes: As text.
        events: Names.
        failed: Whether its status is an error.
        began: Nanoseconds since 1970 UTC.
        ended: The same.
    """

    service: str
    name: str
    kind: str
    trace_id: str
    span_id: str
    parent_id: str
    links: tuple[tuple[str, str], ...]
    attributes: dict[str, str]
    events: tuple[str, ...]
    failed: bool
    began: int
    ended: int


@dataclass
class Collector:
    """What was received.

    Attributes:
        url: Where services send to.
        spans: All spans.
        headers: Of each request.
    """

    url: str = ""
    spans: list[Seen] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    def of(self, trace_id: str) -> dict[str, Seen]:
        """The spans of a trace, by name."""
        return {span.name: span for span in self.spans if span.trace_id == trace_id}

    async def take(self, request: web.Request) -> web.Response:
        """Handle a request."""
        body = await request.read()
        if body[:2] == b"\x1f\x8b":
            body = gzip.decompress(body)
        message = ExportTraceServiceRequest.FromString(body)
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        for resource in message.resource_spans:
            service = next(
                each.value.string_value for each in resource.resource.attributes if each.key == "service.name"
            )
            for scope in resource.scope_spans:
                self.spans += [_seen(service, span) for span in scope.spans]
        return web.Response(body=b"", content_type="application/x-protobuf")


def _seen(service: str, span: ProtoSpan) -> Seen:
    return Seen(
        service=service,
        name=span.name,
        kind=ProtoSpan.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_").lower(),
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex(),
        links=tuple((link.trace_id.hex(), link.span_id.hex()) for link in span.links),
        attributes={
            each.key: str(getattr(each.value, each.value.WhichOneof("value") or "string_value"))
            for each in span.attributes
        },
        events=tuple(event.name for event in span.events),
        failed=span.status.code == 2,
        began=span.start_time_unix_nano,
        ended=span.end_time_unix_nano,
    )


@asynccontextmanager
async def collecting() -> AsyncIterator[Collector]:
    """A collector that listens while this is open."""
    collector = Collector()
    app = web.Application(client_max_size=16 * 1024 * 1024)
    app.router.add_post("/v1/traces", collector.take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        collector.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield collector
    finally:
        await runner.cleanup()
