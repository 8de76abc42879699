"""From a training job to forecasts of Amazon Forecast, through crashes and repetitions."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest
from prometheus_client import CollectorRegistry
from tests.servers.amazon_forecast import AmazonForecastServer
from tests.servers.aws import DeployedStack

from sensorcast_common.aws import Aws
from sensorcast_common.clock import from_millis
from sensorcast_common.forecast import Forecast
from sensorcast_common.reading import SeriesKey
from sensorcast_forecaster.builtin import BuiltinEngine
from sensorcast_forecaster.engines.amazon.begin import AmazonTrainHandler
from sensorcast_forecaster.engines.amazon.build import BuildKey, Stage, State, build_id, horizon_for
from sensorcast_forecaster.engines.amazon.builder import BuildHandler
from sensorcast_forecaster.engines.amazon.export import by_step, files
from sensorcast_forecaster.engines.amazon.names import resource_name
from sensorcast_forecaster.engines.amazon.service import AmazonForecast
from sensorcast_forecaster.engines.amazon.source import AmazonForecastSource
from sensorcast_forecaster.engines.amazon.states import BuildStates
from sensorcast_forecaster.engines.elsewhere import EngineElsewhere
from sensorcast_forecaster.regularize import RawSeries, regularize
from sensorcast_forecaster.training.history import TrainingHistory
from sensorcast_forecaster.training.measure import TrainingMetrics
from sensorcast_forecaster.training.messages import TrainJob
from sensorcast_forecaster.window import Limit, SeriesWindow

if TYPE_CHECKING:
    from types_aiobotocore_dynamodb import DynamoDBClient
    from types_aiobotocore_s3 import S3Client

QUARTER = 900_000
HOUR = 3_600_000
DAY = 24 * HOUR
NOW = 4_102_876_800_000  # 2100-01-05T12:00:00Z, on the grid: what is stored does not outlive its time to live
KEY = BuildKey("acme", "temperature", 900)
DEVICES = ["room-1", "room-2"]


def room(device: str, *, until: int = NOW, days: float = 4) -> RawSeries:
    """A reading per quarter of an hour, some seconds after it, that cycles around 4."""
    ts = np.arange(until - round(days * DAY), until, QUARTER, dtype=np.int64) + 7000
    values = 4 + np.sin(ts / HOUR) + (0.5 if device == "room-2" else 0)
    return RawSeries(series=SeriesKey("acme", device, "temperature"), unit="Cel", ts=ts, values=values)


@dataclass
class Past(TrainingHistory):
    """What was measured until `now`."""

    now: int = NOW

    async def read(self, tenant: str, metric: str, devices: Sequence[str], *, start: int, end: int) -> list[RawSeries]:
        return [room(device, until=self.now) for device in devices]


@dataclass
class Room:
    """A forecaster that may be restarted at any time: nothing of it is kept between two messages."""

    aws: Aws
    dynamodb: "DynamoDBClient"
    s3: "S3Client"
    server: AmazonForecastServer
    stack: DeployedStack
    bucket: str
    past: Past = field(default_factory=Past)
    queue: list[str] = field(default_factory=list)

    @property
    def states(self) -> BuildStates:
        return BuildStates(self.dynamodb, self.stack.names)

    async def state(self) -> State:
        return (await self.states.get(KEY))[0]

    async def handle(self, text: str) -> None:
        """Give a message to a process that has just been started."""

        async def send_later(texts: Sequence[str]) -> None:
            self.queue += texts

        async with self.aws.client("forecast") as client:
            metrics = TrainingMetrics(CollectorRegistry())
            role = "arn:aws:iam::123456789012:role/sensorcast-amazon-forecast"
            builds = BuildHandler(
                amazon=AmazonForecast(client=client, stack="sensorcast", role_arn=role, clock=lambda: self.past.now),
                states=self.states,
                send_later=send_later,
                metrics=metrics,
                clock=lambda: self.past.now,
            )
            trains = AmazonTrainHandler(
                history=self.past,
                s3=self.s3,
                bucket=self.bucket,
                states=self.states,
                builds=builds,
                days=7,
                predictor_days=7,
                horizon_seconds=3600,
                metrics=metrics,
                clock=lambda: self.past.now,
            )
            await (trains if '"train"' in text else builds).handle(text)

    async def train(self, *, anew: bool = False) -> None:
        job = TrainJob(known_at=self.past.now, tenant="acme", metric="temperature", devices=DEVICES, anew=anew)
        await self.handle(job.text())

    async def finish(self) -> None:
        """Handle messages until none is left."""
        for _ in range(40):
            if not self.queue:
                return
            await self.handle(self.queue.pop(0))
        raise AssertionError(f"messages go on and on: {self.queue}")

    async def forecast(self, device: str = "room-2") -> Forecast:
        """What the engine says now."""
        window = regularize(
            room(device, until=self.past.now),
            known_at=self.past.now,
            max_steps=700,
            limits=(Limit("warm", "above", 9.0),),
        )
        assert isinstance(window, SeriesWindow)
        async with self.aws.client("forecastquery") as client:
            source = AmazonForecastSource(
                client=client, states=self.states, refresh_seconds=0, clock=lambda: self.past.now
            )
            engine = EngineElsewhere(source, BuiltinEngine())
            (made,) = await engine.forecast([window], horizon_seconds=3600, known_at=self.past.now)
        assert isinstance(made, Forecast)
        return made


@asynccontextmanager
async def running(stack: DeployedStack) -> AsyncIterator[Room]:
    async with stack.aws.client("dynamodb") as dynamodb, stack.aws.client("s3") as s3:

        async def read(path: str) -> list[str]:
            bucket, _, folder = path.removeprefix("s3://").partition("/")
            listed = await s3.list_objects_v2(Bucket=bucket, Prefix=folder)
            bodies = []
            for each in listed.get("Contents", []):
                answer = await s3.get_object(Bucket=bucket, Key=each["Key"])
                async with answer["Body"] as stream:
                    bodies.append((await stream.read()).decode())
            return bodies

        async with AmazonForecastServer(read) as server:
            aws = Aws(session=stack.account.session, region=stack.account.region, endpoint_url=server.endpoint_url)
            yield Room(aws, dynamodb, s3, server, stack, stack.outputs["ModelsBucketName"])


async def test_a_training_job_ends_in_forecasts_that_newer_history_keeps_up_to_date(stack: DeployedStack) -> None:
    async with running(stack) as here:
        before = await here.forecast()
        assert before.fallback is not None
        assert before.fallback.startswith("amazon-forecast: no forecast yet")
        await here.train()
        assert (await here.forecast()).model.startswith("builtin/")
        await here.finish()
        made = await here.forecast()
        first = build_id(NOW)
        assert made.model == f"amazon-forecast/1:autopredictor+ranks@{first}"
        last = float(room("room-2").values[-1])
        assert made.q50 == pytest.approx([last] * 4, abs=1e-3)
        assert np.array(made.q90) - np.array(made.q10) == pytest.approx([2.0] * 4, abs=1e-3)
        assert made.trained_at == from_millis(NOW)
        assert made.trained_to == from_millis(NOW - QUARTER + 7000)
        # What it was made of lies before what is known of the series by now.
        assert made.window_to == made.start - timedelta(seconds=900)
        assert [(risk.rule_id, risk.side) for risk in made.risks] == [("warm", "above")]
        (predictor,) = here.server.of("Predictor")
        # As far ahead as a quarter of four days allows.
        assert (predictor.request["ForecastHorizon"], predictor.request["ForecastFrequency"]) == (95, "15min")
        (config,) = predictor.request["DataConfig"]["AttributeConfigs"]
        # Left to itself, it adds readings up and takes what is missing for 0.
        assert config["Transformations"] == {
            "aggregation": "avg",
            "frontfill": "none",
            "middlefill": "nan",
            "backfill": "nan",
        }

        here.past.now += 6 * HOUR
        await here.train()
        await here.finish()
        newer = await here.forecast()
        assert newer.model == made.model, "the predictor is used again"
        assert newer.trained_to == from_millis(here.past.now - QUARTER + 7000)
        assert len(here.server.of("Predictor")) == len(here.server.of("Forecast")) == 1, "the older forecast is deleted"

        await here.train(anew=True)
        await here.finish()
        assert (await here.forecast()).model == made.model, "of one moment there is one build"
        here.past.now += HOUR
        await here.train(anew=True)
        await here.finish()
        assert (await here.forecast()).model.endswith(f"@{build_id(here.past.now)}")
        assert len(here.server.of("Predictor")) == len(here.server.of("Forecast")) == 1
        here.past.now += 30 * HOUR
        stale = await here.forecast()
        assert stale.fallback is not None
        assert "does not reach that far" in stale.fallback


async def test_what_was_made_before_a_crash_is_found_again_and_nothing_is_made_twice(stack: DeployedStack) -> None:
    kinds = ("Dataset", "DatasetGroup", "DatasetImportJob", "Predictor", "Forecast")
    operations = ["Create" + kind.replace("Predictor", "AutoPredictor") for kind in kinds]
    async with running(stack) as here:
        here.server.hang_up_after.update(operations)
        await here.train()
        message = here.queue[0]
        # SQS may deliver a message twice, and the training job too.
        await here.train()
        await here.handle(message)
        await here.finish()
        assert (await here.forecast()).model.startswith("amazon-forecast/")
        assert [len(here.server.of(kind)) for kind in kinds] == [1] * 5
        assert [here.server.calls.count(operation) for operation in operations] == [2] * 5


async def test_a_build_that_fails_says_why_and_leaves_what_was_there(stack: DeployedStack) -> None:
    async with running(stack) as here:
        await here.train()
        await here.finish()
        here.past.now += HOUR
        here.server.failing.add("DatasetImportJob")
        await here.train()
        await here.finish()
        state = await here.state()
        assert state.build is not None
        assert (state.build.stage, state.build.reason) == (Stage.FAILED, "importing: CREATE_FAILED")
        assert state.serving is not None
        assert state.serving.build_id == build_id(NOW)
        assert (await here.forecast()).model.endswith(f"@{build_id(NOW)}")


async def test_a_refusal_that_passes_is_waited_for_and_the_label_tells_how_far_the_build_is(
    stack: DeployedStack,
) -> None:
    async with running(stack) as here:
        here.server.refusing["CreateAutoPredictor"] = "ResourceInUseException"
        await here.train()
        for _ in range(4):
            await here.handle(here.queue.pop(0))
        assert (await here.forecast()).fallback == "amazon-forecast: no forecast yet, train is next"
        assert here.server.of("Predictor") == []
        del here.server.refusing["CreateAutoPredictor"]
        await here.finish()
        assert (await here.forecast()).model.startswith("amazon-forecast/")
        # What had been reached before was not done again.
        assert len(here.server.of("DatasetImportJob")) == here.server.calls.count("CreateDatasetImportJob") == 1


async def test_a_request_that_is_wrong_ends_its_build_with_the_reason(stack: DeployedStack) -> None:
    async with running(stack) as here:
        here.server.refusing["CreateForecast"] = "InvalidInputException"
        await here.train()
        await here.finish()
        build = (await here.state()).build
        assert build is not None
        assert build.reason == "forecast: InvalidInputException: CreateForecast is refused"
        # The next training begins anew.
        here.server.refusing.clear()
        here.past.now += HOUR
        await here.train()
        await here.finish()
        assert (await here.forecast()).model.endswith(f"@{build_id(here.past.now)}")


async def test_a_query_that_is_refused_leaves_the_baseline_with_a_label(stack: DeployedStack) -> None:
    async with running(stack) as here:
        await here.train()
        await here.finish()
        here.server.refusing["QueryForecast"] = "ResourceInUseException"
        made = await here.forecast()
        assert made.model.startswith("builtin/")
        assert (made.fallback or "").startswith("amazon-forecast: ResourceInUseException")


async def test_a_build_that_nobody_goes_on_with_is_replaced_after_a_day(stack: DeployedStack) -> None:
    async with running(stack) as here:
        await here.train()
        # The message that would go on with it is lost.
        here.queue.clear()
        here.past.now += 23 * HOUR
        await here.train()
        assert here.queue == [], "it is taken to be under way"
        here.past.now += 2 * HOUR
        await here.train()
        await here.finish()
        assert (await here.forecast()).model.endswith(f"@{build_id(here.past.now)}")


async def test_a_predictor_that_misleads_is_out_of_use_until_another_is_trained(stack: DeployedStack) -> None:
    async with running(stack) as here:
        await here.train()
        await here.finish()
        (watched,) = await here.states.watched("acme")
        assert watched == ("temperature", build_id(NOW), build_id(NOW))
        await here.states.distrust("acme", "temperature", watched.model_id, reason="covers too little")
        made = await here.forecast()
        assert (made.fallback or "").startswith("amazon-forecast: out of use: covers too little")
        assert await here.states.watched("acme") == []
        here.past.now += HOUR
        await here.train()
        await here.finish()
        assert (await here.forecast()).model.endswith(f"@{build_id(here.past.now)}")


def test_history_is_exported_as_means_of_steps_on_the_clock() -> None:
    ts = np.array([0, 300_000, 899_000, 900_000, 2_700_000, 3_600_000])
    raw = RawSeries(SeriesKey("acme", "a", "t"), "Cel", ts, np.array([1.0, 2.0, 6.0, 5.0, np.nan, 7.0]))
    (text,) = files([raw], step_seconds=900)
    assert text.splitlines() == ["a,1970-01-01 00:00:00,3", "a,1970-01-01 00:15:00,5", "a,1970-01-01 01:00:00,7"]
    quick, slower, slow = (replace(raw, ts=np.arange(6) * minutes * 60_000) for minutes in (1, 2, 15))
    assert by_step([quick, slower, slow]) == {60: [quick], 900: [slow]}, "there is no frequency of two minutes"


def test_names_are_allowed_there_and_tell_series_apart() -> None:
    keys = [BuildKey("acme", "temp.in", 60), BuildKey("acme", "temp:in", 60), BuildKey("acm", "etemp.in", 60)]
    names = [resource_name("sensorcast-production-eu", key, build_id(NOW)) for key in keys]
    assert len(set(names)) == 3
    assert all(len(name) <= 63 and name.replace("_", "").isalnum() for name in names)


def test_a_predictor_looks_as_far_ahead_as_it_may_or_is_not_trained() -> None:
    assert horizon_for(7 * 86_400, step_seconds=60, wanted=60) == 500
    assert horizon_for(4 * 86_400, step_seconds=900, wanted=4) == 96
    assert horizon_for(3 * 3600, step_seconds=60, wanted=60) is None
