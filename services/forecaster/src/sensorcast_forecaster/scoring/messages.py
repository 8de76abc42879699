"""What asks for scoring: the hourly tick, and the job of one tenant's shard of devices that it is split into."""

import zlib
from collections.abc import Iterable
from typing import Annotated, Final, Literal

from pydantic import Field

from sensorcast_common.device import Device
from sensorcast_common.tables.skill import HOUR_MS
from sensorcast_forecaster.jobs import JobDevice, JobMessage
from sensorcast_forecaster.schedule import Tick, scheduled_time

SCHEMA_VERSION: Final = 1

SHARDS: Final = 16
"""Of a tenant's devices. A device stays in its shard, so that scoring again writes over what was scored before."""


class _ScoreTick(Tick):
    score: Literal[1]


class ScoreJob(JobMessage):
    """Score the forecasts that were known in one hour, of one shard of a tenant's devices.

    Attributes:
        kind: Tells it from other jobs.
        schema_version: Of this message.
        hour: Its start, in milliseconds since 1970 UTC.
        tenant: Whose devices.
        shard: Which of `SHARDS`.
        devices: All of the shard that may have forecasts of that hour.
    """

    kind: Literal["score"] = "score"
    schema_version: Literal[1] = SCHEMA_VERSION
    hour: Annotated[int, Field(ge=0, multiple_of=HOUR_MS)]
    tenant: str
    shard: Annotated[int, Field(ge=0, lt=SHARDS)]
    devices: Annotated[list[JobDevice], Field(min_length=1)]


def scoring_time(text: str | bytes, *, sent_at: int) -> int:
    """When a scoring tick was due.

    Args:
        text: `{"score": 1, "scheduled_at": "2026-01-01T00:20:00Z"}`; 1 is the version.
        sent_at: When SQS took it, in milliseconds since 1970 UTC; used where the message gives no time.

    Raises:
        Poison: The message is not a scoring tick of a known version; the reason names the field.
    """
    return scheduled_time(text, sent_at=sent_at, kind=_ScoreTick)


def hour_to_score(due: int, *, horizon_ms: int, grace_ms: int) -> int:
    """The start of the latest hour whose forecasts have all met their horizon, and whose late readings are in.

    Args:
        due: When the tick was due, in milliseconds since 1970 UTC.
        horizon_ms: How far ahead forecasts look.
        grace_ms: How late readings may come.
    """
    return (due - horizon_ms - grace_ms) // HOUR_MS * HOUR_MS - HOUR_MS


def make_score_jobs(devices: Iterable[Device], *, hour: int) -> list[ScoreJob]:
    """One job per tenant and shard.

    Args:
        devices: Those that were heard of since the hour began, or a little before it.
        hour: Its start, in milliseconds since 1970 UTC.
    """
    shards: dict[tuple[str, int], list[JobDevice]] = {}
    for device in sorted(devices, key=lambda device: (device.tenant, device.device)):
        if device.metrics:
            named = JobDevice(tenant=device.tenant, device=device.device, metrics=sorted(device.metrics))
            shards.setdefault((device.tenant, shard_of(device.device)), []).append(named)
    return [ScoreJob(hour=hour, tenant=tenant, shard=shard, devices=named) for (tenant, shard), named in shards.items()]


def shard_of(device: str) -> int:
    """The shard that a device belongs to for good."""
    return zlib.crc32(device.encode()) % SHARDS
