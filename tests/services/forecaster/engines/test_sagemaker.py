"""Forecasts of a Chronos endpoint, asked over HTTP as SageMaker is."""

import json
from dataclasses import replace
from statistics import NormalDist

import numpy as np
import pytest
from tests.servers.aws import REGION, AwsAccount
from tests.servers.chronos_endpoint import ChronosEndpoint
from tests.services.forecaster.engines.windows import window

from sensorcast_common.aws import Aws
from sensorcast_common.clock import from_millis
from sensorcast_common.forecast import Forecast
from sensorcast_forecaster.builtin import BuiltinEngine
from sensorcast_forecaster.engines import chronos
from sensorcast_forecaster.engines.elsewhere import EngineElsewhere
from sensorcast_forecaster.engines.sagemaker import SageMakerSource
from sensorcast_forecaster.window import SeriesWindow


async def forecasts(
    endpoint: ChronosEndpoint, windows: list[SeriesWindow], *, name: str = "chronos-bolt"
) -> list[Forecast]:
    account = AwsAccount(endpoint_url=endpoint.endpoint_url, account_id="1" * 12, access_key="a", secret_key="b")
    aws = Aws(session=account.session, region=REGION, endpoint_url=account.endpoint_url)
    async with aws.client("sagemaker-runtime") as client:
        source = SageMakerSource(client=client, endpoint=name, series_per_request=2)
        engine = EngineElsewhere(source, BuiltinEngine())
        made = await engine.forecast(windows, horizon_seconds=3600, known_at=windows[0].end)
    return [each for each in made if isinstance(each, Forecast)]


async def test_quantiles_are_the_endpoints_in_the_order_of_the_series() -> None:
    minutes = [window(f"truck-{seed}", seed=seed) for seed in (1, 2, 3)]
    quarters = window("room-1", seed=4, every_seconds=900, hours=48)
    async with ChronosEndpoint() as endpoint:
        made = await forecasts(endpoint, [minutes[0], quarters, *minutes[1:]])
        # Two batches of minutes and one of quarters: a request has one number of steps.
        asked = sorted((each["parameters"]["prediction_length"], len(each["inputs"])) for each in endpoint.requests)
        assert asked == [(4, 1), (60, 1), (60, 2)]
    for given, forecast in zip([minutes[0], quarters, *minutes[1:]], made, strict=True):
        assert forecast.series == given.series
        assert forecast.q50 == pytest.approx([given.values[-1]] * len(forecast.q50), abs=1e-3)
        spread = 0.1 * 1.2815515655446004 * np.sqrt(np.arange(1, len(forecast.q50) + 1))
        assert np.array(forecast.q90) - np.array(forecast.q50) == pytest.approx(spread, abs=1e-3)
        assert forecast.model == "sagemaker/1:chronos-bolt+ranks"
        assert forecast.fallback is None
        assert forecast.trained_at is None
        assert forecast.trained_to == forecast.window_to == from_millis(given.end)
        assert 0 <= forecast.risks[0].probability <= 1


async def test_the_risk_of_a_path_lies_between_that_of_its_worst_step_and_that_of_independent_steps() -> None:
    given = window()
    # One standard deviation above what is said of the last of 60 steps.
    limit = given.limits[0]._replace(threshold=float(given.values[-1]) + 0.1 * np.sqrt(60))
    async with ChronosEndpoint() as endpoint:
        (made,) = await forecasts(endpoint, [replace(given, limits=(limit,))])
    (risk,) = made.risks
    inside = [NormalDist().cdf(np.sqrt(60 / step)) for step in range(1, 61)]
    assert 1 - min(inside) - 0.01 <= risk.probability < 1 - np.prod(inside)
    assert risk.expected_at is not None


@pytest.mark.parametrize(
    ("refusing", "name", "reason"),
    [
        ("ModelError", "chronos-bolt", "sagemaker: chronos-bolt: ModelError"),
        (None, "another", "sagemaker: another: ValidationError"),
    ],
)
async def test_an_endpoint_that_fails_leaves_the_baseline_with_a_label(
    refusing: str | None, name: str, reason: str
) -> None:
    async with ChronosEndpoint(refusing=refusing) as endpoint:
        (made,) = await forecasts(endpoint, [window()], name=name)
    assert made.model.startswith("builtin/")
    assert made.fallback is not None
    assert made.fallback.startswith(reason)


async def test_an_endpoint_that_is_not_there_leaves_the_baseline_with_a_label() -> None:
    (made,) = await forecasts(ChronosEndpoint(endpoint_url="http://127.0.0.1:9"), [window()])
    assert made.fallback == "sagemaker: chronos-bolt: EndpointConnectionError"


def test_gaps_are_never_sent() -> None:
    values = np.arange(100.0)
    values[50] = np.nan
    assert chronos.context(values, most=200).tolist() == np.arange(100.0).tolist(), "49 values after it are few"
    values = np.arange(200.0)
    values[50] = np.nan
    assert chronos.context(values, most=500).tolist() == np.arange(51.0, 200.0).tolist()
    assert chronos.context(values, most=10).tolist() == np.arange(190.0, 200.0).tolist()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"0.9": [1.0]}, r"predictions.0.0.9: 1 values, 2 are expected"),
        ({"0.9": None}, "0.9"),
        ({"item_id": "7"}, "item_id 0 is missing"),
        ({"0.5": [1.0, float("nan")]}, "0.5"),
    ],
)
def test_an_answer_that_breaks_the_contract_is_refused_by_field(change: dict[str, object], field: str) -> None:
    good = {"item_id": "0", "mean": [1.0, 1.0], **{str(level): [1.0, 2.0] for level in chronos.LEVELS}}
    assert len(chronos.answers(json.dumps({"predictions": [good]}).encode(), series=1, steps=2)) == 1
    with pytest.raises(chronos.NotTheContract, match=field):
        chronos.answers(json.dumps({"predictions": [good | change]}).encode(), series=1, steps=2)
