"""One event stream from its first byte to its last."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final

from sensorcast_api.services import Services
from sensorcast_api.stream.frames import (
    DroppedData,
    HeartbeatData,
    OpenIncidentsData,
    ResetData,
    WatchingData,
    frame,
    retry,
)
from sensorcast_api.stream.hub import Closed, Dropped, Gap, Heartbeat, Kind, LiveEvent, Subscriber
from sensorcast_api.stream.replay import Replay, TooMuch
from sensorcast_common.clock import from_millis
from sensorcast_common.incident import LIVE_STATES, Incident

SUBSCRIBE_SECONDS: Final = 3.0
"""How long the first event waits for the broker's confirmation before it says that the stream is not live yet."""

MAX_OPEN: Final = 200
"""Open incidents that a stream begins with at most, the newest; /v1/incidents has them all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamRequest:
    """What a client asked for, after all checks.

    Attributes:
        subscriber: Its place in the hub, not yet added.
        devices: All devices it watches, named.
        since: Where the stream it lost ended, in milliseconds since 1970 UTC; `None` for a new one.
        still_allowed: Asks again whether the credential opens this tenant.
    """

    subscriber: Subscriber
    devices: Collection[str]
    since: int | None
    still_allowed: Callable[[], Awaitable[bool]]


class StreamSession:
    """Writes one stream.

    Args:
        services: What the routes work with.
        request: What the client asked for.
    """

    def __init__(self, services: Services, request: StreamRequest) -> None:
        self._services = services
        self._limits = services.limits
        self._request = request
        self._subscriber = request.subscriber
        self._opened_at = services.clock()
        self._settling: deque[tuple[int, int, Replay]] = deque()

    async def frames(self) -> AsyncGenerator[bytes, None]:
        """The bytes of the stream; it leaves the hub when the client goes, the key ends or the service stops."""
        hub = self._services.hub
        hub.add(self._subscriber)
        self._services.metrics.streams.inc()
        try:
            yield retry()
            async for each in self._beginning():
                yield each
            async for each in self._live():
                yield each
        finally:
            self._services.metrics.streams.dec()
            hub.remove(self._subscriber)

    async def _beginning(self) -> AsyncIterator[bytes]:
        subscriber = self._subscriber
        live = await self._services.subscriptions.wait_for(subscriber.watches, seconds=SUBSCRIBE_SECONDS)
        named = None if subscriber.devices is None else sorted(subscriber.devices)
        # Without an id: a client that is lost before the replay is done begins it again.
        yield frame("watching", WatchingData(devices=named, live=live))
        if Kind.INCIDENT in subscriber.kinds:
            yield frame("incidents", OpenIncidentsData(open=await self._open_incidents()))
        if self._request.since is not None and Kind.READINGS in subscriber.kinds:
            async for each in self._catch_up(self._request.since):
                yield each

    async def _live(self) -> AsyncIterator[bytes]:
        checked = asyncio.get_running_loop().time()
        while True:
            item = await self._subscriber.next(heartbeat_seconds=self._patience())
            now = asyncio.get_running_loop().time()
            if now - checked >= self._limits.heartbeat_seconds:
                checked = now
                if not await self._request.still_allowed():
                    return
            if isinstance(item, Closed):
                return
            async for each in self._frames_of(item):
                yield each
            async for each in self._settle():
                yield each

    async def _frames_of(self, item: LiveEvent | Dropped | Gap | Heartbeat) -> AsyncIterator[bytes]:
        match item:
            case LiveEvent():
                yield item.frame
            case Dropped():
                yield frame("dropped", DroppedData(count=item.events, since=from_millis(item.since)))
            case Gap():
                async for each in self._catch_up(max(item.since, self._opened_at)):
                    yield each
            case Heartbeat():
                yield frame("heartbeat", HeartbeatData(time=from_millis(self._services.clock())))

    def _patience(self) -> float:
        """Seconds to wait for something to write."""
        if not self._settling:
            return self._limits.heartbeat_seconds
        due = (self._settling[0][0] - self._services.clock()) / 1000
        return min(max(due, 0.05), self._limits.heartbeat_seconds)

    async def _catch_up(self, since: int) -> AsyncIterator[bytes]:
        now = self._services.clock()
        if now - since > self._limits.resume_seconds * 1000:
            yield frame("reset", ResetData(reason="too_old"))
            return
        if len(self._request.devices) > self._limits.resume_devices:
            yield frame("reset", ResetData(reason="too_many_devices"))
            return
        replay = Replay(
            self._services.stores.readings,
            tenant=self._subscriber.tenant,
            devices=self._request.devices,
            since=since,
            until=now,
        )
        async for each in self._read(replay, since):
            yield each
        self._settling.append((now + round(self._limits.settle_seconds * 1000), since, replay))

    async def _settle(self) -> AsyncIterator[bytes]:
        """The second reading of a gap, once the hot store must have all of it."""
        while self._settling and self._services.clock() >= self._settling[0][0]:
            _, since, replay = self._settling.popleft()
            async for each in self._read(replay, since):
                yield each

    async def _read(self, replay: Replay, since: int) -> AsyncIterator[bytes]:
        try:
            async for data in replay.read():
                # The id stays where the gap begins: nothing is known to be complete before its end.
                yield frame(Kind.READINGS, data, at=since)
        except TooMuch as error:
            yield frame("reset", ResetData(reason=error.reason))

    async def _open_incidents(self) -> Sequence[Incident]:
        found, _ = await self._services.stores.incidents.list(
            self._subscriber.tenant, states=LIVE_STATES, limit=MAX_OPEN, cursor=None
        )
        devices = self._subscriber.devices
        return [incident for incident in found if devices is None or incident.device in devices]
