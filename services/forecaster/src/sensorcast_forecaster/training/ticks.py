"""The daily tick: one training job per tenant and metric."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from sensorcast_common import logs
from sensorcast_common.clock import Clock
from sensorcast_forecaster.schedule import is_late
from sensorcast_forecaster.service import ActiveDevices
from sensorcast_forecaster.training.measure import TrainingMetrics
from sensorcast_forecaster.training.messages import make_train_jobs, training_time

_LATE_SECONDS: Final = 12 * 3600.0
_ACTIVE_MS: Final = 86_400_000

log = logs.logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainTickHandler:
    """Makes training jobs of a tick.

    Attributes:
        devices: Who is active.
        send_jobs: To the queue of jobs.
        max_series: Devices that one job learns from.
        metrics: Of training.
        clock: The present.
    """

    devices: ActiveDevices
    send_jobs: Callable[[Sequence[str]], Awaitable[None]]
    max_series: int
    metrics: TrainingMetrics
    clock: Clock

    async def handle(self, text: str | bytes, *, sent_at: int) -> None:
        """Split a tick into jobs.

        Raises:
            Poison: The message is not a training tick of a known version.
        """
        known_at = training_time(text, sent_at=sent_at)
        if is_late(known_at, now=self.clock(), max_age_seconds=_LATE_SECONDS):
            self.metrics.trainings.labels("late").inc()
            log.warning("training tick skipped", reason="late", known_at=known_at)
            return
        active = [device async for device in self.devices.active(known_at - _ACTIVE_MS)]
        jobs = make_train_jobs(active, known_at=known_at, max_series=self.max_series)
        if jobs:
            await self.send_jobs([job.text() for job in jobs])
        self.metrics.train_jobs.inc(len(jobs))
        log.info("training tick split", known_at=known_at, devices=len(active), jobs=len(jobs))
