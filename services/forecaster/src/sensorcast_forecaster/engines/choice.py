"""Which engine forecasts: one setting."""

from typing import assert_never

from sensorcast_forecaster.builtin import BuiltinEngine
from sensorcast_forecaster.engine import Engine
from sensorcast_forecaster.engines.amazon.source import AmazonForecastSource
from sensorcast_forecaster.engines.amazon.states import BuildStates
from sensorcast_forecaster.engines.elsewhere import EngineElsewhere
from sensorcast_forecaster.engines.sagemaker import SageMakerSource
from sensorcast_forecaster.room import Room
from sensorcast_forecaster.training.shelf import ModelShelf, ShelvedEngine


async def chosen_engine(room: Room) -> Engine:
    """The engine that the settings name, with the built-in one behind it."""
    settings = room.settings
    match settings.engine:
        case "builtin":
            return _builtin(room)
        case "sagemaker":
            source = SageMakerSource(
                client=await room.life.enter(room.aws.client("sagemaker-runtime")),
                endpoint=settings.sagemaker_endpoint,
                series_per_request=settings.sagemaker_series_per_request,
                context_steps=settings.sagemaker_context_steps,
            )
            return EngineElsewhere(source, _builtin(room))
        case "amazon-forecast":
            asked = AmazonForecastSource(
                client=await room.life.enter(room.aws.client("forecastquery")),
                states=BuildStates(room.dynamodb, room.names),
                refresh_seconds=settings.model_refresh_seconds,
                clock=room.clock,
            )
            return EngineElsewhere(asked, _builtin(room))
        case _ as never:
            assert_never(never)


def _builtin(room: Room) -> Engine:
    settings = room.settings
    if not settings.boosted:
        return BuiltinEngine()
    shelf = ModelShelf(
        room.registry,
        max_age_days=settings.model_max_age_days,
        refresh_seconds=settings.model_refresh_seconds,
        clock=room.clock,
    )
    return ShelvedEngine(shelf=shelf, engine=BuiltinEngine(models=shelf))
