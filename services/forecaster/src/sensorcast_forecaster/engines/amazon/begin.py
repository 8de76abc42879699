"""From a training job to builds: history is exported for Amazon Forecast, and what follows is begun."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sensorcast_common import logs
from sensorcast_common.clock import Clock, from_millis
from sensorcast_forecaster.engines.amazon.build import (
    Build,
    BuildKey,
    State,
    build_id,
    horizon_for,
    is_stuck,
    trains_anew,
)
from sensorcast_forecaster.engines.amazon.builder import BuildHandler, BuildJob
from sensorcast_forecaster.engines.amazon.export import by_step, files
from sensorcast_forecaster.engines.amazon.states import BuildStates, StateChanged
from sensorcast_forecaster.regularize import RawSeries
from sensorcast_forecaster.schedule import is_late
from sensorcast_forecaster.training.history import TrainingHistory
from sensorcast_forecaster.training.measure import TrainingMetrics
from sensorcast_forecaster.training.messages import TrainJob

if TYPE_CHECKING:
    from types_aiobotocore_s3 import S3Client

_LATE_SECONDS: Final = 12 * 3600.0
_STUCK_HOURS: Final = 24.0
_DAY_MS: Final = 86_400_000

log = logs.logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class AmazonTrainHandler:
    """Begins builds: of each step of a tenant and metric one.

    Attributes:
        history: Where the past comes from.
        s3: An open client.
        bucket: The bucket of models; the export goes below `amazon-forecast/`.
        states: Where builds are kept.
        builds: Goes on with what was begun.
        days: Past that is exported.
        predictor_days: After how long a predictor is trained anew; before, newer history is imported for it.
        horizon_seconds: How far ahead a forecast must look at least.
        metrics: Of training.
        clock: The present.
    """

    history: TrainingHistory
    s3: "S3Client"
    bucket: str
    states: BuildStates
    builds: BuildHandler
    days: float
    predictor_days: float
    horizon_seconds: int
    metrics: TrainingMetrics
    clock: Clock

    async def handle(self, text: str | bytes) -> None:
        """Begin builds, or go on with those that this message began before a crash.

        Raises:
            Poison: The message is not a training job.
        """
        job = TrainJob.parse(text)
        if is_late(job.known_at, now=self.clock(), max_age_seconds=_LATE_SECONDS):
            self.metrics.trainings.labels("late").inc()
            log.warning("training skipped", reason="late", tenant=job.tenant, metric=job.metric)
            return
        start = max(0, job.known_at - round(self.days * _DAY_MS))
        raws = await self.history.read(job.tenant, job.metric, job.devices, start=start, end=job.known_at + 1)
        groups = await asyncio.to_thread(by_step, raws)
        for step, of_step in sorted(groups.items()):
            await self._begin(job, BuildKey(job.tenant, job.metric, step), of_step)
        if not groups:
            self._skip(job, None, "no series with a step that Amazon Forecast knows")

    async def _begin(self, job: TrainJob, key: BuildKey, raws: Sequence[RawSeries]) -> None:
        state, version = await self.states.get(key)
        wanted = build_id(job.known_at)
        under_way = state.build
        if under_way is not None and under_way.build_id >= wanted:
            await self._carry_on(key, under_way)
            return
        stuck = under_way is not None and is_stuck(under_way, now=self.clock(), hours=_STUCK_HOURS)
        if under_way is not None and not under_way.stage.over and not stuck:
            self._skip(job, key.step_seconds, f"build {under_way.build_id} is under way")
            return
        build = await self._export(job, key, raws, state)
        if build is None:
            return
        try:
            await self.states.put(key, state.beginning(build), version=version)
        except StateChanged:
            return
        await self._carry_on(key, build)

    async def _export(self, job: TrainJob, key: BuildKey, raws: Sequence[RawSeries], state: State) -> Build | None:
        first, last = min(int(raw.ts.min()) for raw in raws), max(int(raw.ts.max()) for raw in raws)
        step = key.step_seconds
        serving = state.serving
        anew = trains_anew(serving, now=job.known_at, predictor_days=self.predictor_days, asked=job.anew)
        wanted = -(-self.horizon_seconds // step)
        horizon = horizon_for((last - first) / 1000, step_seconds=step, wanted=wanted)
        if anew and horizon is None:
            hours = 4 * wanted * step / 3600
            self._skip(job, step, f"{(last - first) / 3_600_000:.0f} h of readings, at least {hours:.0f} h are needed")
            return None
        name = build_id(job.known_at)
        folder = f"amazon-forecast/{key.tenant}/{key.metric}/{step}/{name}/"
        for at, body in enumerate(files(raws, step_seconds=step)):
            await self.s3.put_object(Bucket=self.bucket, Key=f"{folder}{at:04d}.csv", Body=body.encode())
        log.info("history exported", tenant=key.tenant, metric=key.metric, step_s=step, series=len(raws), trains=anew)
        return Build(
            build_id=name,
            path=f"s3://{self.bucket}/{folder}",
            horizon=horizon if anew or serving is None else serving.horizon,
            trained_from=from_millis(first),
            trained_to=from_millis(last),
            predictor=None if anew or serving is None else serving.predictor,
            predictor_id=name if anew or serving is None else serving.predictor_id,
            stage_since=from_millis(self.clock()),
        )

    async def _carry_on(self, key: BuildKey, build: Build) -> None:
        job = BuildJob(tenant=key.tenant, metric=key.metric, step_seconds=key.step_seconds, build_id=build.build_id)
        await self.builds.handle(job.text())

    def _skip(self, job: TrainJob, step: int | None, reason: str) -> None:
        self.metrics.trainings.labels("skipped").inc()
        log.info("training skipped", tenant=job.tenant, metric=job.metric, step_s=step, reason=reason)
