"""Wires the forecaster: two queues in, tables, a bucket and a topic out."""

import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import Final

from faststream_sqs import SQSBroker, SQSMessage
from sensorcast_common.aws import Aws
from sensorcast_common.clock import Clock, system_clock, to_millis
from sensorcast_common.lifecycle import Lifecycle, serve
from sensorcast_common.names import Names
from sensorcast_common.queue import sqs_broker, start_broker
from sensorcast_common.tables.devices import DevicesTable
from sensorcast_common.tables.forecasts import ForecastsTable
from sensorcast_common.tables.hot_store import HotStore
from sensorcast_common.tables.rules import RulesTable
from sensorcast_forecaster.builtin import BuiltinEngine
from sensorcast_forecaster.engine import Engine
from sensorcast_forecaster.history import History, HistorySpan
from sensorcast_forecaster.metrics import ForecasterMetrics
from sensorcast_forecaster.service import JobHandler, TickHandler
from sensorcast_forecaster.settings import ForecasterSettings
from sensorcast_forecaster.training.history import HotHistory, LakeHistory, TrainingHistory
from sensorcast_forecaster.training.measure import TrainingMetrics
from sensorcast_forecaster.training.messages import asks_to_train
from sensorcast_forecaster.training.registry import ModelRegistry
from sensorcast_forecaster.training.shelf import ModelShelf, ShelvedEngine
from sensorcast_forecaster.training.ticks import TrainTickHandler
from sensorcast_forecaster.training.train import TrainHandler

SERVICE: Final = "forecaster"

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
        engine: Who forecasts; the built-in one by default.
        clock: The present.

    Returns:
        The started broker.
    """
    aws = aws or Aws()
    names = Names(settings.stack)
    client = await life.enter(aws.client("dynamodb"))
    metrics = ForecasterMetrics(life.registry)
    rules = RulesTable(client, names)
    forecasts = ForecastsTable(client, names, ttl_seconds=round(settings.forecast_ttl_days * 86_400))
    broker = sqs_broker(service=SERVICE, aws=aws, life=life, drain_seconds=settings.drain_seconds)
    jobs, topic = broker.publisher(names.queue_forecast_jobs), broker.publisher(topic=names.topic_forecasts)

    async def send_jobs(texts: Sequence[str]) -> None:
        await jobs.publish_batch(*texts)

    async def publish(texts: Sequence[str]) -> None:
        await topic.publish_batch(*texts)

    ticks = TickHandler(
        settings=settings,
        devices=DevicesTable(client, names),
        send_jobs=send_jobs,
        metrics=metrics,
        clock=clock,
    )
    store = HotStore(client, names)
    registry = ModelRegistry(client, await life.enter(aws.client("s3")), names, bucket=await _models_bucket(aws, names))
    shards = JobHandler(
        settings=settings,
        history=History(store, span=_span(settings), max_points=settings.history_points),
        rules=rules,
        engine=engine or _builtin(settings, registry, clock),
        store=forecasts,
        publish=publish,
        metrics=metrics,
        clock=clock,
    )

    train_metrics = TrainingMetrics(life.registry)
    train_ticks = TrainTickHandler(
        devices=DevicesTable(client, names),
        send_jobs=send_jobs,
        max_series=settings.train_series,
        metrics=train_metrics,
        clock=clock,
    )
    trainings = TrainHandler(
        history=await _training_history(settings, life, aws, names, store),
        registry=registry,
        days=settings.train_days,
        horizon_seconds=settings.horizon_minutes * 60,
        max_rows=settings.train_rows,
        code_version=version("sensorcast-forecaster"),
        metrics=train_metrics,
        clock=clock,
    )

    @broker.subscriber(names.queue_forecast_ticks)
    async def on_tick(message: SQSMessage) -> None:
        sent_at = clock() if message.sent_at is None else to_millis(message.sent_at)
        handler = train_ticks if asks_to_train(message.body) else ticks
        await handler.handle(message.body, sent_at=sent_at)

    @broker.subscriber(
        names.queue_forecast_jobs,
        max_workers=settings.jobs_at_once,
        # A job waits where any replica can take it, not in this one's buffer.
        prefetch=1,
        visibility_timeout=JOB_VISIBILITY_SECONDS,
    )
    async def on_job(message: SQSMessage) -> None:
        handler = trainings if asks_to_train(message.body) else shards
        await handler.handle(message.body)

    async def tables_answer() -> None:
        await rules.list("readiness")

    life.health.ready("dynamodb", tables_answer)
    await start_broker(broker, life)
    return broker


async def _models_bucket(aws: Aws, names: Names) -> str:
    async with aws.client("sts") as sts:
        account = (await sts.get_caller_identity())["Account"]
        return names.models_bucket(account, sts.meta.region_name)


async def _training_history(
    settings: ForecasterSettings, life: Lifecycle, aws: Aws, names: Names, store: HotStore
) -> TrainingHistory:
    if settings.train_days <= settings.hot_ttl_days:
        return HotHistory(store)
    return LakeHistory(await life.enter(aws.client("athena")), await life.enter(aws.client("s3")), names)


def _builtin(settings: ForecasterSettings, registry: ModelRegistry, clock: Clock) -> Engine:
    if not settings.boosted:
        return BuiltinEngine()
    shelf = ModelShelf(
        registry,
        max_age_days=settings.model_max_age_days,
        refresh_seconds=settings.model_refresh_seconds,
        clock=clock,
    )
    return ShelvedEngine(shelf=shelf, engine=BuiltinEngine(models=shelf))


def _span(settings: ForecasterSettings) -> HistorySpan:
    hour = 3_600_000
    return HistorySpan(dense=round(settings.history_hours * hour), sparse=round(settings.sparse_history_hours * hour))


async def _build(settings: ForecasterSettings, life: Lifecycle) -> None:
    await build(settings, life)


def main() -> None:
    """Run the service."""
    sys.exit(serve(SERVICE, ForecasterSettings, _build))
