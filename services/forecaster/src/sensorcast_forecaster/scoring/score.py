"""The two things scoring does: share an hour out, and compare the forecasts of one shard with what came."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from sensorcast_common import logs
from sensorcast_common.clock import Clock, to_millis
from sensorcast_common.forecast import Forecast
from sensorcast_common.reading import SeriesKey
from sensorcast_common.rule import ForecastCondition
from sensorcast_common.skill import Tally
from sensorcast_common.tables.at_once import at_once
from sensorcast_common.tables.skill import HOUR_MS, HourSkill
from sensorcast_forecaster.history import HotReader
from sensorcast_forecaster.jobs import JobDevice
from sensorcast_forecaster.schedule import is_late
from sensorcast_forecaster.scoring.breaches import REJOIN_MS, score_breaches
from sensorcast_forecaster.scoring.measure import ScoringMetrics
from sensorcast_forecaster.scoring.messages import ScoreJob, hour_to_score, make_score_jobs, scoring_time
from sensorcast_forecaster.scoring.observed import Observed
from sensorcast_forecaster.scoring.points import model_group, score_points
from sensorcast_forecaster.service import ActiveDevices, RuleList
from sensorcast_forecaster.training.watch import ReviewJob

_READS_AT_ONCE: Final = 4
_STEP_MS: Final = 15 * 60 * 1000
"""The longest step: the first of a horizon may begin this much before the forecast was known."""

log = logs.logger(__name__)


class ForecastsOfHour(Protocol):
    """The port to stored forecasts; `sensorcast_common.tables.forecasts.ForecastsTable` is one."""

    async def known_between(self, series: SeriesKey, *, start: int, end: int) -> list[Forecast]:
        """The forecasts of a series that were known in a range, `end` exclusive, oldest first."""
        ...


class SkillStore(Protocol):
    """The port to where tallies are kept; `sensorcast_common.tables.skill.SkillTable` is one."""

    async def put(self, skills: Sequence[HourSkill]) -> None:
        """Write tallies; those of the same hour, metric and shard are replaced."""
        ...

    async def between(self, tenant: str, *, start: int, end: int) -> list[HourSkill]:
        """The tallies of the hours that begin in a range, `end` exclusive."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreTickHandler:
    """Makes scoring jobs of a tick.

    Attributes:
        devices: Who is active.
        send_jobs: To the queue of model jobs.
        send_later: The same, some minutes later: once the hour has been scored, its models are reviewed.
        horizon_ms: How far ahead forecasts look.
        grace_ms: How late readings may come.
        keep_seconds: How long forecasts and readings are kept: an hour further back cannot be scored any more.
        metrics: Of scoring.
        clock: The present.
    """

    devices: ActiveDevices
    send_jobs: Callable[[Sequence[str]], Awaitable[None]]
    send_later: Callable[[Sequence[str]], Awaitable[None]]
    horizon_ms: int
    grace_ms: int
    keep_seconds: float
    metrics: ScoringMetrics
    clock: Clock

    async def handle(self, text: str | bytes, *, sent_at: int) -> None:
        """Share out the hour that a tick is about; one that comes late is still about that hour.

        Raises:
            Poison: The message is not a scoring tick of a known version.
        """
        due = scoring_time(text, sent_at=sent_at)
        hour = hour_to_score(due, horizon_ms=self.horizon_ms, grace_ms=self.grace_ms)
        if hour < 0 or is_late(hour, now=self.clock(), max_age_seconds=self.keep_seconds):
            self.metrics.jobs.labels("late").inc()
            log.warning("scoring tick skipped", reason="late", hour=hour)
            return
        active = [device async for device in self.devices.active(hour - HOUR_MS)]
        jobs = make_score_jobs(active, hour=hour)
        if jobs:
            await self.send_jobs([job.text() for job in jobs])
            tenants = sorted({job.tenant for job in jobs})
            await self.send_later([ReviewJob(hour=hour, tenant=tenant).text() for tenant in tenants])
        self.metrics.jobs.labels("sharded").inc()
        log.info("scoring tick sharded", hour=hour, devices=len(active), jobs=len(jobs))


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreHandler:
    """Scores the forecasts of a job.

    Attributes:
        forecasts: What was said.
        readings: What came.
        rules: From which probability a rule warns.
        skill: Where tallies are kept.
        horizon_ms: How far ahead forecasts look.
        keep_seconds: See `ScoreTickHandler`.
        metrics: Of scoring.
        clock: The present.
    """

    forecasts: ForecastsOfHour
    readings: HotReader
    rules: RuleList
    skill: SkillStore
    horizon_ms: int
    keep_seconds: float
    metrics: ScoringMetrics
    clock: Clock

    async def handle(self, text: str | bytes) -> None:
        """Score; a repeated job writes over itself.

        Raises:
            Poison: The message is not a scoring job.
            Exception: Whatever keeps the whole shard from being done; the queue will deliver it again.
        """
        job = ScoreJob.parse(text)
        if is_late(job.hour, now=self.clock(), max_age_seconds=self.keep_seconds):
            self.metrics.jobs.labels("late").inc()
            log.warning("scoring skipped", reason="late", tenant=job.tenant, hour=job.hour)
            return
        conditions = {
            rule.rule_id: rule.forecast for rule in await self.rules.list(job.tenant) if rule.forecast is not None
        }
        found = await at_once(
            lambda device: self._device(device, job.hour, conditions), job.devices, limit=_READS_AT_ONCE
        )
        metrics: dict[str, dict[str, list[Tally]]] = {}
        for of_device in found:
            for metric, models in of_device.items():
                for model, tally in models.items():
                    metrics.setdefault(metric, {}).setdefault(model, []).append(tally)
        totals = {
            metric: {model: Tally.total(tallies) for model, tallies in models.items()}
            for metric, models in metrics.items()
        }
        known = await self.skill.between(job.tenant, start=job.hour, end=job.hour + HOUR_MS)
        counted = {each.metric for each in known if each.shard == job.shard}
        await self.skill.put(
            [HourSkill(job.tenant, job.hour, metric, job.shard, models) for metric, models in totals.items()]
        )
        for metric, models in totals.items():
            # Counters cannot be taken back, so what another delivery has counted is not counted again.
            if metric not in counted:
                self.metrics.count(job.tenant, metric, Tally.total(models.values()))
        self.metrics.jobs.labels("done").inc()
        scored = sum(tally.forecasts for models in totals.values() for tally in models.values())
        log.info("forecasts scored", tenant=job.tenant, hour=job.hour, shard=job.shard, forecasts=scored)

    async def _device(
        self, device: JobDevice, hour: int, conditions: Mapping[str, ForecastCondition]
    ) -> dict[str, dict[str, Tally]]:
        """By metric, by model."""
        try:
            forecasts = {
                key.metric: await self.forecasts.known_between(key, start=hour - self.horizon_ms, end=hour + HOUR_MS)
                for key in device.series
            }
            said = {metric: known for metric, known in forecasts.items() if known}
            if not said:
                return {}
            columns = await self.readings.read(
                device.tenant,
                device.device,
                start=max(0, hour - REJOIN_MS - _STEP_MS),
                # The last forecast of the hour may rest on a reading that came after it was due.
                end=hour + HOUR_MS + self.horizon_ms + 2 * _STEP_MS,
                metrics=list(said),
            )
        except ValueError as error:
            # Another try would read the same bytes; the other devices of the shard must not wait for it.
            log.exception("series not scored", tenant=device.tenant, device=device.device, error=str(error))
            self.metrics.failed.inc(len(device.metrics))
            return {}
        observed = {
            metric: Observed.of(np.array(column.ts, dtype=np.int64), np.array(column.value, dtype=np.float64))
            for metric, column in columns.items()
        }
        return await asyncio.to_thread(_scored, said, observed, hour, conditions)


def _scored(
    said: Mapping[str, Sequence[Forecast]],
    observed: Mapping[str, Observed],
    hour: int,
    conditions: Mapping[str, ForecastCondition],
) -> dict[str, dict[str, Tally]]:
    nothing = Observed(np.empty(0, dtype=np.int64), np.empty(0))
    found: dict[str, dict[str, Tally]] = {}
    for metric, forecasts in said.items():
        came = observed.get(metric, nothing)
        by_model: dict[str, list[Tally]] = {}
        for forecast in forecasts:
            if to_millis(forecast.known_at) >= hour:
                by_model.setdefault(model_group(forecast.model), []).append(score_points(forecast, came))
        breaches = score_breaches(forecasts, came, start=hour, end=hour + HOUR_MS, conditions=conditions)
        for model, tally in breaches.items():
            by_model.setdefault(model, []).append(tally)
        found[metric] = {model: Tally.total(tallies) for model, tallies in by_model.items()}
    return found
