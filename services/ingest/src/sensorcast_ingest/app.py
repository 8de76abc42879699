"""Wires ingest and runs it."""

import sys

from sensorcast_common.aws import Aws
from sensorcast_common.backoff import Backoff
from sensorcast_common.clock import Clock, system_clock
from sensorcast_common.health import ReadyCheck
from sensorcast_common.lifecycle import Lifecycle, serve
from sensorcast_common.mqtt import MqttSource
from sensorcast_common.names import MQTT_READINGS_FILTER, Names
from sensorcast_common.queue import sqs_broker
from sensorcast_ingest.batcher import Batcher
from sensorcast_ingest.intake import Intake
from sensorcast_ingest.metrics import IngestMetrics
from sensorcast_ingest.outbox import Outbox
from sensorcast_ingest.settings import IngestSettings
from sensorcast_ingest.sinks import BrokerSink


async def build(
    settings: IngestSettings, life: Lifecycle, *, aws: Aws | None = None, clock: Clock = system_clock
) -> None:
    """Connect the parts: MQTT source -> intake -> outboxes -> SNS topic and quarantine queue.

    Raises:
        faststream_sqs.TopicNotFoundError: The topic does not exist; the error names it.
        faststream_sqs.QueueNotFoundError: The quarantine does not exist; the error names it.
    """
    metrics = IngestMetrics(life.registry)
    readings, quarantine = await _outboxes(settings, life, aws=aws or Aws(), metrics=metrics)
    source = MqttSource(
        settings,
        topic_filter=MQTT_READINGS_FILTER,
        shared_group=settings.mqtt_shared_group,
        clock=clock,
        on_connected=metrics.connections.inc,
    )
    metrics.observe(in_flight=lambda: source.in_flight, connected=lambda: source.connected)
    intake = Intake(
        source,
        batcher=Batcher(target_bytes=settings.batch_bytes, linger=settings.linger_ms / 1000),
        batch_bytes=settings.batch_bytes,
        readings=readings,
        quarantine=quarantine,
        metrics=metrics,
        clock=clock,
    )

    async def subscribed() -> None:
        if not source.connected:
            raise ConnectionError(f"no subscription at {settings.mqtt_url}")

    async def drain() -> None:
        await source.stop()
        await intake.ended.wait()
        await readings.drain()
        await quarantine.drain()
        await source.close()

    life.health.alive("mqtt", source.attempts)
    life.health.ready("mqtt", subscribed)
    life.background("mqtt", source.run)
    life.background("intake", intake.run)
    life.on_stop("intake and what it has begun", drain)


async def _outboxes(
    settings: IngestSettings, life: Lifecycle, *, aws: Aws, metrics: IngestMetrics
) -> tuple[Outbox, Outbox]:
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
