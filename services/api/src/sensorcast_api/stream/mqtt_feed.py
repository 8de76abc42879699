"""Live readings and alerts from the broker, subscribed to only while somebody watches."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Final

import aiomqtt

from sensorcast_api.metrics import ApiMetrics
from sensorcast_api.stream.frames import frame, readings_data
from sensorcast_api.stream.hub import Hub, Kind, LiveEvent
from sensorcast_api.stream.incident_event import IncidentEvent
from sensorcast_api.stream.subscriptions import Subscriptions, filters_for
from sensorcast_common.clock import Clock
from sensorcast_common.logs import logger
from sensorcast_common.names import ReadingsTopic
from sensorcast_common.payload import PayloadRejected, parse

log = logger(__name__)

MAX_QUEUED: Final = 10_000
"""Messages that wait for this process; aiomqtt discards beyond it, and the streams then catch up from the hot store."""

_FIRST_PAUSE: Final = 0.5
_LONGEST_PAUSE: Final = 30.0
_FIRST_REFUSED_CODE: Final = 128

Connect = Callable[[], AbstractAsyncContextManager[aiomqtt.Client]]
"""Makes a client that is connected inside `async with`, with `max_queued_incoming_messages=MAX_QUEUED`."""


class MqttFeed:
    """Keeps a connection, subscribes to what is watched, hands what comes to the hub.

    The view is QoS 0: the archiver's path makes readings durable, and what the view misses is read from the hot store.

    Args:
        connect: Makes the connection.
        hub: Where events go.
        subscriptions: Where confirmed filters are noted.
        clock: The present.
        metrics: Counts.
    """

    def __init__(
        self, connect: Connect, *, hub: Hub, subscriptions: Subscriptions, clock: Clock, metrics: ApiMetrics
    ) -> None:
        self._connect = connect
        self._hub = hub
        self._subscriptions = subscriptions
        self._clock = clock
        self._metrics = metrics

    async def run(self) -> None:
        """Stay connected until cancelled; a lost connection is made again, and the streams are told of the gap."""
        pause = _FIRST_PAUSE
        lost_at: int | None = None
        while True:
            connected = False
            try:
                async with self._connect() as client:
                    _honour_cancellation()
                    connected = True
                    pause = _FIRST_PAUSE
                    self._metrics.connected.set(1)
                    await self._serve(client, lost_at)
            except (aiomqtt.MqttError, OSError) as error:
                if connected or lost_at is None:
                    log.warning("broker is away", error=str(error))
                lost_at = self._clock() if connected or lost_at is None else lost_at
            finally:
                self._metrics.connected.set(0)
                self._metrics.subscriptions.set(0)
                self._subscriptions.forget()
            _honour_cancellation()
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _serve(self, client: aiomqtt.Client, lost_at: int | None) -> None:
        # Not a TaskGroup: before Python 3.13 one that failed leaves its parent marked as cancelled.
        tasks = [
            asyncio.create_task(self._subscribe(client, lost_at), name="mqtt subscribe"),
            asyncio.create_task(self._receive(client), name="mqtt receive"),
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
        errors = [error for task in tasks if not task.cancelled() and (error := task.exception())]
        if errors:
            raise errors[0]

    async def _subscribe(self, client: aiomqtt.Client, lost_at: int | None) -> None:
        applied: set[str] = set()
        while True:
            self._hub.changed.clear()
            wanted = filters_for(self._hub.watches())
            # First the new ones, so that nothing is missed where a wider filter takes over from a narrow one.
            added = sorted(wanted - applied)
            if added:
                codes = await client.subscribe([(each, 0) for each in added])
                granted = [each for each, code in zip(added, codes, strict=True) if not _refused(code)]
                for refused in set(added).difference(granted):
                    log.error("broker refused a subscription", filter=refused)
                await self._subscriptions.confirm(granted)
            if lost_at is not None:
                self._hub.gap(lost_at)
                lost_at = None
            removed = sorted(applied - wanted)
            if removed:
                self._subscriptions.forget(removed)
                await client.unsubscribe(removed)
            applied = wanted
            self._metrics.subscriptions.set(len(applied))
            _honour_cancellation()
            await self._hub.changed.wait()

    async def _receive(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            now = self._clock()
            if len(client.messages) >= MAX_QUEUED - 1:
                self._hub.gap(now)
            topic = message.topic.value
            payload = message.payload if isinstance(message.payload, bytes) else str(message.payload or "").encode()
            if topic.startswith("alerts/"):
                self._alert(topic, payload, now)
            else:
                self._readings(topic, payload, now)

    def _readings(self, topic: str, payload: bytes, now: int) -> None:
        try:
            source = ReadingsTopic.parse(topic)
            if not self._hub.wanted(Kind.READINGS, source.tenant, source.device):
                return
            readings = parse(payload, source, received_at=now, redelivered=False)
        except (ValueError, PayloadRejected):
            # Ingest quarantines it with the reason; here it only does not show.
            self._metrics.rejected.labels("readings").inc()
            return
        data = frame(Kind.READINGS, readings_data(source.device, readings), at=now)
        event = LiveEvent(Kind.READINGS, source.tenant, source.device, now, data)
        self._count(event, self._hub.publish(event, series={reading.series for reading in readings}))

    def _alert(self, topic: str, payload: bytes, now: int) -> None:
        try:
            incident = IncidentEvent.parse(payload, topic)
        except ValueError as error:
            self._metrics.rejected.labels("alert").inc()
            log.warning("alert is not readable", topic=topic[:256], error=str(error)[:200])
            return
        data = frame(Kind.INCIDENT, incident, at=now)
        event = LiveEvent(Kind.INCIDENT, incident.tenant, incident.device, now, data)
        self._count(event, self._hub.publish(event))

    def _count(self, event: LiveEvent, outcome: tuple[int, int]) -> None:
        self._metrics.events.labels(event.kind).inc(outcome[0])
        self._metrics.dropped.inc(outcome[1])


def _honour_cancellation() -> None:
    """End this task if it was told to.

    aiomqtt waits with `asyncio.wait_for`, which before Python 3.12 loses a cancellation that comes in the moment the
    broker answers (python/cpython#86296).
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def _refused(code: object) -> bool:
    value = getattr(code, "value", code)
    return isinstance(value, int) and value >= _FIRST_REFUSED_CODE
