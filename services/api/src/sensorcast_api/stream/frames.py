"""Server-sent events (HTML standard, section 9.2) as bytes, and the data that each kind of event carries."""

from collections.abc import Sequence
from typing import Final, Literal

from fastapi.sse import format_sse_event
from pydantic import BaseModel

from sensorcast_common.clock import UtcDatetime, from_millis
from sensorcast_common.incident import Incident
from sensorcast_common.reading import Reading

RETRY_MS: Final = 2_000


class LivePoint(BaseModel):
    """One reading of a live event."""

    metric: str
    ts: UtcDatetime
    value: float
    unit: str


class ReadingsData(BaseModel):
    """Data of event `readings`.

    Attributes:
        device: Whose readings.
        readings: In the order of the device's message, or by time where replayed.
        replayed: Whether they come from the hot store to fill a gap; some may have been sent before.
    """

    device: str
    readings: Sequence[LivePoint]
    replayed: bool = False


class WatchingData(BaseModel):
    """Data of event `watching`, the first of every stream.

    Attributes:
        devices: The devices watched; null for all.
        live: Whether the broker has confirmed the subscription; if not, readings follow once it answers.
    """

    devices: Sequence[str] | None
    live: bool


class OpenIncidentsData(BaseModel):
    """Data of event `incidents`: all that are open, at the beginning of a stream."""

    open: Sequence[Incident]


class DroppedData(BaseModel):
    """Data of event `dropped`: the client read too slowly and lost `count` events since `since`."""

    count: int
    since: UtcDatetime


class ResetData(BaseModel):
    """Data of event `reset`: the stream cannot fill the gap; load what is shown anew."""

    reason: Literal["too_old", "too_many_devices", "too_many_readings"]


class HeartbeatData(BaseModel):
    """Data of event `heartbeat`."""

    time: UtcDatetime


def frame(event: str, data: BaseModel, *, at: int | None = None) -> bytes:
    """One event.

    Args:
        event: Its name.
        data: Its data, written as JSON.
        at: Becomes its id, from which a client resumes: milliseconds since 1970 UTC.
    """
    return format_sse_event(event=event, data_str=data.model_dump_json(), id=None if at is None else str(at))


def retry() -> bytes:
    """Tells the client how long to wait before it connects again."""
    return format_sse_event(retry=RETRY_MS)


def readings_example() -> str:
    """What a stream looks like, for the documentation."""
    at = 1_780_000_000_000
    point = LivePoint(metric="temperature", ts=from_millis(at), value=4.2, unit="Cel")
    return frame("readings", ReadingsData(device="truck-7", readings=[point]), at=at + 350).decode()


def readings_data(device: str, readings: Sequence[Reading]) -> ReadingsData:
    """The data of a device's message."""
    points = [
        LivePoint(metric=each.metric, ts=from_millis(each.ts), value=each.value, unit=each.unit) for each in readings
    ]
    return ReadingsData(device=device, readings=points)
