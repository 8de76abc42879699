"""From a tick to jobs: when it was due, whether it is still worth the work, and how its series are shared out."""

from collections.abc import Iterable, Sequence
from typing import Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from sensorcast_common.clock import to_millis
from sensorcast_common.device import Device
from sensorcast_common.errors import Poison
from sensorcast_common.invalid import first_problem
from sensorcast_forecaster.jobs import ForecastJob, JobDevice

PLACEHOLDER: Final = "<aws.scheduler.scheduled-time>"
"""What EventBridge Scheduler replaces by the time; an emulator may leave it as it is."""


class Tick(BaseModel):
    """What a schedule sends; other kinds of tick name their version in a field of their own."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    scheduled_at: AwareDatetime | None = None


def scheduled_time(text: str | bytes, *, sent_at: int, kind: type[Tick] = Tick) -> int:
    """When a tick was due.

    Args:
        text: The message of the schedule, `{"scheduled_at": "2026-01-01T00:00:00Z"}`.
        sent_at: When SQS took it, in milliseconds since 1970 UTC; used where the message gives no time.
        kind: Of tick.

    Raises:
        Poison: The message is not a tick of this kind, or its time has no offset; the reason names the field.
    """
    plain = text.decode(errors="replace") if isinstance(text, bytes) else text
    try:
        tick = kind.model_validate_json(plain.replace(f'"{PLACEHOLDER}"', "null"))
    except ValidationError as error:
        raise Poison(first_problem(error)) from error
    return sent_at if tick.scheduled_at is None else to_millis(tick.scheduled_at)


def is_late(known_at: int, *, now: int, max_age_seconds: float) -> bool:
    """Tell whether a tick or a job is so old that a newer one has taken its place.

    After an outage the queue holds many: forecasting each would keep the newest waiting.
    """
    return now - known_at > max_age_seconds * 1000


def make_jobs(devices: Iterable[Device], *, known_at: int, active_since: int, series_per_job: int) -> list[ForecastJob]:
    """Share the active series of a tick out.

    Args:
        devices: Those heard of lately.
        known_at: The tick's scheduled time, in milliseconds since 1970 UTC.
        active_since: Metrics whose latest reading is older are left out.
        series_per_job: Series a job may hold; a device that has more is a job of its own.

    Raises:
        ValueError: `series_per_job` is not positive.
    """
    if series_per_job < 1:
        raise ValueError(f"series_per_job: {series_per_job} must be at least 1")
    jobs: list[ForecastJob] = []
    shard: list[JobDevice] = []
    # A fixed order gives a repeated tick the same shards, and keeps tenants together, whose rules are read once.
    for device in sorted(devices, key=lambda device: (device.tenant, device.device)):
        metrics = sorted(name for name, state in device.metrics.items() if to_millis(state.last_ts) >= active_since)
        if not metrics:
            continue
        if shard and _size(shard) + len(metrics) > series_per_job:
            jobs.append(ForecastJob(known_at=known_at, devices=shard))
            shard = []
        shard.append(JobDevice(tenant=device.tenant, device=device.device, metrics=metrics, labels=device.labels))
    if shard:
        jobs.append(ForecastJob(known_at=known_at, devices=shard))
    return jobs


def _size(shard: Sequence[JobDevice]) -> int:
    return sum(len(device.metrics) for device in shard)
