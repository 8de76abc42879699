"""Builds go on: a message goes from stage to stage until there is a newer forecast to ask."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from botocore.exceptions import ClientError
from pydantic import BaseModel, ConfigDict, ValidationError

from sensorcast_common import logs
from sensorcast_common.clock import Clock
from sensorcast_common.errors import Poison
from sensorcast_common.invalid import first_problem
from sensorcast_forecaster.engines.amazon.build import Build, BuildKey, Stage, State
from sensorcast_forecaster.engines.amazon.service import AmazonForecast
from sensorcast_forecaster.engines.amazon.states import BuildStates, StateChanged
from sensorcast_forecaster.training.measure import TrainingMetrics

SCHEMA_VERSION: Final = 1

_PASSES: Final = frozenset({"LimitExceededException", "ThrottlingException", "ResourceInUseException"})
"""Refusals that pass: what is wrong with a request does not, and ends the build."""

log = logs.logger(__name__)

Send = Callable[[Sequence[str]], Awaitable[None]]


class BuildJob(BaseModel):
    """Go on with a build.

    Attributes:
        kind: Tells it from other jobs.
        schema_version: Of this message.
        tenant: Whose.
        metric: Which.
        step_seconds: Which.
        build_id: The build; where another has taken its place, there is nothing to do.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["build"] = "build"
    schema_version: Literal[1] = SCHEMA_VERSION
    tenant: str
    metric: str
    step_seconds: int
    build_id: str

    @classmethod
    def parse(cls, text: str | bytes) -> "BuildJob":
        """Read a job from its message.

        Raises:
            Poison: The text is not such a job of a known version; the reason names the field.
        """
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            raise Poison(first_problem(error)) from error

    def text(self) -> str:
        """The message as it is sent."""
        return self.model_dump_json()


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildHandler:
    """Goes on with a build until Amazon Forecast is at work, and comes back later.

    The message that is worked on is deleted only after its successor was accepted, and what was reached is stored after
    every stage, so that a build survives any crash and goes on where it was.

    Attributes:
        amazon: Does the stages.
        states: Where builds are kept.
        send_later: To the queue of model jobs, shown after a minute or so.
        metrics: Of training.
        clock: The present.
    """

    amazon: AmazonForecast
    states: BuildStates
    send_later: Send
    metrics: TrainingMetrics
    clock: Clock

    async def handle(self, text: str | bytes) -> None:
        """Go on with a build.

        Raises:
            Poison: The message is not such a job.
        """
        job = BuildJob.parse(text)
        key = BuildKey(job.tenant, job.metric, job.step_seconds)
        state, version = await self.states.get(key)
        if state.build is None or state.build.build_id != job.build_id:
            log.info("build replaced", tenant=key.tenant, metric=key.metric, build=job.build_id)
            return
        try:
            state = await self._go_on(key, state, version)
        except StateChanged:
            # The message was delivered twice; whoever was faster has sent its successor.
            log.info("build in other hands", tenant=key.tenant, metric=key.metric, build=job.build_id)
            return
        if not (state.build is None or state.build.stage.over) or state.retired:
            await self.send_later([job.text()])

    async def _go_on(self, key: BuildKey, state: State, version: int) -> State:
        while (build := state.build) is not None and not build.stage.over:
            further = await self._next(key, build)
            if further == build:
                return state
            state = state.with_build(further)
            version = await self.states.put(key, state, version=version)
            self._tell(key, further)
        return await self._clean(key, state, version)

    async def _next(self, key: BuildKey, build: Build) -> Build:
        try:
            return await self.amazon.go_on(key, build)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in _PASSES:
                log.info("build waits", tenant=key.tenant, metric=key.metric, stage=build.stage, reason=code)
                return build
            if code.endswith(("InputException", "NotFoundException")):
                reason = f"{build.stage}: {code}: {error.response['Error'].get('Message', '')}"
                return build.reached(Stage.FAILED, now=self.clock(), reason=reason)
            raise

    async def _clean(self, key: BuildKey, state: State, version: int) -> State:
        """Delete what was replaced: it costs money and counts against quotas. What is still in use stays for later."""
        left = tuple([arn for arn in state.retired if not await self.amazon.let_go(arn)])
        if left != state.retired:
            state = state.model_copy(update={"retired": left})
            await self.states.put(key, state, version=version)
        return state

    def _tell(self, key: BuildKey, build: Build) -> None:
        log.info(
            "build goes on",
            tenant=key.tenant,
            metric=key.metric,
            step_s=key.step_seconds,
            build=build.build_id,
            stage=build.stage,
            reason=build.reason,
        )
        if build.stage.over:
            self.metrics.trainings.labels("promoted" if build.stage is Stage.DONE else "rejected").inc()
