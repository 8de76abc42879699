"""MQTT messages to readings to batches; what cannot be read goes to the quarantine."""

import asyncio
import time
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Protocol

from sensorcast_common.clock import Clock
from sensorcast_common.identity import new_id
from sensorcast_common.mqtt import MessageBatch, MqttMessage
from sensorcast_common.names import ReadingsTopic
from sensorcast_common.payload import PayloadRejected, Reason, parse
from sensorcast_common.reading import Reading
from sensorcast_common.tracing import TRACEPARENT
from sensorcast_ingest.batcher import Batcher, Draft
from sensorcast_ingest.encode import encode
from sensorcast_ingest.outbox import Outbox, Outgoing
from sensorcast_ingest.quarantine import quarantined
from sensorcast_ingest.receipt import Receipt
from sensorcast_ingest.traced import Arrival, IngestTraces

if TYPE_CHECKING:
    from sensorcast_ingest.metrics import IngestMetrics

_PASS_ON: Final = 2000
"""Readings that are parsed, in about 10 ms, before they are passed on and others get their turn on the event loop."""

_topic = lru_cache(maxsize=16_384)(ReadingsTopic.parse)


class Source(Protocol):
    """Where messages come from."""

    async def next_batch(self) -> MessageBatch | None:
        """Wait for messages; `None` at the end."""


class Intake:
    """Takes messages from the source until it ends.

    Args:
        source: Where messages come from.
        batcher: Decides which readings travel together.
        batch_bytes: Bytes no batch's text may exceed.
        readings: Takes batches.
        quarantine: Takes what could not be read.
        metrics: Counts.
        traces: Starts spans.
        clock: The present.
        monotonic: Seconds on a clock that never goes back, for the linger.
    """

    def __init__(
        self,
        source: Source,
        *,
        batcher: Batcher,
        batch_bytes: int,
        readings: Outbox,
        quarantine: Outbox,
        metrics: "IngestMetrics",
        traces: IngestTraces,
        clock: Clock,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source = source
        self._batcher = batcher
        self._batch_bytes = batch_bytes
        self._readings = readings
        self._quarantine = quarantine
        self._metrics = metrics
        self._traces = traces
        self._clock = clock
        self._monotonic = monotonic
        self.ended = asyncio.Event()

    async def run(self) -> None:
        """Take in until the source ends, then flush what waits."""
        try:
            while True:
                closes_at = self._batcher.closes_at
                try:
                    async with asyncio.timeout(None if closes_at is None else max(0.0, closes_at - self._monotonic())):
                        batch = await self._source.next_batch()
                except TimeoutError:
                    await self._send(self._batcher.flush())
                    continue
                if batch is None:
                    break
                await self._take(batch)
                await self._send(self._batcher.due(now=self._monotonic()))
            await self._send(self._batcher.flush())
        finally:
            self.ended.set()

    async def _take(self, batch: MessageBatch) -> None:
        receipt = Receipt(lambda: self._acknowledge(batch))
        readings: list[Reading] = []
        self._metrics.messages.inc(len(batch.messages))
        for message in batch.messages:
            if message.properties and (arrival := self._traces.arrival(message, receipt)) is not None:
                await self._pass_on(readings, receipt)
                readings = []
                await self._take_traced(message, arrival)
                continue
            try:
                readings += self._read(message)
            except PayloadRejected as rejected:
                receipt.hold()
                await self._set_aside(message, rejected, receipt)
            if len(readings) >= _PASS_ON:
                await self._pass_on(readings, receipt)
                readings = []
        await self._pass_on(readings, receipt)
        receipt.release()

    async def _take_traced(self, message: MqttMessage, arrival: Arrival) -> None:
        try:
            readings = self._read(message)
        except PayloadRejected as rejected:
            arrival.rejected(rejected.reason_code)
            arrival.hold()
            await self._set_aside(message, rejected, arrival)
        else:
            await self._pass_on(readings, arrival)
        arrival.release()

    async def _pass_on(self, readings: list[Reading], receipt: Receipt) -> None:
        self._metrics.readings.inc(len(readings))
        for draft in self._batcher.add(readings, receipt, now=self._monotonic()):
            await self._send(draft)
        await asyncio.sleep(0)  # the source may have more at once, and others have to work too

    def _read(self, message: MqttMessage) -> list[Reading]:
        if message.redelivered:
            self._metrics.redelivered.inc()
        try:
            topic = _topic(message.topic)
        except ValueError as error:
            raise PayloadRejected(Reason.BAD_TOPIC, str(error)) from error
        return parse(message.payload, topic, received_at=message.received_at, redelivered=message.redelivered)

    async def _set_aside(self, message: MqttMessage, rejected: PayloadRejected, receipt: Receipt) -> None:
        reason = str(rejected.reason_code)
        self._metrics.quarantined.labels(reason).inc()
        text = quarantined(message, reason=reason, detail=rejected.detail)
        trace = {} if receipt.trace is None else {TRACEPARENT: receipt.trace}
        await self._quarantine.put(Outgoing(text, new_id(), {"reason": reason, **trace}, (receipt,)))

    async def _send(self, draft: Draft | None) -> None:
        if draft is None:
            return
        parts = encode(draft.readings, created_at=self._clock(), limit=self._batch_bytes, new_id=new_id)
        for receipt in draft.receipts:
            for _ in parts[1:]:
                receipt.hold()
        at = 0
        for part in parts:
            headers = self._traces.headers(part, draft.readings[at], draft.receipts)
            at += part.readings
            self._batcher.learn(readings=part.readings, size=len(part.text))
            self._metrics.batch_bytes.observe(len(part.text))
            self._metrics.batch_readings.observe(part.readings)
            await self._readings.put(Outgoing(part.text, part.batch_id, headers, draft.receipts))

    def _acknowledge(self, batch: MessageBatch) -> None:
        batch.ack()
        self._metrics.puback_latency.observe((self._clock() - batch.messages[0].received_at) / 1000)
