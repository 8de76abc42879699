"""The hourly look at how trained models do: trains on drift, and takes those out of use that mislead."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Literal, NamedTuple, Protocol

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sensorcast_common import logs
from sensorcast_common.clock import Clock, from_millis
from sensorcast_common.errors import Poison
from sensorcast_common.invalid import first_problem
from sensorcast_common.skill import Tally
from sensorcast_common.tables.skill import HOUR_MS, HourSkill
from sensorcast_forecaster.schedule import is_late
from sensorcast_forecaster.service import ActiveDevices
from sensorcast_forecaster.training.measure import TrainingMetrics
from sensorcast_forecaster.training.messages import make_train_jobs
from sensorcast_forecaster.training.review import review

SCHEMA_VERSION: Final = 1

_DAY_MS: Final = 86_400_000
_BEFORE_DAYS: Final = 7
_LATE_SECONDS: Final = 12 * 3600.0
_COOL_MS: Final = _DAY_MS // 2
"""No two trainings on drift are closer: the second would learn from the same past."""

log = logs.logger(__name__)


class ReviewJob(BaseModel):
    """Look at the trained models of one tenant.

    Attributes:
        kind: Tells it from other jobs.
        schema_version: Of this message.
        hour: The latest that has been scored: its start, in milliseconds since 1970 UTC.
        tenant: Whose models.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["review"] = "review"
    schema_version: Literal[1] = SCHEMA_VERSION
    hour: Annotated[int, Field(ge=0, multiple_of=HOUR_MS)]
    tenant: str

    @classmethod
    def parse(cls, text: str | bytes) -> "ReviewJob":
        """Read a job from its message.

        Raises:
            Poison: The text is not a review of a known version; the reason names the field.
        """
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            raise Poison(first_problem(error)) from error

    def text(self) -> str:
        """The message as it is sent."""
        return self.model_dump_json()


class InUse(NamedTuple):
    """A trained model that makes forecasts.

    Attributes:
        metric: Of which series.
        model_id: What stands after `@` in the model of its forecasts.
        newest_id: Of the newest training for the metric, promoted or not.
    """

    metric: str
    model_id: str
    newest_id: str


class TrainedModels(Protocol):
    """The port to the models in use."""

    async def watched(self, tenant: str) -> Sequence[InUse]:
        """Those of a tenant, one per metric."""
        ...

    async def distrust(self, tenant: str, metric: str, model_id: str, *, reason: str) -> None:
        """Take a model out of use, if it still is the one in use."""
        ...


class ScoredHours(Protocol):
    """The port to how forecasts did."""

    async def between(self, tenant: str, *, start: int, end: int) -> Sequence[HourSkill]:
        """What is known of the hours that begin in a range, `end` exclusive."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewHandler:
    """Reviews the trained models of a tenant.

    Attributes:
        models: Those in use.
        skill: How their forecasts did.
        devices: Who a training learns from.
        send_jobs: To the queue of model jobs.
        max_series: Devices that one training learns from.
        metrics: Of training.
        clock: The present.
    """

    models: TrainedModels
    skill: ScoredHours
    devices: ActiveDevices
    send_jobs: Callable[[Sequence[str]], Awaitable[None]]
    max_series: int
    metrics: TrainingMetrics
    clock: Clock

    async def handle(self, text: str | bytes) -> None:
        """Review; a repeated job finds the same and does no harm.

        Raises:
            Poison: The message is not a review.
        """
        job = ReviewJob.parse(text)
        if is_late(job.hour, now=self.clock(), max_age_seconds=_LATE_SECONDS):
            self.metrics.reviews.labels("late").inc()
            return
        in_use = await self.models.watched(job.tenant)
        if not in_use:
            return
        end = job.hour + HOUR_MS
        hours = await self.skill.between(job.tenant, start=end - (1 + _BEFORE_DAYS) * _DAY_MS, end=end)
        drifted = [each.metric for each in in_use if await self._drifted(job.tenant, each, hours, since=end - _DAY_MS)]
        if drifted:
            await self._train(job.tenant, drifted)

    async def _drifted(self, tenant: str, model: InUse, hours: Sequence[HourSkill], *, since: int) -> bool:
        """Whether to train the models of a metric now."""
        of_metric = [hour for hour in hours if hour.metric == model.metric]
        recent = _total(of_metric, lambda hour, group: hour >= since and group.endswith(f"@{model.model_id}"))
        before = _total(of_metric, lambda hour, group: hour < since and "@" in group)
        verdict = review(recent, before)
        self.metrics.reviews.labels(verdict.reason).inc()
        if not verdict.usable:
            await self.models.distrust(tenant, model.metric, model.model_id, reason=verdict.reason)
        lately = model.newest_id >= f"{from_millis(max(0, self.clock() - _COOL_MS)):%Y%m%dT%H%M%SZ}"
        if verdict.train or not verdict.usable:
            log.warning(
                "model has drifted",
                tenant=tenant,
                metric=model.metric,
                model=model.model_id,
                reason=verdict.reason,
                usable=verdict.usable,
                trains=verdict.train and not lately,
                forecasts=recent.forecasts,
            )
        return verdict.train and not lately

    async def _train(self, tenant: str, metrics: Sequence[str]) -> None:
        now = self.clock()
        active = [device async for device in self.devices.active(now - _DAY_MS) if device.tenant == tenant]
        jobs = make_train_jobs(active, known_at=now, max_series=self.max_series, anew=True)
        await self.send_jobs([job.text() for job in jobs if job.metric in metrics])


def _total(hours: Sequence[HourSkill], wanted: Callable[[int, str], bool]) -> Tally:
    return Tally.total(tally for hour in hours for group, tally in hour.models.items() if wanted(hour.hour, group))
