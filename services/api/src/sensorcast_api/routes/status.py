"""How the pipeline is, for the people who run it."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request

from sensorcast_api import examples
from sensorcast_api.auth import Viewer
from sensorcast_api.status.models import ModelStatus
from sensorcast_api.status.pipeline import ForecastsStatus, Pipeline, PipelineStatus, ReadingsStatus
from sensorcast_api.status.queues import QueueStatus

router = APIRouter(prefix="/v1/status", tags=["status"])

_NOW: Final = examples.DEVICE.last_seen
_EXAMPLE: Final = PipelineStatus(
    now=_NOW,
    queues=[QueueStatus(queue="archive", waiting=3, in_work=12, oldest_seconds=4, dead_letters=0)],
    quarantined=2,
    readings=ReadingsStatus(devices=12, reporting=12, newest_at=_NOW, newest_seconds=3.2),
    forecasts=ForecastsStatus(series=24, fresh=24, newest_at=examples.FORECAST.known_at, models={"ets/1": 24}),
    models=[
        ModelStatus(
            model_id="20260528T022000Z-1f0c",
            metric="temperature",
            step_seconds=300,
            trained_to=examples.DEVICE.first_seen,
            relative_loss=0.71,
            coverage=0.81,
        )
    ],
)


async def _pipeline(request: Request) -> Pipeline:
    found = request.app.state.pipeline
    if not isinstance(found, Pipeline):
        raise TypeError("app.state.pipeline: not wired")
    return found


@router.get("", responses={200: examples.shown(_EXAMPLE), **examples.problems()})
async def get_status(caller: Viewer, pipeline: Annotated[Pipeline, Depends(_pipeline)]) -> PipelineStatus:
    """Queues, dead letters, quarantine, freshness of readings and forecasts, models in use; seconds old at most."""
    return await pipeline.status(caller.tenant)
