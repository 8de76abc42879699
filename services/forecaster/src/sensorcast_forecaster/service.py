"""The two things the forecaster does: share a tick's series out, and forecast those of one job."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from sensorcast_common import logs
from sensorcast_common.clock import Clock
from sensorcast_common.device import Device
from sensorcast_common.forecast import Forecast
from sensorcast_common.identity import new_id
from sensorcast_common.rule import Rule
from sensorcast_common.tables.at_once import at_once
from sensorcast_forecaster.batches import batch_texts
from sensorcast_forecaster.engine import Engine
from sensorcast_forecaster.history import History
from sensorcast_forecaster.jobs import ForecastJob, JobDevice
from sensorcast_forecaster.limits import limits_of
from sensorcast_forecaster.metrics import ForecasterMetrics
from sensorcast_forecaster.regularize import RawSeries, regularize
from sensorcast_forecaster.schedule import is_late, make_jobs, scheduled_time
from sensorcast_forecaster.settings import ForecasterSettings
from sensorcast_forecaster.window import Refused, SeriesWindow

_READS_AT_ONCE: Final = 4
_LIKELY: Final = 0.7
_UNLIKELY: Final = 0.1

log = logs.logger(__name__)

Send = Callable[[Sequence[str]], Awaitable[None]]
"""Sends message texts; returns when all of them are accepted."""


Link = Callable[[Sequence[Forecast]], Awaitable[None]]
"""Links the work at hand to what led to forecasts."""


async def _link_nothing(forecasts: Sequence[Forecast]) -> None:
    del forecasts


class ActiveDevices(Protocol):
    """The port to the table of devices."""

    def active(self, since_ms: int) -> AsyncIterator[Device]:
        """The devices of all tenants that were heard of since a time."""
        ...


class RuleList(Protocol):
    """The port to the table of rules."""

    async def list(self, tenant: str) -> list[Rule]:
        """All rules of a tenant."""
        ...


class ForecastStore(Protocol):
    """The port to the table of forecasts."""

    async def put(self, forecasts: Iterable[Forecast]) -> None:
        """Write forecasts; one of the same series and `known_at` is replaced."""
        ...


class TickHandler:
    """Makes jobs of a tick.

    Args:
        settings: Of the service.
        devices: Who is active.
        send_jobs: To the queue of jobs.
        metrics: Of the service.
        clock: The present.
    """

    def __init__(
        self,
        *,
        settings: ForecasterSettings,
        devices: ActiveDevices,
        send_jobs: Send,
        metrics: ForecasterMetrics,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._devices = devices
        self._send_jobs = send_jobs
        self._metrics = metrics
        self._clock = clock

    async def handle(self, text: str | bytes, *, sent_at: int) -> None:
        """Share the active series out, unless a newer tick has taken this one's place.

        Raises:
            Poison: The message is not a tick.
        """
        known_at = scheduled_time(text, sent_at=sent_at)
        if is_late(known_at, now=self._clock(), max_age_seconds=self._settings.tick_period_seconds):
            self._metrics.ticks.labels("late").inc()
            log.warning("tick skipped", reason="late", known_at=known_at, age_ms=self._clock() - known_at)
            return
        since = known_at - round(self._settings.active_minutes * 60_000)
        active = [device async for device in self._devices.active(since)]
        jobs = make_jobs(active, known_at=known_at, active_since=since, series_per_job=self._settings.series_per_job)
        if jobs:
            await self._send_jobs([job.text() for job in jobs])
        self._metrics.jobs_made.inc(len(jobs))
        self._metrics.ticks.labels("sharded" if jobs else "idle").inc()
        log.info("tick sharded", known_at=known_at, devices=len(active), jobs=len(jobs))


@dataclass(frozen=True, slots=True, kw_only=True)
class JobHandler:
    """Forecasts the series of a job.

    Attributes:
        settings: Of the service.
        history: Where the past comes from.
        rules: Whose limits are watched.
        engine: Who forecasts.
        store: Where forecasts are kept.
        publish: To the topic of forecasts.
        metrics: Of the service.
        clock: The present.
        link: Told of the forecasts before they are published; links them to the traces of their readings.
    """

    settings: ForecasterSettings
    history: History
    rules: RuleList
    engine: Engine
    store: ForecastStore
    publish: Send
    metrics: ForecasterMetrics
    clock: Clock
    link: Link = _link_nothing

    async def handle(self, text: str | bytes) -> None:
        """Forecast, store, publish; a repeated job writes over itself and publishes again.

        Raises:
            Poison: The message is not a job.
            Exception: Whatever keeps the whole shard from being done; the queue will deliver it again.
        """
        job = ForecastJob.parse(text)
        if is_late(job.known_at, now=self.clock(), max_age_seconds=2 * self.settings.tick_period_seconds):
            self.metrics.jobs.labels("late").inc()
            log.warning("job skipped", reason="late", known_at=job.known_at, age_ms=self.clock() - job.known_at)
            return
        prepared = await self._prepare(job)
        windows = [each for each in prepared if isinstance(each, SeriesWindow)]
        started = time.perf_counter()
        answers = await self.engine.forecast(
            windows, horizon_seconds=self.settings.horizon_minutes * 60, known_at=job.known_at
        )
        self.metrics.engine.observe(time.perf_counter() - started)
        forecasts = [answer for answer in answers if isinstance(answer, Forecast)]
        refused = [each for each in (*prepared, *answers) if isinstance(each, Refused)]
        started = time.perf_counter()
        await self.store.put(forecasts)
        await self.link(forecasts)
        texts = batch_texts(forecasts, created_at=self.clock(), new_id=new_id)
        if texts:
            await self.publish(texts)
        self.metrics.written.observe(time.perf_counter() - started)
        self._count(job, forecasts, refused)

    async def _prepare(self, job: ForecastJob) -> list[SeriesWindow | Refused]:
        started = time.perf_counter()
        tenants = sorted({device.tenant for device in job.devices})
        rules = dict(zip(tenants, await at_once(self.rules.list, tenants, limit=_READS_AT_ONCE), strict=True))
        prepared = await at_once(
            lambda device: self._windows(device, rules[device.tenant], job.known_at), job.devices, limit=_READS_AT_ONCE
        )
        self.metrics.read.observe(time.perf_counter() - started)
        self.metrics.history_points.set(self.history.points)
        return [each for windows in prepared for each in windows]

    async def _windows(self, device: JobDevice, rules: Sequence[Rule], known_at: int) -> list[SeriesWindow | Refused]:
        try:
            series = await self.history.read(device.tenant, device.device, known_at=known_at)
        except ValueError as error:
            # Another try would read the same bytes; the other devices of the shard must not wait for it.
            log.exception("history unreadable", tenant=device.tenant, device=device.device)
            return [Refused(key, "failed", str(error)) for key in device.series]
        return await asyncio.to_thread(self._regular, device, series, rules, known_at)

    def _regular(
        self, device: JobDevice, series: Mapping[str, RawSeries], rules: Sequence[Rule], known_at: int
    ) -> list[SeriesWindow | Refused]:
        steps = round(self.settings.history_hours * 60)
        return [
            regularize(
                series[key.metric], known_at=known_at, max_steps=steps, limits=limits_of(rules, key, device.labels)
            )
            if key.metric in series
            else Refused(key, "no_readings", "no readings in the window")
            for key in device.series
        ]

    def _count(self, job: ForecastJob, forecasts: Sequence[Forecast], refused: Sequence[Refused]) -> None:
        age = (self.clock() - job.known_at) / 1000
        self.metrics.jobs.labels("done").inc()
        self.metrics.job_age.observe(age)
        for forecast in forecasts:
            # Without the id of a trained model, which changes every day.
            models = (forecast.model.partition(":")[2] or forecast.model).partition("@")[0]
            self.metrics.series.labels("fallback" if forecast.fallback else "forecast", models).inc()
            for risk in forecast.risks:
                self.metrics.risks.labels(_grade(risk.probability)).inc()
        for refusal in refused:
            self.metrics.series.labels(refusal.reason, "").inc()
        reasons = dict(Counter(refusal.reason for refusal in refused))
        log.info("job done", known_at=job.known_at, forecasts=len(forecasts), refused=reasons, age_s=round(age, 1))


def _grade(probability: float) -> str:
    if probability >= _LIKELY:
        return "likely"
    return "possible" if probability >= _UNLIKELY else "unlikely"
