"""Publishes readings over MQTT 5 with QoS 1, a bounded number in flight, and holds on through a lost connection."""

import asyncio
import math
import time
from types import TracebackType
from typing import Final, Self

import aiomqtt
import paho.mqtt.client as paho
from aiomqtt.exceptions import MqttConnectError
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from sensorcast_local.broker import Broker, BrokerError

FIRST_CONNECT_SECONDS: Final = 3.0
"""How long the first connection is tried for."""

RETRY_SECONDS: Final = 0.5
NO_MATCHING_SUBSCRIBERS: Final = 0x10
"""PUBACK reason of MQTT 5 (3.4.2.1): the broker took the message and had nobody to give it to."""

LATER: Final = frozenset({0x88, 0x89})
"""CONNACK reasons of MQTT 5 (3.2.2.2) that pass by themselves: server unavailable, server busy."""


class _Connection(aiomqtt.Client):
    """One connection; unlike aiomqtt's own, it looks at the reason of a PUBACK and tells when it is lost."""

    def __init__(self, broker: Broker, *, in_flight: int) -> None:
        super().__init__(
            broker.host,
            broker.port,
            username=broker.username,
            password=broker.password,
            protocol=aiomqtt.ProtocolVersion.V5,
            max_inflight_messages=in_flight,
            tls_context=broker.tls_context(),
        )
        self.pending_calls_threshold = in_flight
        self.lost = asyncio.Event()
        self.refusal: str | None = None
        self.unheard = 0

    def _on_publish(
        self, client: paho.Client, userdata: object, mid: int, reason_code: ReasonCode, properties: Properties
    ) -> None:
        if reason_code.is_failure:
            self.refusal = str(reason_code)
        elif reason_code.value == NO_MATCHING_SUBSCRIBERS:
            self.unheard += 1
        super()._on_publish(client, userdata, mid, reason_code, properties)

    def _on_disconnect(
        self,
        client: paho.Client,
        userdata: object,
        flags: paho.DisconnectFlags,
        reason_code: ReasonCode,
        properties: Properties | None = None,
    ) -> None:
        super()._on_disconnect(client, userdata, flags, reason_code, properties)
        self._loop.call_soon_threadsafe(self.lost.set)


class Publisher:
    """Sends messages and knows which are acknowledged.

    A message whose acknowledgement was lost with the connection is sent again, as QoS 1 demands: it may then arrive
    twice.

    Args:
        broker: Where to.
        in_flight: How many messages may wait for their PUBACK.
        lost_for: Seconds a lost connection is waited for before sending fails.

    Attributes:
        acknowledged: Readings in acknowledged messages.
        unheard: Messages that the broker took while nobody was subscribed.
    """

    def __init__(self, broker: Broker, *, in_flight: int = 32, lost_for: float = math.inf) -> None:
        if in_flight < 1:
            raise ValueError(f"in_flight: expected at least 1, got {in_flight}")
        self._broker = broker
        self._in_flight = in_flight
        self._lost_for = lost_for
        self._room = asyncio.Semaphore(in_flight)
        self._pending: set[asyncio.Task[None]] = set()
        self._failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._connection: _Connection | None = None
        self._connected = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None
        self.acknowledged = 0
        self.unheard = 0

    async def __aenter__(self) -> Self:
        """Connect.

        Raises:
            BrokerError: Nobody answers, or the broker refuses.
        """
        self._keeper = asyncio.create_task(self._stay_connected(), name="mqtt-connection")
        waiting = asyncio.create_task(self._connected.wait())
        await asyncio.wait({waiting, self._keeper}, return_when=asyncio.FIRST_COMPLETED)
        if not waiting.done():
            waiting.cancel()
            await self._keeper  # raises what ended it
            self._failed.result()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Disconnect; what is not acknowledged by then is given up."""
        tasks = [*self._pending, *([self._keeper] if self._keeper else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._failed.done():
            self._failed.exception()  # has been raised to whoever sent

    @property
    def connected(self) -> bool:
        """Whether the connection stands at this moment."""
        return self._connected.is_set()

    async def send(self, topic: str, payload: bytes, *, readings: int) -> None:
        """Send as soon as there is room in flight; returns before the acknowledgement.

        Args:
            topic: Where to.
            payload: What.
            readings: How many readings it holds, for `acknowledged`.

        Raises:
            BrokerError: The broker refused an earlier message, or was away for too long.
        """
        await self._unless_failed(asyncio.create_task(self._room.acquire()))
        task = asyncio.create_task(self._deliver(topic, payload, readings))
        self._pending.add(task)
        task.add_done_callback(self._settled)

    async def drain(self) -> None:
        """Wait until everything that was sent is acknowledged.

        Raises:
            BrokerError: The broker refused a message, or was away for too long.
        """
        while self._pending:
            await self._unless_failed(*self._pending)

    async def _unless_failed(self, *work: asyncio.Task[None] | asyncio.Task[bool]) -> None:
        await asyncio.wait({*work, self._failed}, return_when=asyncio.FIRST_COMPLETED)
        if self._failed.done():
            self._failed.result()
        for task in work:
            if task.done():
                task.result()

    def _settled(self, task: asyncio.Task[None]) -> None:
        self._pending.discard(task)
        self._room.release()

    async def _deliver(self, topic: str, payload: bytes, readings: int) -> None:
        while not self._failed.done():
            await self._connected.wait()
            if self._connection is not None and await self._publish(self._connection, topic, payload):
                self.acknowledged += readings
                return

    async def _publish(self, connection: _Connection, topic: str, payload: bytes) -> bool:
        lost = asyncio.create_task(connection.lost.wait())
        publish = asyncio.create_task(connection.publish(topic, payload, qos=1))
        await asyncio.wait({lost, publish}, return_when=asyncio.FIRST_COMPLETED)
        lost.cancel()
        if not publish.done():
            publish.cancel()
            return False
        error = publish.exception()
        if error is not None:
            if not isinstance(error, aiomqtt.MqttError | ValueError):  # ValueError: paho's socket closed under it
                raise error
            self._connected.clear()
            connection.lost.set()
            return False
        if connection.refusal is not None:
            self._fail(f"{self._broker.url} refused a message on {topic}: {connection.refusal}")
            return False
        return True

    async def _stay_connected(self) -> None:
        since, limit = time.monotonic(), FIRST_CONNECT_SECONDS
        while True:
            reason = "connection lost"
            connection = _Connection(self._broker, in_flight=self._in_flight)
            try:
                async with connection:
                    self._connection = connection
                    self._connected.set()
                    limit = self._lost_for
                    await connection.lost.wait()
                    since = time.monotonic()
                    self._connected.clear()
            except MqttConnectError as error:
                if getattr(error.rc, "value", None) not in LATER:
                    self._fail(f"{self._broker.url} refused the connection: {error}")
                    return
                reason = str(error)
            except aiomqtt.MqttError as error:
                reason = str(error)
            finally:
                self._connected.clear()
                self.unheard += connection.unheard
                self._connection = None
            if time.monotonic() - since > limit:
                self._fail(f"no broker at {self._broker.url}: {reason}")
                return
            await asyncio.sleep(RETRY_SECONDS)

    def _fail(self, reason: str) -> None:
        if not self._failed.done():
            self._failed.set_exception(BrokerError(reason))
