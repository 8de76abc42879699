"""Continues traces over queues and topics, by the W3C header `traceparent` as a message attribute.

Names, kinds and attributes follow OpenTelemetry's semantic conventions for messaging spans, whose status is still
"development". A process span is a child of the context that its message carries, not only linked to it: SQS hands each
message to one handler, and a reader finds the whole way by one trace id.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final

from faststream import BaseMiddleware
from faststream._internal.types import BrokerMiddleware
from opentelemetry import trace
from opentelemetry.trace import Link, Span, SpanContext, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from faststream_sqs.errors import BatchFailures
from faststream_sqs.queues import queue_name
from faststream_sqs.received import Received
from faststream_sqs.response import SQSPublishCommand, SQSResponse
from faststream_sqs.topics import topic_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from faststream._internal.basic_types import AsyncFunc, AsyncFuncAny
    from faststream._internal.context.repository import ContextRepo
    from faststream.message import StreamMessage
    from opentelemetry.context import Context
    from opentelemetry.trace import Tracer
    from opentelemetry.util.types import AttributeValue

_W3C: Final = TraceContextTextMapPropagator()
_SYSTEMS: Final = {"queue": "aws_sqs", "topic": "aws.sns"}
TRACEPARENT: Final = "traceparent"


class SQSTracingMiddleware(BrokerMiddleware[Any, SQSPublishCommand]):
    """A span for every message that is handled, and for every publish.

    While a message is handled, its header `traceparent` (in a batch, that in `batch_headers`) names the span of its
    handling, for whoever passes it on by hand. A message or batch entry that is published with a `traceparent` of its
    own keeps it; any other gets that of the publish span.

    Args:
        tracer: Starts the spans.
    """

    def __init__(self, *, tracer: Tracer) -> None:
        self._tracer = tracer

    def __call__(self, msg: Any | None, /, *, context: ContextRepo) -> _Traced:  # noqa: ANN401 - FastStream's signature
        """The middleware of one message or one publish."""
        return _Traced(msg, context=context, tracer=self._tracer)


class _Traced(BaseMiddleware[SQSPublishCommand]):
    def __init__(self, msg: Any | None, /, *, context: ContextRepo, tracer: Tracer) -> None:  # noqa: ANN401
        super().__init__(msg, context=context)
        self._tracer = tracer
        self._handled: Context | None = None

    async def consume_scope(self, call_next: AsyncFuncAny, msg: StreamMessage[Any]) -> Any:  # noqa: ANN401
        """Handle a message, or each of a batch, within a span of its own."""
        received: Sequence[Received] = [msg.raw_message] if isinstance(msg.raw_message, Received) else msg.raw_message
        headers = msg.batch_headers or [msg.headers]
        spans = [self._process(one, of, len(received)) for one, of in zip(received, headers, strict=True)]
        with ExitStack() as entered:
            current = next((span for span in spans if span.is_recording()), None)
            if current is not None:
                entered.enter_context(_current(current))
                # What a handler returns is published when it is over, by this same middleware.
                self._handled = trace.set_span_in_context(current)
            try:
                return await call_next(msg)
            except BaseException as error:
                for index, span in enumerate(spans):
                    _failed(span, _of(error, index, received))
                raise
            finally:
                for span in spans:
                    span.end()

    async def publish_scope(self, call_next: AsyncFunc, msg: SQSPublishCommand) -> Any:  # noqa: ANN401
        """Publish within a span, and let every message carry a context."""
        name = queue_name(msg.destination) if msg.kind == "queue" else topic_name(msg.destination)
        bodies = msg.batch_bodies
        own = _contexts([msg.headers, *(body.headers for body in bodies if isinstance(body, SQSResponse))])
        parent, links = _lead(own)
        attributes = _attributes(_SYSTEMS[msg.kind], name, "send")
        if len(bodies) > 1:
            attributes["messaging.batch.message_count"] = len(bodies)
        with self._tracer.start_as_current_span(
            f"send {name}",
            context=parent or self._handled,
            kind=SpanKind.CLIENT if own else SpanKind.PRODUCER,
            attributes=attributes,
            links=links,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            if TRACEPARENT not in msg.headers:
                carrier: dict[str, str] = {}
                _W3C.inject(carrier)
                msg.headers = {**msg.headers, **carrier}
            try:
                return await call_next(msg)
            except BaseException as error:
                _failed(span, error)
                raise

    def _process(self, message: Received, headers: dict[str, Any], together: int) -> Span:
        attributes = _attributes("aws_sqs", queue_name(message.queue), "process")
        attributes["messaging.message.id"] = message.message_id
        attributes["messaging.message.body.size"] = message.size
        attributes["aws.sqs.message.receive_count"] = message.receive_count
        if together > 1:
            attributes["messaging.batch.message_count"] = together
        span = self._tracer.start_span(
            f"process {queue_name(message.queue)}",
            context=_W3C.extract(headers, context=_EMPTY),
            kind=SpanKind.CONSUMER,
            attributes=attributes,
        )
        _W3C.inject(headers, context=trace.set_span_in_context(span, _EMPTY))
        return span


_EMPTY: Final = trace.set_span_in_context(trace.INVALID_SPAN)


def _attributes(system: str, destination: str, operation: str) -> dict[str, AttributeValue]:
    return {
        "messaging.system": system,
        "messaging.destination.name": destination,
        "messaging.operation.name": operation,
        "messaging.operation.type": operation,
    }


def _contexts(headers: Iterable[Mapping[str, Any]]) -> list[SpanContext]:
    """The contexts that messages carry already."""
    found = []
    for each in headers:
        if TRACEPARENT in each:
            context = trace.get_current_span(_W3C.extract(each, context=_EMPTY)).get_span_context()
            if context.is_valid:
                found.append(context)
    return found


def _lead(contexts: Sequence[SpanContext]) -> tuple[Context | None, list[Link]]:
    """What to continue, the first that is sampled, and links to the others; the current context where there is none."""
    if not contexts:
        return None, []
    lead = next((context for context in contexts if context.trace_flags.sampled), contexts[0])
    parent = trace.set_span_in_context(trace.NonRecordingSpan(lead))
    return parent, [Link(context) for context in contexts if context is not lead and context.trace_flags.sampled]


def _current(span: Span) -> Any:  # noqa: ANN401 - a context manager whose type OpenTelemetry keeps to itself
    return trace.use_span(span, end_on_exit=False, record_exception=False, set_status_on_exception=False)


def _of(error: BaseException, index: int, received: Sequence[Received]) -> BaseException | None:
    """The error of one message: of a batch that names its failures, `None` for those that were handled."""
    if not isinstance(error, BatchFailures):
        return error
    return error.failures.get(index, error.failures.get(received[index].message_id))


def _failed(span: Span, error: BaseException | None) -> None:
    """Note the class alone: what an error says may hold what a message holds."""
    if error is not None:
        span.set_attribute("error.type", type(error).__qualname__)
        span.set_status(Status(StatusCode.ERROR))
