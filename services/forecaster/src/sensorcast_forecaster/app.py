"""Wires the forecaster: three queues in, tables, a bucket and a topic out."""

import sys
from collections.abc import Mapping, Sequence
from typing import Final

from faststream_sqs import SQSBroker, SQSMessage
from sensorcast_common.aws import Aws
from sensorcast_common.clock import Clock, system_clock, to_millis
from sensorcast_common.errors import Poison
from sensorcast_common.lifecycle import Lifecycle, serve
from sensorcast_common.names import Names
from sensorcast_common.queue import sqs_broker, start_broker
from sensorcast_forecaster.engine import Engine
from sensorcast_forecaster.engines.choice import chosen_engine
from sensorcast_forecaster.history import DENSE_SPACING_SECONDS, History, HistorySpan
from sensorcast_forecaster.kinds import FORECAST, job_kind, tick_kind
from sensorcast_forecaster.metrics import ForecasterMetrics
from sensorcast_forecaster.older import OlderPast
from sensorcast_forecaster.room import OnJob, OnTick, Room
from sensorcast_forecaster.service import JobHandler, TickHandler
from sensorcast_forecaster.settings import ForecasterSettings
from sensorcast_forecaster.traced import JobTraces
from sensorcast_forecaster.training.history import LakeHistory
from sensorcast_forecaster.training.registry import ModelRegistry
from sensorcast_forecaster.upkeep import upkeep

SERVICE: Final = "forecaster"

_HOUR_MS: Final = 3_600_000

JOB_VISIBILITY_SECONDS: Final = 60.0
"""How long a job stays hidden after the replica that held it has died."""


async def build(
    settings: ForecasterSettings,
    life: Lifecycle,
    *,
    aws: Aws | None = None,
    engine: Engine | None = None,
    clock: Clock = system_clock,
) -> SQSBroker:
    """Wire the service onto `life` and start it.

    Args:
        settings: The settings.
        life: What has been started and must be stopped.
        aws: Makes the clients; by default from the environment.
        engine: Who forecasts; by default as the settings say.
        clock: The present.

    Returns:
        The started broker.
    """
    aws = aws or Aws()
    names = Names(settings.stack)
    dynamodb = await life.enter(aws.client("dynamodb"))
    s3 = await life.enter(aws.client("s3"))
    bucket = await _models_bucket(aws, names)
    room = Room(
        settings=settings,
        life=life,
        aws=aws,
        names=names,
        dynamodb=dynamodb,
        s3=s3,
        broker=sqs_broker(service=SERVICE, aws=aws, life=life, drain_seconds=settings.drain_seconds),
        models_bucket=bucket,
        registry=ModelRegistry(dynamodb, s3, names, bucket=bucket),
        clock=clock,
    )
    ticks, shards = await _forecasting(room, engine or await chosen_engine(room))
    other_ticks, jobs = await upkeep(room)
    _subscribe(room, ticks={FORECAST: ticks, **other_ticks}, shards=shards, jobs=jobs)

    async def tables_answer() -> None:
        await room.rules.list("readiness")

    life.health.ready("dynamodb", tables_answer)
    await start_broker(room.broker, life)
    return room.broker


def _subscribe(room: Room, *, ticks: Mapping[str, OnTick], shards: OnJob, jobs: Mapping[str, OnJob]) -> None:
    names, broker = room.names, room.broker

    @broker.subscriber(names.queue_forecast_ticks)
    async def on_tick(message: SQSMessage) -> None:
        sent_at = room.clock() if message.sent_at is None else to_millis(message.sent_at)
        await ticks[tick_kind(message.body)].handle(message.body, sent_at=sent_at)

    @broker.subscriber(
        names.queue_forecast_jobs,
        max_workers=room.settings.jobs_at_once,
        # A job waits where any replica can take it, not in this one's buffer.
        prefetch=1,
        visibility_timeout=JOB_VISIBILITY_SECONDS,
    )
    async def on_shard(message: SQSMessage) -> None:
        await shards.handle(message.body)

    @broker.subscriber(names.queue_model_jobs, max_workers=2, prefetch=1, visibility_timeout=JOB_VISIBILITY_SECONDS)
    async def on_model_job(message: SQSMessage) -> None:
        kind = job_kind(message.body)
        if kind not in jobs:
            raise Poison(f"kind: {kind[:32]!r} is unknown here, known: {', '.join(jobs)}")
        await jobs[kind].handle(message.body)


async def _forecasting(room: Room, engine: Engine) -> tuple[TickHandler, JobHandler]:
    settings, metrics = room.settings, ForecasterMetrics(room.life.registry)
    topic = room.broker.publisher(topic=room.names.topic_forecasts)

    async def publish(texts: Sequence[str]) -> None:
        await topic.publish_batch(*texts)

    ticks = TickHandler(
        settings=settings,
        devices=room.devices,
        send_jobs=room.to_queue(room.names.queue_forecast_jobs),
        metrics=metrics,
        clock=room.clock,
    )
    shards = JobHandler(
        settings=settings,
        history=await _history(room),
        rules=room.rules,
        engine=engine,
        store=room.forecasts,
        publish=publish,
        metrics=metrics,
        clock=room.clock,
        link=JobTraces(room.readings).link,
    )
    return ticks, shards


async def _models_bucket(aws: Aws, names: Names) -> str:
    async with aws.client("sts") as sts:
        account = (await sts.get_caller_identity())["Account"]
        return names.models_bucket(account, sts.meta.region_name)


async def _history(room: Room) -> History:
    settings = room.settings
    span = HistorySpan(
        dense=round(settings.history_hours * _HOUR_MS), sparse=round(settings.sparse_history_hours * _HOUR_MS)
    )
    older = None
    if settings.lake_history_hours > settings.sparse_history_hours:
        older = OlderPast(
            LakeHistory(await room.life.enter(room.aws.client("athena")), room.s3, room.names),
            reach=round(settings.lake_history_hours * _HOUR_MS),
            hot=span.sparse,
            spacing_seconds=DENSE_SPACING_SECONDS,
            max_points=settings.history_points,
        )
    return History(room.readings, span=span, max_points=settings.history_points, older=older)


async def _build(settings: ForecasterSettings, life: Lifecycle) -> None:
    await build(settings, life)


def main() -> None:
    """Run the service."""
    sys.exit(serve(SERVICE, ForecasterSettings, _build))
