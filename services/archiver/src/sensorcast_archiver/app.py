"""The archiver service: queue `archive` to the hot store and the lake."""

import sys
from functools import partial

from opentelemetry import trace

from faststream_sqs import SQSBroker
from faststream_sqs.annotations import SQSMessage
from sensorcast_archiver.archive import Archive, HotPort, LakePort, Store
from sensorcast_archiver.hot import HotWriter
from sensorcast_archiver.lake.catalog import open_table
from sensorcast_archiver.lake.opening import lake_properties
from sensorcast_archiver.lake.thread import LakeThread
from sensorcast_archiver.lake.write import LakeWriter
from sensorcast_archiver.metrics import ArchiverMetrics
from sensorcast_archiver.settings import ArchiverSettings
from sensorcast_archiver.sightings import SeenDevices
from sensorcast_archiver.watermark import Watermark
from sensorcast_common.aws import Aws
from sensorcast_common.batch import ReadingBatch
from sensorcast_common.clock import system_clock
from sensorcast_common.envelope import Envelope
from sensorcast_common.identity import new_id
from sensorcast_common.lifecycle import Lifecycle, serve
from sensorcast_common.names import Names
from sensorcast_common.queue import sqs_broker, start_broker
from sensorcast_common.tables.devices import DevicesTable
from sensorcast_common.tables.hot_store import HotStore
from sensorcast_common.tables.watermarks import WatermarksTable
from sensorcast_common.tracing import traceparent_of

_SETTLE_SECONDS = 2.0
"""What the drain leaves for the last deletions."""


async def build(
    settings: ArchiverSettings,
    life: Lifecycle,
    *,
    aws: Aws | None = None,
    hot: HotPort | None = None,
    lake: LakePort | None = None,
) -> None:
    """Wire the service onto `life`.

    Args:
        settings: The settings.
        life: What is started is stopped by it.
        aws: Session, region and endpoint; the default chain if `None`.
        hot: The hot store; DynamoDB if `None`.
        lake: The lake; S3 Tables if `None`.
    """
    aws = aws or Aws()
    names = Names(stack=settings.stack)
    metrics = ArchiverMetrics(life.registry)
    if lake is None:
        lake = await life.enter(LakeThread(await _lake_opener(settings, aws, names)))
    archive = Archive(
        hot=hot or await _open_hot(settings, life, aws, names, metrics),
        lake=lake,
        limits=settings.limits,
        metrics=metrics,
    )
    life.background("hot store", archive.run_hot)
    life.background("lake", archive.run_lake)
    life.background("renewals", archive.run_renewals)
    life.health.ready("hot store", partial(archive.check, Store.HOT))
    life.health.ready("lake", partial(archive.check, Store.LAKE))
    await _tell_how_far(settings, life, aws, names, archive)
    drain_seconds = max(settings.drain_seconds / 2, settings.drain_seconds - _SETTLE_SECONDS)
    broker = sqs_broker(service="archiver", aws=aws, life=life, drain_seconds=drain_seconds)
    _subscribe(broker, settings, names, archive)
    await start_broker(broker, life)

    async def hurry() -> None:
        archive.hurry()

    life.on_stop("write what is held", hurry)


def _subscribe(broker: SQSBroker, settings: ArchiverSettings, names: Names, archive: Archive) -> None:
    @broker.subscriber(
        names.queue_archive,
        # A message is being handled until its readings are stored, so this is how many are held.
        max_workers=2 * settings.lake_commit_batches,
        pollers=2,
        visibility_timeout=settings.visibility,
        dead_letter_queue=names.dead_letter(names.queue_archive),
        title="archive",
        description="Reading batches; deleted once the hot store and the lake hold them.",
    )
    async def store_batch(message: SQSMessage) -> None:
        await archive.room()
        span = trace.get_current_span()
        await archive.hold(
            ReadingBatch.decode(Envelope.parse(message.body)),
            on_stored=lambda store: span.add_event(f"stored in {store}"),
            trace=traceparent_of(span) if span.is_recording() else None,
        )


async def _open_hot(
    settings: ArchiverSettings, life: Lifecycle, aws: Aws, names: Names, metrics: ArchiverMetrics
) -> HotWriter:
    dynamodb = await life.enter(aws.client("dynamodb"))

    async def tables_answer() -> None:
        await dynamodb.describe_table(TableName=names.table_readings)

    life.health.ready("dynamodb", tables_answer)
    return HotWriter(
        store=HotStore(dynamodb, names, ttl_days=settings.hot_ttl_days),
        devices=DevicesTable(dynamodb, names),
        seen=SeenDevices(capacity=settings.seen_devices),
        metrics=metrics,
    )


async def _tell_how_far(settings: ArchiverSettings, life: Lifecycle, aws: Aws, names: Names, archive: Archive) -> None:
    watermark = Watermark(
        WatermarksTable(await life.enter(aws.client("dynamodb")), names),
        archiver=new_id(),
        state=archive.behind,
        visibility_seconds=settings.visibility,
        clock=system_clock,
        every=settings.lake_commit_seconds,
    )
    life.on_stop("tell how far the lake is", watermark.leave)
    life.background("watermark", watermark.run)


async def _lake_opener(settings: ArchiverSettings, aws: Aws, names: Names) -> "partial[LakeWriter]":
    properties = await lake_properties(settings, aws, names)
    return partial(_open_lake, properties, names, round(settings.lake_lookback_hours * 3_600_000))


def _open_lake(properties: dict[str, str], names: Names, lookback_ms: int) -> LakeWriter:
    table = open_table(properties, namespace=names.lake_namespace, name=names.lake_readings)
    return LakeWriter(table, lookback_ms=lookback_ms)


def main() -> None:
    """Run the service."""
    sys.exit(serve("archiver", ArchiverSettings, build))
