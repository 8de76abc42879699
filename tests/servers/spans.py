"""Spans that are kept in memory."""

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, ParentBased

from sensorcast_common.tracing import Tracing


class Recorded:
    """Tracing, and the spans that ended.

    Args:
        begin: Whether a trace that begins here is recorded.
    """

    def __init__(self, *, begin: bool = True) -> None:
        self._exporter = InMemorySpanExporter()
        provider = TracerProvider(sampler=ParentBased(ALWAYS_ON if begin else ALWAYS_OFF))
        provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.tracing = Tracing(provider.get_tracer("test"))

    def spans(self, name: str = "", *, trace: str = "") -> list[ReadableSpan]:
        """By the beginning of the name, or the trace's id in hex."""
        return [
            span
            for span in self._exporter.get_finished_spans()
            if span.name.startswith(name) and trace_id(span).startswith(trace)
        ]


def place(span: ReadableSpan) -> str:
    """The traceparent of a span."""
    assert span.context is not None
    return f"00-{trace_id(span)}-{span_id(span)}-{span.context.trace_flags:02x}"


def trace_id(span: ReadableSpan) -> str:
    """In hex."""
    assert span.context is not None
    return f"{span.context.trace_id:032x}"


def span_id(span: ReadableSpan) -> str:
    """In hex."""
    assert span.context is not None
    return f"{span.context.span_id:016x}"


def parent_id(span: ReadableSpan) -> str | None:
    """In hex; `None` at the root."""
    return None if span.parent is None else f"{span.parent.span_id:016x}"


def linked(span: ReadableSpan) -> list[str]:
    """The ids of the traces that a span links to, in hex."""
    return [f"{link.context.trace_id:032x}" for link in span.links]


def attribute(span: ReadableSpan, name: str) -> object:
    """One attribute; `None` where there is none."""
    return (span.attributes or {}).get(name)
