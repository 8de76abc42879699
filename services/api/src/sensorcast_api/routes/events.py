"""Live events over SSE: readings, incidents and forecasts of some devices or of all."""

from collections.abc import AsyncGenerator, Sequence
from typing import Annotated, Final

from fastapi import APIRouter, Header, Query
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from sensorcast_api import examples
from sensorcast_api.auth import Principal, Viewer
from sensorcast_api.parameters import NAME_PATTERN, Name
from sensorcast_api.problems import ProblemError, invalid
from sensorcast_api.routes.devices import existing
from sensorcast_api.services import Services, Wired
from sensorcast_api.stream.frames import readings_example
from sensorcast_api.stream.hub import Kind, Subscriber
from sensorcast_api.stream.session import StreamRequest, StreamSession
from sensorcast_common.device import Device
from sensorcast_common.reading import SeriesKey

router = APIRouter(prefix="/v1/events", tags=["events"])

_PAGE: Final = 500


class EventStream(StreamingResponse):
    """A stream that leaves the hub the moment its client is gone."""

    media_type = "text/event-stream"

    def __init__(self, frames: AsyncGenerator[bytes, None], status_code: int = 200) -> None:
        # Proxies must neither buffer nor transform what is to be seen at once.
        headers = {"Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no"}
        super().__init__(frames, status_code=status_code, headers=headers)
        self._frames = frames

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Write the stream."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._frames.aclose()


@router.get(
    "",
    response_class=EventStream,
    responses={
        200: {
            "description": "Server-sent events.",
            "content": {"text/event-stream": {"example": readings_example()}},
        },
        **examples.problems(404, 429, 503),
    },
)
async def stream_events(
    caller: Viewer,
    wired: Wired,
    device: Annotated[
        list[Name],
        Query(
            description="Devices to watch; all by default.",
            examples=[["truck-7"]],
            json_schema_extra={"items": {"type": "string", "pattern": NAME_PATTERN}},
        ),
    ] = [],  # noqa: B006 - FastAPI copies it
    kind: Annotated[list[Kind], Query(description="What to be told of; everything by default.")] = [],  # noqa: B006 - FastAPI copies it
    last_event_id: Annotated[
        str | None,
        Header(
            description="The `id` of the last event; fills the gap since.",
            json_schema_extra={"pattern": r"^[0-9]{0,13}$"},
        ),
    ] = None,
) -> EventStream:
    """Watch devices live.

    The first event is `watching`, then `incidents` with all that are open. After that: `readings`, `incident` and
    `forecast` as they come, `heartbeat` when nothing does, `dropped` where the client was too slow, and `reset` where
    a gap cannot be filled. Readings may come twice; device, metric and ts tell.
    """
    since = _since(last_event_id)
    _refuse_too_many(wired, caller)
    known = await _watched(wired, caller.tenant, device)
    subscriber = Subscriber(
        tenant=caller.tenant,
        owner=caller.key.key_id,
        devices=frozenset(device) if device else None,
        kinds=frozenset(kind or Kind),
        series=[SeriesKey(caller.tenant, each.device, metric) for each in known for metric in each.metrics],
        limit=wired.limits.queue,
    )

    async def still_allowed() -> bool:
        return await wired.credentials.still_opens(caller.key)

    request = StreamRequest(
        subscriber=subscriber,
        devices=[each.device for each in known],
        since=since,
        still_allowed=still_allowed,
    )
    return EventStream(StreamSession(wired, request).frames())


async def _watched(wired: Services, tenant: str, named: Sequence[str]) -> list[Device]:
    names = sorted(set(named))
    if len(names) > wired.limits.stream_devices:
        raise invalid("query", "device", f"at most {wired.limits.stream_devices} devices may be named")
    if names:
        return [await existing(wired.stores.devices, tenant, name) for name in names]
    found: list[Device] = []
    cursor: str | None = None
    while True:
        page, cursor = await wired.stores.devices.list(tenant, limit=_PAGE, cursor=cursor)
        found += page
        if len(found) > wired.limits.stream_fleet:
            raise invalid("query", "device", f"more than {wired.limits.stream_fleet} devices: name those to watch")
        if cursor is None:
            return found


def _refuse_too_many(wired: Services, caller: Principal) -> None:
    if wired.hub.closed:
        raise ProblemError(503, "The service is stopping.", headers={"Retry-After": "2"})
    if len(wired.hub.subscribers) >= wired.limits.streams:
        raise ProblemError(503, "All streams are taken.", headers={"Retry-After": "10"})
    own = sum(subscriber.owner == caller.key.key_id for subscriber in wired.hub.subscribers)
    if own >= wired.limits.streams_per_key:
        raise ProblemError(429, f"This key has {own} streams open.", headers={"Retry-After": "10"})


def _since(last_event_id: str | None) -> int | None:
    if last_event_id is None or not last_event_id:
        return None
    if not (last_event_id.isascii() and last_event_id.isdigit() and len(last_event_id) < 14):
        raise invalid("header", "Last-Event-ID", "the id of an event of this stream")
    return int(last_event_id)
