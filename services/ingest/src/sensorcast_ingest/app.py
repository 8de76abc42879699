"""Wires ingest and runs it."""

import sys
from collections.abc import Callable
from typing import Final

from faststream_sqs.annotations import SQSMessage
from sensorcast_common.aws import Aws
from sensorcast_common.backoff import Backoff
from sensorcast_common.clock import Clock, system_clock
from sensorcast_common.health import ReadyCheck
from sensorcast_common.lifecycle import Lifecycle, serve
from sensorcast_common.mqtt import MqttSource
from sensorcast_common.names import MQTT_READINGS_FILTER, Names
from sensorcast_common.queue import sqs_broker, start_broker
from sensorcast_common.tracing import Tracing
from sensorcast_ingest.batcher import Batcher
from sensorcast_ingest.inbox import Inbox, opened
from sensorcast_ingest.intake import Intake, Source
from sensorcast_ingest.metrics import IngestMetrics
from sensorcast_ingest.outbox import Outbox
from sensorcast_ingest.settings import IngestSettings
from sensorcast_ingest.sinks import BrokerSink
from sensorcast_ingest.traced import IngestTraces

INBOX_AT_ONCE: Final = 2000
"""Messages of the inbox that wait for SNS at one time; a batch is filled from them."""

INBOX_POLLERS: Final = 4

Outboxes = tuple[Outbox, Outbox]
"""For batches of readings, and for what goes to the quarantine."""

MakeIntake = Callable[[Source], Intake]


async def build(
    settings: IngestSettings, life: Lifecycle, *, aws: Aws | None = None, clock: Clock = system_clock
) -> None:
    """Connect the parts: MQTT session or inbox -> intake -> outboxes -> SNS topic and quarantine queue.

    Raises:
        faststream_sqs.TopicNotFoundError: The topic does not exist; the error names it.
        faststream_sqs.QueueNotFoundError: The quarantine does not exist; the error names it.
    """
    aws = aws or Aws()
    metrics = IngestMetrics(life.registry)
    outboxes = await _outboxes(settings, life, aws=aws, metrics=metrics)
    topic = Names(settings.stack).topic_readings
    traces = IngestTraces(life.tracing, topic=topic, devices=settings.traces_of_devices)

    def intake_of(source: Source) -> Intake:
        return Intake(
            source,
            batcher=Batcher(target_bytes=settings.batch_bytes, linger=settings.linger_ms / 1000),
            batch_bytes=settings.batch_bytes,
            readings=outboxes[0],
            quarantine=outboxes[1],
            metrics=metrics,
            traces=traces,
            clock=clock,
        )

    if settings.source == "queue":
        await _from_queue(settings, life, aws=aws, outboxes=outboxes, intake_of=intake_of)
    else:
        _from_mqtt(settings, life, metrics=metrics, outboxes=outboxes, intake_of=intake_of, clock=clock)


def _from_mqtt(
    settings: IngestSettings,
    life: Lifecycle,
    *,
    metrics: IngestMetrics,
    outboxes: Outboxes,
    intake_of: MakeIntake,
    clock: Clock,
) -> None:
    source = MqttSource(
        settings,
        topic_filter=MQTT_READINGS_FILTER,
        shared_group=settings.mqtt_shared_group,
        clock=clock,
        on_connected=metrics.connections.inc,
    )
    metrics.observe(in_flight=lambda: source.in_flight, connected=lambda: source.connected)
    intake = intake_of(source)

    async def subscribed() -> None:
        if not source.connected:
            raise ConnectionError(f"no subscription at {settings.mqtt_url}")

    async def drain() -> None:
        await source.stop()
        await intake.ended.wait()
        for outbox in outboxes:
            await outbox.drain()
        await source.close()

    life.health.alive("mqtt", source.attempts)
    life.health.ready("mqtt", subscribed)
    life.background("mqtt", source.run)
    life.background("intake", intake.run)
    life.on_stop("intake and what it has begun", drain)


async def _from_queue(
    settings: IngestSettings, life: Lifecycle, *, aws: Aws, outboxes: Outboxes, intake_of: MakeIntake
) -> None:
    names = Names(settings.stack)
    inbox = Inbox()
    intake = intake_of(inbox)
    # Without spans of its own: a trace begins with a batch, as it does where messages come from MQTT.
    broker = sqs_broker(
        service="ingest_inbox", aws=aws, life=life, drain_seconds=settings.drain_seconds / 2, tracing=Tracing()
    )

    @broker.subscriber(
        names.queue_inbox,
        max_workers=INBOX_AT_ONCE,
        pollers=INBOX_POLLERS,
        visibility_timeout=60,
        dead_letter_queue=names.dead_letter(names.queue_inbox),
        title="inbox",
        description="MQTT messages of AWS IoT Core's topic rule; deleted once SNS holds their readings.",
    )
    async def take(message: SQSMessage) -> None:
        await inbox.take(opened(message.body, receive_count=message.receive_count))

    async def drain() -> None:
        inbox.stop()
        await intake.ended.wait()
        for outbox in outboxes:
            await outbox.drain()

    life.background("intake", intake.run)
    life.on_stop("what the intake has begun", drain)
    await start_broker(broker, life)


async def _outboxes(settings: IngestSettings, life: Lifecycle, *, aws: Aws, metrics: IngestMetrics) -> Outboxes:
    names = Names(settings.stack)
    broker = sqs_broker(service="ingest", aws=aws, life=life, drain_seconds=settings.drain_seconds)
    destinations = (
        (broker.publisher(topic=names.topic_readings), names.topic_readings),
        (broker.publisher(names.queue_quarantine), names.queue_quarantine),
    )
    await broker.start()
    life.on_stop("AWS clients", broker.stop)
    made: list[Outbox] = []
    for publisher, name in destinations:
        outbox = Outbox(
            BrokerSink(publisher, name=name),
            concurrency=settings.publish_concurrency,
            backoff=lambda: Backoff(first=0.5, longest=20.0),
            on_failure=metrics.publish_failures.labels(name).inc,
        )
        life.background(f"outbox {name}", outbox.run)
        life.health.ready(name, _accepts(outbox))
        made.append(outbox)
    return made[0], made[1]


def _accepts(outbox: Outbox) -> ReadyCheck:
    async def check() -> None:
        if outbox.failing is not None:
            raise ConnectionError(outbox.failing)

    return check


def main() -> None:
    """Run until SIGTERM."""
    sys.exit(serve("ingest", IngestSettings, build))


if __name__ == "__main__":
    main()
