"""A build: what must happen at Amazon Forecast, one after the other, until there is a newer forecast to ask."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Final, Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field

from sensorcast_common.clock import UtcDatetime, from_millis, to_millis

FREQUENCIES: Final = {60: "1min", 300: "5min", 600: "10min", 900: "15min"}
"""Steps in seconds that a dataset may have, as Amazon Forecast writes them."""

MOST_STEPS: Final = 500
_ID: Final = "%Y%m%dT%H%M%SZ"
_DATASET_SHARE: Final = 4
"""A forecast may look a quarter of its dataset ahead, and `MOST_STEPS`."""


class Stage(StrEnum):
    """What comes next."""

    DATASET = "dataset"
    GROUP = "group"
    IMPORT = "import"
    IMPORTING = "importing"
    TRAIN = "train"
    TRAINING = "training"
    FORECAST = "forecast"
    FORECASTING = "forecasting"
    DONE = "done"
    FAILED = "failed"

    @property
    def waits(self) -> bool:
        """Whether Amazon Forecast is at work, so that looking again at once is of no use."""
        return self in {Stage.IMPORTING, Stage.TRAINING, Stage.FORECASTING}

    @property
    def over(self) -> bool:
        """Whether nothing more comes."""
        return self in {Stage.DONE, Stage.FAILED}


class BuildKey(NamedTuple):
    """Which series a build is for.

    Attributes:
        tenant: Whose.
        metric: Which of them.
        step_seconds: Those with this step.
    """

    tenant: str
    metric: str
    step_seconds: int


class Build(BaseModel):
    """A build on its way; kept after every stage, so that any process can go on with it.

    Attributes:
        build_id: Sorts by the time it was asked for.
        stage: What comes next.
        path: Folder of the exported history, `s3://...`.
        horizon: Steps ahead, of a predictor that is trained.
        trained_from: First reading exported.
        trained_to: Last reading exported: what the forecast knows.
        dataset: ARN, once it is there.
        group: ARN of the dataset group, once it is there.
        imported: ARN of the import, once it was begun.
        predictor: ARN; given from the beginning where an earlier one is used again.
        predictor_id: Build that trained it.
        forecast: ARN, once it was begun.
        stage_since: When the stage was reached.
        reason: Why it failed.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    build_id: str
    stage: Stage = Stage.DATASET
    path: str
    horizon: Annotated[int, Field(gt=0)]
    trained_from: UtcDatetime
    trained_to: UtcDatetime
    dataset: str | None = None
    group: str | None = None
    imported: str | None = None
    predictor: str | None = None
    predictor_id: str
    forecast: str | None = None
    stage_since: UtcDatetime
    reason: str | None = None

    def reached(self, stage: Stage, *, now: int, **known: str) -> Self:
        """The build at its next stage.

        Args:
            stage: Which.
            now: Milliseconds since 1970 UTC.
            **known: ARNs or the reason, by field.
        """
        return self.model_copy(update={"stage": stage, "stage_since": from_millis(now), **known})

    def after_import(self) -> Stage:
        """A predictor that is there already is used again: it forecasts from what was imported last."""
        return Stage.FORECAST if self.predictor else Stage.TRAIN


class Serving(BaseModel):
    """The forecast that is asked.

    Attributes:
        build_id: That made it.
        forecast: ARN.
        predictor: ARN.
        predictor_id: Build that trained the predictor; what stands after `@` in a forecast's model.
        horizon: Steps ahead of `trained_to`, of the predictor.
        trained_from: First reading it rests on.
        trained_to: Last reading it rests on.
        unhealthy: Why it is out of use; absent where it is in use.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    build_id: str
    forecast: str
    predictor: str
    predictor_id: str
    horizon: int
    trained_from: UtcDatetime
    trained_to: UtcDatetime
    unhealthy: str | None = None

    @classmethod
    def of(cls, build: Build) -> Self:
        """Of a build that is done.

        Raises:
            ValueError: It has no forecast, or no predictor.
        """
        if build.forecast is None or build.predictor is None:
            raise ValueError(f"build {build.build_id}: forecast or predictor is missing")
        return cls(
            build_id=build.build_id,
            forecast=build.forecast,
            predictor=build.predictor,
            predictor_id=build.predictor_id,
            horizon=build.horizon,
            trained_from=build.trained_from,
            trained_to=build.trained_to,
        )


class State(BaseModel):
    """Everything that is kept of one tenant, metric and step.

    Attributes:
        schema_version: Of this record.
        serving: What is asked, if anything is.
        build: What is on its way, or how the last one ended.
        retired: ARNs of forecasts and predictors that were replaced and are to be deleted, in that order.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    schema_version: Literal[1] = 1
    serving: Serving | None = None
    build: Build | None = None
    retired: tuple[str, ...] = ()

    def beginning(self, build: Build) -> Self:
        """With a new build."""
        return self.model_copy(update={"build": build})

    def with_build(self, build: Build) -> Self:
        """With the build a stage further; one that is done is what is asked from now on, and what it replaces goes."""
        if build.stage is not Stage.DONE:
            return self.model_copy(update={"build": build})
        serving, before = Serving.of(build), self.serving
        retired = list(self.retired)
        if before is not None:
            retired.append(before.forecast)
            if before.predictor != serving.predictor:
                retired.append(before.predictor)
        return self.model_copy(update={"build": build, "serving": serving, "retired": tuple(retired)})


def is_stuck(build: Build, *, now: int, hours: float) -> bool:
    """Tell whether a build has been at one stage for so long that nobody is going on with it any more."""
    return now - to_millis(build.stage_since) > hours * 3_600_000


def trains_anew(serving: Serving | None, *, now: int, predictor_days: float, asked: bool) -> bool:
    """Tell whether a build trains a predictor, or imports newer history and forecasts with the one that is there.

    Args:
        serving: What is there.
        now: Milliseconds since 1970 UTC.
        predictor_days: After how long a predictor is trained anew.
        asked: Whether it has drifted.
    """
    if serving is None or serving.unhealthy is not None or asked:
        return True
    return serving.predictor_id < build_id(round(now - predictor_days * 86_400_000))


def build_id(millis: int) -> str:
    """Names a build, by the time it was asked for, in milliseconds since 1970 UTC."""
    return f"{from_millis(max(0, millis)):{_ID}}"


def build_time(name: str) -> int:
    """When a build was asked for, in milliseconds since 1970 UTC; see `build_id`.

    Raises:
        ValueError: This is not the name of a build.
    """
    return to_millis(datetime.strptime(name, _ID).replace(tzinfo=UTC))


def horizon_for(span_seconds: float, *, step_seconds: int, wanted: int) -> int | None:
    """Steps ahead that a predictor is trained for: as many as are allowed, since a forecast ages until the next one.

    Args:
        span_seconds: From the first to the last reading of the dataset.
        step_seconds: Its step.
        wanted: Steps that a forecast needs at least.

    Returns:
        `None` where fewer than `wanted` are allowed.
    """
    allowed = min(MOST_STEPS, int(span_seconds / step_seconds) // _DATASET_SHARE)
    return allowed if allowed >= wanted else None
