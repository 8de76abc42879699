"""Starts spans; passed in like the metrics, and off until a tracer is given."""

from collections.abc import Iterable, Mapping, MutableMapping
from typing import Final

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, NoOpTracer, Span, SpanKind, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue

from sensorcast_common.tracing.traceparent import TRACEPARENT

_W3C: Final = TraceContextTextMapPropagator()
_ROOT: Final = trace.set_span_in_context(trace.INVALID_SPAN)
MOST_LINKS: Final = 32
"""Links of one span; what led to it is then known well enough."""


class Tracing:
    """Starts spans whose parent is given as a traceparent, since it came with a message or out of a table.

    Args:
        tracer: Starts them; by default none is recorded, and nothing is sent along.

    Attributes:
        on: Whether spans are recorded.
    """

    def __init__(self, tracer: Tracer | None = None) -> None:
        self.tracer = tracer or NoOpTracer()
        self.on = tracer is not None

    def start(
        self,
        name: str,
        *,
        parent: str | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        links: Iterable[str] = (),
        attributes: Mapping[str, AttributeValue] | None = None,
        since: int | None = None,
    ) -> Span:
        """A span, which the caller ends.

        Args:
            name: What is done, in few different words.
            parent: The traceparent of what it is a part of; without one it begins a trace.
            kind: Whether it sends or handles a message.
            links: Traceparents of what else led to it.
            attributes: No secrets, no telephone numbers, no addresses.
            since: When it began, in milliseconds since 1970 UTC; now, if absent.
        """
        linked = [trace.get_current_span(_context(each)).get_span_context() for each in links if each != parent]
        return self.tracer.start_span(
            name,
            context=_context(parent),
            kind=kind,
            links=[Link(each) for each in linked[:MOST_LINKS] if each.is_valid],
            attributes=attributes,
            start_time=None if since is None else since * 1_000_000,
        )


def _context(traceparent: str | None) -> Context:
    return _ROOT if traceparent is None else _W3C.extract({TRACEPARENT: traceparent}, context=_ROOT)


def traceparent_of(span: Span) -> str | None:
    """Where a span stands, as it travels; `None` while traces are off."""
    context = span.get_span_context()
    if not context.is_valid:
        return None
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


def link_to(span: Span, traceparent: str) -> None:
    """Link a span that has begun to something else that led to it."""
    context = trace.get_current_span(_context(traceparent)).get_span_context()
    if context.is_valid:
        span.add_link(context)


def add_trace(_: object, __: str, event: MutableMapping[str, object]) -> MutableMapping[str, object]:
    """A processor of structlog: names the recorded trace of the work at hand."""
    context = trace.get_current_span().get_span_context()
    if context.trace_flags.sampled:
        event["trace_id"] = f"{context.trace_id:032x}"
        event["span_id"] = f"{context.span_id:016x}"
    return event
