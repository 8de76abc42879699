"""MQTT messages in batches, each acknowledged by whoever has made them safe.

The session is persistent: what was not acknowledged is sent again by the broker, to this process or the next one.
"""

import asyncio
import contextlib
import math
from collections.abc import Callable
from typing import Final

import aiomqtt
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from sensorcast_common.backoff import Backoff
from sensorcast_common.clock import Clock, system_clock
from sensorcast_common.health import Heartbeat
from sensorcast_common.logs import logger
from sensorcast_common.mqtt.beneath import Tap
from sensorcast_common.mqtt.client import mqtt_client
from sensorcast_common.mqtt.inflight import InFlight, Ticket
from sensorcast_common.mqtt.message import MessageBatch, MqttMessage
from sensorcast_common.mqtt.packets import Publish
from sensorcast_common.mqtt.settings import MqttSettings

log = logger(__name__)

MAX_BATCH: Final = 1000
"""Messages of one batch: small enough that PUBACKs flow while more arrives."""

MAX_IN_FLIGHT_BYTES: Final = 64 * 1024 * 1024
"""Payload bytes that may wait for their acknowledgement; beyond it the socket is not read."""

STABLE_SECONDS: Final = 10.0
ALIVE_SECONDS: Final = 120.0
_REFUSED: Final = 0x80
_NO_RETAINED_AGAIN: Final = 1


class SubscriptionRefused(Exception):  # noqa: N818 - names what happened
    """The broker does not let this client subscribe; the message names filter and reason."""


class MqttSource:
    """Keeps a persistent session and hands out what arrives; let `run` run beside those who ask for batches.

    Args:
        settings: How to reach the broker.
        topic_filter: What to subscribe to, with QoS 1.
        shared_group: Subscribe as one of a group among which the broker divides the messages.
        clock: The present.
        backoff: Between two attempts to connect.
        max_in_flight_bytes: Payload bytes that may wait for their acknowledgement.
        on_connected: Called each time the subscription stands.

    Attributes:
        connected: Whether the subscription stands at this moment.
        connections: How often it has been made.
        attempts: Beats with each attempt to connect, and while connected.
    """

    def __init__(
        self,
        settings: MqttSettings,
        *,
        topic_filter: str,
        shared_group: str | None = None,
        clock: Clock = system_clock,
        backoff: Backoff | None = None,
        max_in_flight_bytes: int = MAX_IN_FLIGHT_BYTES,
        on_connected: Callable[[], None] = lambda: None,
    ) -> None:
        self._settings = settings
        self._filter = f"$share/{shared_group}/{topic_filter}" if shared_group else topic_filter
        self._clock = clock
        self._backoff = backoff or Backoff(first=0.5, longest=30.0)
        self._max_bytes = max_in_flight_bytes
        self._on_connected = on_connected
        self._waiting: list[tuple[Publish, int]] = []
        self._arrived = asyncio.Event()
        self._stopping = asyncio.Event()
        self._closing = asyncio.Event()
        self._ended = asyncio.Event()
        self._tap: Tap | None = None
        self._in_flight = InFlight(self._acknowledge)
        self._established = False
        self.connected = False
        self.connections = 0
        self.attempts = Heartbeat(max_age=ALIVE_SECONDS)

    async def run(self) -> None:
        """Stay connected until `close`.

        Raises:
            SubscriptionRefused: The broker refuses the subscription; trying again would not help.
            OSError: A certificate or key file cannot be used.
        """
        try:
            await self._connect_again_and_again()
        finally:
            self._ended.set()

    async def _connect_again_and_again(self) -> None:
        while not self._closing.is_set():
            self.attempts.beat()
            began = asyncio.get_running_loop().time()
            client = mqtt_client(self._settings, persistent=True)
            try:
                await self._stay_connected(client)
            except aiomqtt.MqttError as error:
                if asyncio.get_running_loop().time() - began > STABLE_SECONDS:
                    self._backoff.reset()
                pause = self._backoff.next()
                log.warning(
                    "broker is away", broker=self._settings.mqtt_url, error=str(error), retry_in=round(pause, 1)
                )
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await self._closing.wait()

    async def _stay_connected(self, client: aiomqtt.Client) -> None:
        self._in_flight = InFlight(self._acknowledge)
        self._in_flight.received(count=len(self._waiting), size=sum(len(item[0].payload) for item in self._waiting))
        tap = self._tap = Tap(client, self._receive, is_mqtt5=self._settings.mqtt_version == "5")
        try:
            async with client:
                self._established = True
                await self._until_lost_or_closing(client)
        finally:
            self.connected = self._established = False
            self._tap = None
            tap.close()
            # The broker sends the rest again, under packet identifiers of the next connection.
            self._waiting = [item for item in self._waiting if item[0].qos == 0]

    async def _until_lost_or_closing(self, client: aiomqtt.Client) -> None:
        lost = asyncio.create_task(self._lost(client))
        closing = asyncio.create_task(self._closing.wait())
        subscribing = asyncio.create_task(self._subscribe(client))
        watched = {lost, closing, subscribing}
        try:
            while not (lost.done() or closing.done()):
                self.attempts.beat()
                done, _ = await asyncio.wait(watched, timeout=1.0, return_when=asyncio.FIRST_COMPLETED)
                if subscribing in done:
                    subscribing.result()
                    watched.discard(subscribing)
            if lost.done():
                lost.result()
        finally:
            for task in (lost, closing, subscribing):
                task.cancel()
            await asyncio.gather(lost, closing, subscribing, return_exceptions=True)

    async def _subscribe(self, client: aiomqtt.Client) -> None:
        # Without a timeout: what the session holds comes first, and may fill the window until it is acknowledged.
        if self._settings.mqtt_version == "5":
            options = SubscribeOptions(qos=1, retainHandling=_NO_RETAINED_AGAIN)
            codes = await client.subscribe(self._filter, options=options, timeout=math.inf)
        else:
            codes = await client.subscribe(self._filter, qos=1, timeout=math.inf)
        for code in codes:
            if (code.value if isinstance(code, ReasonCode) else code) >= _REFUSED:
                raise SubscriptionRefused(f"{self._filter}: the broker refuses the subscription: {code}")
        self.connected = True
        self.connections += 1
        self._on_connected()
        log.info("subscribed", broker=self._settings.mqtt_url, filter=self._filter)

    @staticmethod
    async def _lost(client: aiomqtt.Client) -> None:
        """Raise when the connection is lost: the messages were taken before aiomqtt's queue, which stays empty."""
        async for message in client.messages:
            raise RuntimeError(f"a message reached aiomqtt's queue: {message.topic}")

    def _receive(self, messages: list[Publish]) -> None:
        now = self._clock()
        self._waiting += [(message, now) for message in messages]
        self._in_flight.received(count=len(messages), size=sum(len(message.payload) for message in messages))
        self._arrived.set()
        if self._tap is not None and (self._stopping.is_set() or self._is_full()):
            self._tap.pause()

    def _is_full(self) -> bool:
        return (
            self._in_flight.messages >= self._settings.mqtt_receive_maximum or self._in_flight.size >= self._max_bytes
        )

    def _acknowledge(self, mids: list[int]) -> None:
        if self._tap is not None:
            self._tap.acknowledge(mids)

    @property
    def in_flight(self) -> int:
        """Messages received and not acknowledged."""
        return self._in_flight.messages

    @property
    def paused(self) -> bool:
        """Whether the socket is not read because too much is in flight."""
        return self._tap is not None and self._tap.paused

    async def next_batch(self) -> MessageBatch | None:
        """Wait for messages; `None` after `stop`."""
        while not self._waiting:
            self._arrived.clear()
            if self._stopping.is_set():
                return None
            await self._arrived.wait()
        if self._stopping.is_set():
            return None
        taken, self._waiting = self._waiting[:MAX_BATCH], self._waiting[MAX_BATCH:]
        in_flight = self._in_flight
        ticket = Ticket(
            [message.mid for message, _ in taken if message.qos],
            count=len(taken),
            size=sum(len(message.payload) for message, _ in taken),
        )
        in_flight.hand_out(ticket)

        def ack() -> None:
            if in_flight is self._in_flight:
                in_flight.settle(ticket)
                if self.paused and not self._stopping.is_set() and not self._is_full() and self._tap is not None:
                    self._tap.resume()

        messages = [
            MqttMessage(
                message.topic.decode("utf-8", "replace"), message.payload, message.repeated, at, message.properties
            )
            for message, at in taken
        ]
        return MessageBatch(messages, ack)

    async def stop(self) -> None:
        """Stop reading and let `next_batch` end; what was handed out can still be acknowledged."""
        self._stopping.set()
        self._arrived.set()
        if self._tap is not None and self._established:
            self._tap.pause()

    async def close(self) -> None:
        """Send the PUBACKs that wait, disconnect and let `run` end; the broker keeps the session."""
        await self.stop()
        self._closing.set()
        await self._ended.wait()
