"""Wires what keeps forecasts good: scoring, training, review."""

from collections.abc import Mapping
from importlib.metadata import version
from typing import Final

from sensorcast_forecaster.engines.amazon.begin import AmazonTrainHandler
from sensorcast_forecaster.engines.amazon.builder import BuildHandler
from sensorcast_forecaster.engines.amazon.service import AmazonForecast
from sensorcast_forecaster.engines.amazon.states import BuildStates
from sensorcast_forecaster.kinds import BUILD, REVIEW, SCORE, TRAIN
from sensorcast_forecaster.room import OnJob, OnTick, Room
from sensorcast_forecaster.scoring.measure import ScoringMetrics
from sensorcast_forecaster.scoring.score import ScoreHandler, ScoreTickHandler
from sensorcast_forecaster.training.history import HotHistory, LakeHistory, TrainingHistory
from sensorcast_forecaster.training.joined import JoinedHistory
from sensorcast_forecaster.training.measure import TrainingMetrics
from sensorcast_forecaster.training.ticks import TrainTickHandler
from sensorcast_forecaster.training.train import TrainHandler
from sensorcast_forecaster.training.watch import ReviewHandler, TrainedModels

REVIEW_DELAY_SECONDS: Final = 600
"""An hour's scoring is usually done by then, so that its models can be reviewed; what is not counts an hour later."""

BUILD_DELAY_SECONDS: Final = 60
"""How often a build at Amazon Forecast, which takes hours, is looked at."""


async def upkeep(room: Room) -> tuple[Mapping[str, OnTick], Mapping[str, OnJob]]:
    """What handles ticks and jobs, by kind."""
    settings, metrics = room.settings, TrainingMetrics(room.life.registry)
    send_jobs = room.to_queue(room.names.queue_model_jobs)
    train_ticks = TrainTickHandler(
        devices=room.devices,
        send_jobs=send_jobs,
        max_series=settings.train_series,
        metrics=metrics,
        clock=room.clock,
    )
    score_ticks, scorings = _scoring(room)
    models: TrainedModels
    if settings.engine == "amazon-forecast":
        models, trainers = BuildStates(room.dynamodb, room.names), await _amazon(room, metrics)
    else:
        models, trainers = room.registry, {TRAIN: await _boosting(room, metrics)}
    reviews = ReviewHandler(
        models=models,
        skill=room.skill,
        devices=room.devices,
        send_jobs=send_jobs,
        max_series=settings.train_series,
        metrics=metrics,
        clock=room.clock,
    )
    return {TRAIN: train_ticks, SCORE: score_ticks}, {SCORE: scorings, REVIEW: reviews, **trainers}


async def _boosting(room: Room, metrics: TrainingMetrics) -> OnJob:
    return TrainHandler(
        history=await _training_history(room),
        registry=room.registry,
        days=room.settings.train_days,
        horizon_seconds=room.settings.horizon_minutes * 60,
        max_rows=room.settings.train_rows,
        code_version=version("sensorcast-forecaster"),
        metrics=metrics,
        clock=room.clock,
    )


async def _amazon(room: Room, metrics: TrainingMetrics) -> Mapping[str, OnJob]:
    states = BuildStates(room.dynamodb, room.names)
    builds = BuildHandler(
        amazon=AmazonForecast(
            client=await room.life.enter(room.aws.client("forecast")),
            stack=room.names.stack,
            role_arn=room.settings.amazon_forecast_role_arn,
            clock=room.clock,
        ),
        states=states,
        send_later=room.to_queue(room.names.queue_model_jobs, delay=BUILD_DELAY_SECONDS),
        metrics=metrics,
        clock=room.clock,
    )
    trainings = AmazonTrainHandler(
        history=await _training_history(room),
        s3=room.s3,
        bucket=room.models_bucket,
        states=states,
        builds=builds,
        days=room.settings.train_days,
        predictor_days=room.settings.amazon_forecast_predictor_days,
        horizon_seconds=room.settings.horizon_minutes * 60,
        metrics=metrics,
        clock=room.clock,
    )
    return {TRAIN: trainings, BUILD: builds}


def _scoring(room: Room) -> tuple[ScoreTickHandler, ScoreHandler]:
    settings, metrics = room.settings, ScoringMetrics(room.life.registry)
    keep_seconds = min(settings.forecast_ttl_days, settings.hot_ttl_days) * 86_400
    ticks = ScoreTickHandler(
        devices=room.devices,
        send_jobs=room.to_queue(room.names.queue_model_jobs),
        send_later=room.to_queue(room.names.queue_model_jobs, delay=REVIEW_DELAY_SECONDS),
        horizon_ms=room.horizon_ms,
        grace_ms=round(settings.score_grace_minutes * 60_000),
        keep_seconds=keep_seconds,
        metrics=metrics,
        clock=room.clock,
    )
    scorings = ScoreHandler(
        forecasts=room.forecasts,
        readings=room.readings,
        rules=room.rules,
        skill=room.skill,
        horizon_ms=room.horizon_ms,
        keep_seconds=keep_seconds,
        metrics=metrics,
        clock=room.clock,
    )
    return ticks, scorings


async def _training_history(room: Room) -> TrainingHistory:
    hot, settings = HotHistory(room.readings), room.settings
    if settings.train_days <= settings.hot_ttl_days:
        return hot
    lake = LakeHistory(await room.life.enter(room.aws.client("athena")), room.s3, room.names)
    return JoinedHistory(hot, lake, hot_days=settings.hot_ttl_days, max_points=settings.train_points)
