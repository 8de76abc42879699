"""From a training job to models: read the past, train and judge one per step, keep them, promote what is no worse."""

import asyncio
import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from sensorcast_common import logs
from sensorcast_common.clock import Clock, from_millis
from sensorcast_forecaster.boosting.booster import QuantileBooster, UnreadableArtefact, loads
from sensorcast_forecaster.boosting.examples import Past
from sensorcast_forecaster.boosting.layout import Layout
from sensorcast_forecaster.boosting.validation import Score, TooLittle, Trained, evaluate, fit, holdout_seconds
from sensorcast_forecaster.regularize import RawSeries, Treatment, regularize
from sensorcast_forecaster.schedule import is_late
from sensorcast_forecaster.training.history import TrainingHistory
from sensorcast_forecaster.training.measure import TrainingMetrics
from sensorcast_forecaster.training.messages import TrainJob
from sensorcast_forecaster.training.record import ModelKey, ModelRecord, Validation, decide
from sensorcast_forecaster.training.registry import ArtefactMissing
from sensorcast_forecaster.window import SeriesWindow

_DAY_SECONDS: Final = 86_400
_LATE_SECONDS: Final = 12 * 3600.0
_MIN_SPAN_SECONDS: Final = 1.5 * _DAY_SECONDS
"""A model that has not seen a whole day knows nothing of days."""

_TREATMENT: Final = Treatment(max_age_seconds=_DAY_SECONDS, stuck_seconds=30 * _DAY_SECONDS)
"""A series that fell silent or stuck lately may still be learnt from."""

log = logs.logger(__name__)


class Registry(Protocol):
    """The port to where models are kept; `registry.ModelRegistry` is one."""

    async def in_use(self, key: ModelKey) -> ModelRecord | None:
        """The promoted model of some series, or `None`."""
        ...

    async def artefact(self, record: ModelRecord) -> bytes:
        """The artefact of a model."""
        ...

    async def add(self, record: ModelRecord, artefact: bytes) -> None:
        """Keep a model, and let it take over where its record says so."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainHandler:
    """Trains; one job at a time, since each takes memory.

    Attributes:
        history: Where the past comes from.
        registry: Where models are kept.
        days: Past that is learnt from.
        horizon_seconds: How far ahead.
        max_rows: See `boosting.examples`.
        code_version: Recorded with each model.
        metrics: Of training.
        clock: The present.
    """

    history: TrainingHistory
    registry: Registry
    days: float
    horizon_seconds: int
    max_rows: int
    code_version: str
    metrics: TrainingMetrics
    clock: Clock
    _one: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def handle(self, text: str | bytes) -> None:
        """Train the models of a tenant and metric.

        Raises:
            Poison: The message is not a training job.
            Exception: Whatever keeps the job from being done; the queue will deliver it again.
        """
        job = TrainJob.parse(text)
        if is_late(job.known_at, now=self.clock(), max_age_seconds=_LATE_SECONDS):
            self.metrics.trainings.labels("late").inc()
            log.warning("training skipped", reason="late", tenant=job.tenant, metric=job.metric)
            return
        async with self._one:
            start = max(0, job.known_at - round(self.days * _DAY_SECONDS * 1000))
            raw = await self.history.read(job.tenant, job.metric, job.devices, start=start, end=job.known_at + 1)
            groups = await asyncio.to_thread(_by_step, raw, job.known_at, round(self.days * 1440))
            for step, pasts in sorted(groups.items()):
                await self._train(job, step, pasts)
            if not groups:
                self._skip(job, None, "no series with enough readings")

    async def _train(self, job: TrainJob, step: int, pasts: Sequence[Past]) -> None:
        key = ModelKey(job.tenant, job.metric, step)
        model_id = f"{from_millis(job.known_at):%Y%m%dT%H%M%SZ}"
        in_use = await self.registry.in_use(key)
        if in_use is not None and in_use.model_id >= model_id:
            self._skip(job, step, "done before")
            return
        layout = Layout(step_seconds=step, horizon=-(-self.horizon_seconds // step))
        started = time.perf_counter()
        try:
            trained = await asyncio.to_thread(self._fit, pasts, layout, job.known_at)
        except TooLittle as error:
            self._skip(job, step, str(error))
            return
        parent = None if in_use is None else await self._score_of(in_use, layout, pasts, trained, job.known_at)
        decision = decide(trained.score, parent)
        artefact = await asyncio.to_thread(trained.booster.dumps)
        record = ModelRecord(
            model_id=model_id,
            tenant=job.tenant,
            metric=job.metric,
            step_seconds=step,
            horizon=layout.horizon,
            trained_from=from_millis(trained.trained_from),
            trained_to=from_millis(trained.booster.trained_to),
            validated_to=from_millis(job.known_at),
            rows=trained.rows,
            code_version=self.code_version,
            parent=None if in_use is None else in_use.model_id,
            parent_validation=None if parent is None else Validation.of(parent),
            validation=Validation.of(trained.score),
            artefact=f"{job.tenant}/{job.metric}/{step}/{model_id}.json.gz",
            sha256=hashlib.sha256(artefact).hexdigest(),
            promoted=decision.promoted,
            reason=decision.reason,
        )
        await self.registry.add(record, artefact)
        seconds = time.perf_counter() - started
        self.metrics.trainings.labels("promoted" if record.promoted else "rejected").inc()
        self.metrics.seconds.observe(seconds)
        log.info(
            "model trained",
            tenant=job.tenant,
            metric=job.metric,
            step_s=step,
            model=model_id,
            promoted=record.promoted,
            reason=record.reason,
            relative_loss=record.validation.relative_loss,
            coverage=record.validation.coverage,
            series=len(pasts),
            rows=trained.rows,
            seconds=round(seconds, 1),
        )

    def _fit(self, pasts: Sequence[Past], layout: Layout, known_at: int) -> Trained:
        span = max(len(past.values) for past in pasts) * layout.step_seconds
        if span < _MIN_SPAN_SECONDS:
            raise TooLittle(f"{span / 3600:.0f} h of readings, at least {_MIN_SPAN_SECONDS / 3600:.0f} h are needed")
        return fit(pasts, layout=layout, until=known_at, holdout_seconds=holdout_seconds(span), max_rows=self.max_rows)

    async def _score_of(
        self, record: ModelRecord, layout: Layout, pasts: Sequence[Past], trained: Trained, known_at: int
    ) -> Score | None:
        """How the model in use does in the same windows; `None` where it does not work, or not for this horizon."""
        if record.horizon != layout.horizon:
            return None
        try:
            booster = loads(await self.registry.artefact(record))
        except (ArtefactMissing, UnreadableArtefact) as error:
            log.warning("model in use does not work", tenant=record.tenant, model=record.model_id, error=str(error))
            return None
        return await asyncio.to_thread(_score, booster, pasts, trained.booster.trained_to, known_at)

    def _skip(self, job: TrainJob, step: int | None, reason: str) -> None:
        self.metrics.trainings.labels("skipped").inc()
        log.info("training skipped", tenant=job.tenant, metric=job.metric, step_s=step, reason=reason)


def _score(booster: QuantileBooster, pasts: Sequence[Past], since: int, until: int) -> Score:
    return evaluate(booster, pasts, since=since, until=until)[0]


def _by_step(raws: Sequence[RawSeries], known_at: int, max_steps: int) -> dict[int, list[Past]]:
    groups: dict[int, list[Past]] = {}
    for raw in raws:
        window = regularize(raw, known_at=known_at, max_steps=max_steps, treatment=_TREATMENT)
        if isinstance(window, SeriesWindow):
            groups.setdefault(window.step_seconds, []).append(Past(window.values, window.end))
    return groups
