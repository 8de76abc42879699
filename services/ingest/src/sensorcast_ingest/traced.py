"""The spans of ingest: one for each batch of readings, one for each message whose device says that it is traced.

A batch continues the trace of the first traced message in it and links to the others, so that one trace id leads from
that device to whatever its reading causes. A batch without any begins a trace, or not, as the ratio says.
"""

from typing import Final

from opentelemetry.trace import Span, SpanKind, Status, StatusCode

from sensorcast_common.mqtt import MqttMessage
from sensorcast_common.mqtt.packets import user_property
from sensorcast_common.names import MQTT_READINGS
from sensorcast_common.reading import Reading
from sensorcast_common.tracing import TRACEPARENT, Tracing, is_sampled, traceparent_of
from sensorcast_ingest.encode import Encoded
from sensorcast_ingest.receipt import Receipt

_NONE: Final[dict[str, str]] = {}


class Arrival(Receipt):
    """The receipt of one traced message; its span ends when everything in the message is safe.

    Args:
        span: Of the message.
        within: The receipt of all that came with it.
    """

    __slots__ = ("_span", "_within")

    def __init__(self, span: Span, within: Receipt) -> None:
        within.hold()
        self._span = span
        self._within = within
        super().__init__(self._safe, trace=traceparent_of(span))

    def rejected(self, reason: str) -> None:
        """The message goes to the quarantine."""
        self._span.set_attribute("error.type", reason)
        self._span.set_status(Status(StatusCode.ERROR))

    def _safe(self) -> None:
        self._span.end()
        self._within.release()


class IngestTraces:
    """Starts the spans.

    Args:
        tracing: Of the service.
        topic: Where batches go.
        devices: Whether what devices say of traces is heeded.
    """

    def __init__(self, tracing: Tracing, *, topic: str, devices: bool) -> None:
        self._tracing = tracing
        self._topic = topic
        self._devices = devices and tracing.on

    def arrival(self, message: MqttMessage, within: Receipt) -> Arrival | None:
        """The receipt of a message by itself, where its device says that it is part of a recorded trace."""
        if not self._devices:
            return None
        parent = user_property(message.properties, TRACEPARENT)
        if not is_sampled(parent):
            return None
        span = self._tracing.start(
            f"process {MQTT_READINGS}",
            parent=parent,
            kind=SpanKind.CONSUMER,
            attributes={
                "messaging.system": "mqtt",
                "messaging.destination.name": message.topic[:256],
                "messaging.destination.template": MQTT_READINGS,
                "messaging.operation.name": "process",
                "messaging.operation.type": "process",
                "messaging.message.body.size": len(message.payload),
            },
            since=message.received_at,
        )
        return Arrival(span, within)

    def headers(self, part: Encoded, first: Reading, receipts: list[Receipt]) -> dict[str, str]:
        """What a batch carries of its trace; nothing while traces are off.

        Args:
            part: The batch as it is sent.
            first: Its first reading.
            receipts: Of what it came from.
        """
        if not self._tracing.on:
            return _NONE
        came_with = list(dict.fromkeys(receipt.trace for receipt in receipts if receipt.trace is not None))
        span = self._tracing.start(
            f"create {self._topic}",
            parent=came_with[0] if came_with else None,
            kind=SpanKind.PRODUCER,
            links=came_with[1:],
            attributes={
                "messaging.system": "aws.sns",
                "messaging.destination.name": self._topic,
                "messaging.operation.name": "create",
                "messaging.operation.type": "create",
                "messaging.message.body.size": len(part.text),
                "sensorcast.batch_id": part.batch_id,
                "sensorcast.readings": part.readings,
            },
            since=first.received_at,
        )
        span.end()
        trace = traceparent_of(span)
        return _NONE if trace is None else {TRACEPARENT: trace}
