"""Fan-out: each event goes to the streams that watch its device, through a bounded queue per stream. No I/O."""

import asyncio
from collections import Counter, deque
from collections.abc import Collection, Iterable
from enum import StrEnum
from typing import Final, NamedTuple

from sensorcast_common.reading import SeriesKey

_MAX_SERIES: Final = 20_000


class Kind(StrEnum):
    """What a live event tells."""

    READINGS = "readings"
    INCIDENT = "incident"
    FORECAST = "forecast"


class LiveEvent(NamedTuple):
    """Something that happened just now.

    Attributes:
        kind: What it tells.
        tenant: Whose device.
        device: Which device.
        at: When the API learned of it, in milliseconds since 1970 UTC.
        frame: The event as it is written to every stream, encoded once.
    """

    kind: Kind
    tenant: str
    device: str
    at: int
    frame: bytes


class Dropped(NamedTuple):
    """Events that were lost because the client reads too slowly.

    Attributes:
        events: How many.
        since: When the first of them happened, in milliseconds since 1970 UTC.
    """

    events: int
    since: int


class Gap(NamedTuple):
    """Readings from `since` on may have passed unseen, because the broker was away; the hot store has them."""

    since: int


class Heartbeat(NamedTuple):
    """Nothing happened for a while."""


class Closed(NamedTuple):
    """The service is stopping."""


Item = LiveEvent | Dropped | Gap | Heartbeat | Closed


class Watch(NamedTuple):
    """What one stream wants of MQTT: a device, or with `None` all devices of the tenant."""

    tenant: str
    device: str | None


class Subscriber:
    """One stream's place in the hub.

    Args:
        tenant: The only tenant whose events it gets.
        owner: The id of the key that opened it.
        devices: The devices it watches; `None` for all of the tenant.
        kinds: What it wants to know of.
        series: The series that are known of these devices, for the forecasts.
        limit: Events that wait at most; beyond it the oldest go, since a live view wants the newest.
    """

    def __init__(
        self,
        *,
        tenant: str,
        owner: str = "",
        devices: frozenset[str] | None,
        kinds: frozenset[Kind],
        series: Iterable[SeriesKey] = (),
        limit: int,
    ) -> None:
        if limit < 1:
            raise ValueError(f"limit: {limit} must be at least 1")
        self.tenant = tenant
        self.owner = owner
        self.devices = devices
        self.kinds = kinds
        self.series = {key for key in series if key.tenant == tenant}
        self.forecasts_seen: dict[SeriesKey, int] = {}
        self._limit = limit
        self._queue: deque[LiveEvent] = deque()
        self._dropped = 0
        self._dropped_since = 0
        self._gap: int | None = None
        self._closed = False
        self._wake = asyncio.Event()

    @property
    def watches(self) -> set[Watch]:
        """What this stream needs of MQTT."""
        if self.kinds == {Kind.FORECAST}:
            return set()
        return {Watch(self.tenant, device) for device in (self.devices if self.devices is not None else [None])}

    def wants(self, kind: Kind, tenant: str, device: str) -> bool:
        """Tell whether an event is for this stream."""
        return tenant == self.tenant and kind in self.kinds and (self.devices is None or device in self.devices)

    def offer(self, event: LiveEvent) -> bool:
        """Queue an event; tells whether an older one had to go."""
        full = len(self._queue) >= self._limit
        if full:
            lost = self._queue.popleft()
            self._dropped_since = self._dropped_since or lost.at
            self._dropped += 1
        self._queue.append(event)
        self._wake.set()
        return full

    def gap(self, since: int) -> None:
        """Tell the stream to catch up from `since`."""
        self._gap = since if self._gap is None else min(self._gap, since)
        self._wake.set()

    def close(self) -> None:
        """End the stream after what it has been told of before."""
        self._closed = True
        self._wake.set()

    async def next(self, *, heartbeat_seconds: float) -> Item:
        """What to write next: what was lost first, then a gap, then events in order, then the end."""
        if not self._pending():
            self._wake.clear()
            try:
                async with asyncio.timeout(heartbeat_seconds):
                    await self._wake.wait()
            except TimeoutError:
                return Heartbeat()
        if self._dropped:
            dropped = Dropped(self._dropped, self._dropped_since)
            self._dropped = self._dropped_since = 0
            return dropped
        if self._gap is not None:
            gap, self._gap = Gap(self._gap), None
            return gap
        return self._queue.popleft() if self._queue else Closed()

    def _pending(self) -> bool:
        return bool(self._queue or self._dropped or self._gap is not None or self._closed)


class Hub:
    """The streams that are open.

    Attributes:
        changed: Set whenever a stream came or went; whoever waits for it clears it.
        incident_changes: How often incidents of each tenant have changed while somebody watched.
    """

    def __init__(self) -> None:
        self._subscribers: set[Subscriber] = set()
        self.changed = asyncio.Event()
        self.incident_changes: Counter[str] = Counter()
        self.closed = False

    @property
    def subscribers(self) -> Collection[Subscriber]:
        """The open streams."""
        return self._subscribers

    def watches(self) -> set[Watch]:
        """What all streams together need of MQTT."""
        return {watch for subscriber in self._subscribers for watch in subscriber.watches}

    def wanted(self, kind: Kind, tenant: str, device: str) -> bool:
        """Tell whether any stream wants such an event, so that it is worth encoding."""
        return any(subscriber.wants(kind, tenant, device) for subscriber in self._subscribers)

    def add(self, subscriber: Subscriber) -> None:
        """Open a stream."""
        self._subscribers.add(subscriber)
        self.changed.set()

    def remove(self, subscriber: Subscriber) -> None:
        """Close a stream."""
        self._subscribers.discard(subscriber)
        self.changed.set()

    def publish(self, event: LiveEvent, *, series: Iterable[SeriesKey] = ()) -> tuple[int, int]:
        """Hand an event to the streams that want it.

        Args:
            event: The event.
            series: Series that it shows to exist, for the forecasts.

        Returns:
            To how many streams it went, and how many of them lost an older event for it.
        """
        if event.kind is Kind.INCIDENT:
            self.incident_changes[event.tenant] += 1
        handed = lost = 0
        for subscriber in self._subscribers:
            if subscriber.wants(event.kind, event.tenant, event.device):
                handed += 1
                lost += subscriber.offer(event)
                if len(subscriber.series) < _MAX_SERIES:
                    subscriber.series.update(series)
        return handed, lost

    def gap(self, since: int) -> None:
        """Tell every stream with readings that it missed what came after `since`."""
        for subscriber in self._subscribers:
            if Kind.READINGS in subscriber.kinds:
                subscriber.gap(since)

    def close(self) -> None:
        """End all streams and take no new ones."""
        self.closed = True
        for subscriber in self._subscribers:
            subscriber.close()
