"""One setting chooses the engine, and what it lacks is named at the start."""

import pytest
from pydantic import ValidationError
from tests.servers.aws import DeployedStack

from sensorcast_common.lifecycle import Lifecycle
from sensorcast_forecaster.app import build
from sensorcast_forecaster.settings import ForecasterSettings

ROLE = "arn:aws:iam::123456789012:role/sensorcast-amazon-forecast"


@pytest.mark.parametrize(
    ("settings", "variable"),
    [
        ({"engine": "sagemaker"}, "SENSORCAST_SAGEMAKER_ENDPOINT"),
        ({"engine": "sagemaker", "sagemaker_endpoint": "not a name"}, "sagemaker_endpoint"),
        ({"engine": "amazon-forecast"}, "SENSORCAST_AMAZON_FORECAST_ROLE_ARN"),
        ({"engine": "amazon-forecast", "amazon_forecast_role_arn": "role"}, "amazon_forecast_role_arn"),
        ({"engine": "prophet"}, "engine"),
    ],
)
def test_what_an_engine_lacks_is_named(settings: dict[str, str], variable: str) -> None:
    with pytest.raises(ValidationError, match=variable):
        ForecasterSettings.model_validate(settings)


async def test_each_engine_starts(stack: DeployedStack) -> None:
    for settings in (
        ForecasterSettings(engine="sagemaker", sagemaker_endpoint="chronos", drain_seconds=5),
        ForecasterSettings(engine="amazon-forecast", amazon_forecast_role_arn=ROLE, drain_seconds=5),
        ForecasterSettings(boosted=True, drain_seconds=5),
    ):
        life = Lifecycle(drain_seconds=5)
        await build(settings, life, aws=stack.aws)
        assert await life.health.unready() == {}
        assert await life.close() == 0
