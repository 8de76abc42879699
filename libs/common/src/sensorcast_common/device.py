"""What is known of a device: its metrics and their last values."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from pydantic import BaseModel, ConfigDict

from sensorcast_common.clock import UtcDatetime

REFRESH_MS: Final = 5 * 60 * 1000
"""A device that sends nothing new is written at most this often, so `last_seen` may lag by it."""


class MetricState(BaseModel):
    """The latest of one metric.

    Attributes:
        unit: SenML unit.
        last_ts: Time of the latest reading.
        last_value: Its value.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    unit: str
    last_ts: UtcDatetime
    last_value: float


class Device(BaseModel):
    """A device that has sent at least one valid reading.

    Attributes:
        tenant: Whose device.
        device: Its name within the tenant.
        name: What people call it; `None` where nobody has named it.
        labels: What people sort it by: site, vehicle, product.
        labels_version: Grows with every change of name or labels; 0 where nobody has set any.
        metrics: The latest of each metric, by name.
        first_seen: Time of receipt of its first reading.
        last_seen: Time of receipt of its latest reading, as of the last write of this item.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    tenant: str
    device: str
    name: str | None = None
    labels: dict[str, str] = {}
    labels_version: int = 0
    metrics: dict[str, MetricState] = {}
    first_seen: UtcDatetime
    last_seen: UtcDatetime


class Sighting(NamedTuple):
    """What readings tell of a device.

    Attributes:
        tenant: Whose device.
        device: Its name.
        metrics: By metric, the newest reading.
        first_received: Receipt of the first of the readings, in milliseconds since 1970 UTC.
        last_received: Receipt of the last of them.
    """

    tenant: str
    device: str
    metrics: Mapping[str, MetricState]
    first_received: int
    last_received: int
