"""What asks for training: the daily tick, and the job of one tenant and metric that it is split into."""

from collections.abc import Iterable
from typing import Annotated, Final, Literal

from pydantic import Field

from sensorcast_common.device import Device
from sensorcast_forecaster.jobs import JobMessage
from sensorcast_forecaster.schedule import Tick, scheduled_time

SCHEMA_VERSION: Final = 1


class _TrainTick(Tick):
    train: Literal[1]


class TrainJob(JobMessage):
    """Train the models of one tenant and metric, one for each step that its series have.

    Attributes:
        kind: Tells it from other jobs.
        schema_version: Of this message.
        known_at: Nothing after this time is used, in milliseconds since 1970 UTC. Every delivery of the job trains as
            of this time, so a repeated one writes over itself.
        tenant: Whose series.
        metric: Which of them.
        devices: Those to learn from.
        anew: Whether a model that is there must not be used again, since it has drifted.
    """

    kind: Literal["train"] = "train"
    schema_version: Literal[1] = SCHEMA_VERSION
    known_at: Annotated[int, Field(ge=0)]
    tenant: str
    metric: str
    devices: Annotated[list[str], Field(min_length=1)]
    anew: bool = False


def training_time(text: str | bytes, *, sent_at: int) -> int:
    """When a training tick was due.

    Args:
        text: `{"train": 1, "scheduled_at": "2026-01-01T00:00:00Z"}`; 1 is the version.
        sent_at: When SQS took it, in milliseconds since 1970 UTC; used where the message gives no time.

    Raises:
        Poison: The message is not a training tick of a known version; the reason names the field.
    """
    return scheduled_time(text, sent_at=sent_at, kind=_TrainTick)


def make_train_jobs(devices: Iterable[Device], *, known_at: int, max_series: int, anew: bool = False) -> list[TrainJob]:
    """One job per tenant and metric.

    Args:
        devices: Those heard of lately.
        known_at: The tick's scheduled time, in milliseconds since 1970 UTC.
        max_series: Devices that one job learns from; of more, it takes some that are spread evenly by name.
        anew: Of the jobs.

    Raises:
        ValueError: `max_series` is not positive.
    """
    if max_series < 1:
        raise ValueError(f"max_series: {max_series} must be at least 1")
    groups: dict[tuple[str, str], list[str]] = {}
    for device in sorted(devices, key=lambda device: (device.tenant, device.device)):
        for metric in sorted(device.metrics):
            groups.setdefault((device.tenant, metric), []).append(device.device)
    return [
        TrainJob(known_at=known_at, tenant=tenant, metric=metric, devices=_spread(names, max_series), anew=anew)
        for (tenant, metric), names in groups.items()
    ]


def _spread(names: list[str], most: int) -> list[str]:
    if len(names) <= most:
        return names
    return [names[at * len(names) // most] for at in range(most)]
