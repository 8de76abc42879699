"""A world behind a real server and a real broker, and a client that reads its streams."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiomqtt
import httpx
from paho.mqtt.reasoncodes import ReasonCode
from tests.servers.broker import MosquittoServer
from tests.servers.waiting import until
from tests.services.api.fakes import World, served

from sensorcast_api.stream.mqtt_feed import MqttFeed
from sensorcast_common.tables.api_keys import Role

Params = Sequence[tuple[str, str]]


@dataclass(slots=True)
class Event:
    """One server-sent event."""

    name: str
    data: dict[str, object]
    id: str | None


@dataclass(slots=True)
class Stream:
    """What a client has read of a stream so far."""

    events: list[Event] = field(default_factory=list)
    status: int = 0
    ended: bool = False
    body: str = ""

    def named(self, name: str) -> list[Event]:
        """The events of one name."""
        return [event for event in self.events if event.name == name]

    async def until(self, condition: Callable[[], object], *, within: float = 10.0) -> None:
        """Wait until what has been read fulfils a condition."""
        await until(lambda: bool(condition()), within=within, every=0.01)

    async def first(self, name: str, *, within: float = 10.0) -> Event:
        """The first event of a name."""
        await self.until(lambda: self.named(name), within=within)
        return self.named(name)[0]

    async def read(self, response: httpx.Response) -> None:
        """Read to the end."""
        self.status = response.status_code
        pending: dict[str, str] = {}
        async for line in response.aiter_lines():
            self.body += line + "\n"
            if line:
                name, _, value = line.partition(": ")
                pending[name] = value
            elif "data" in pending:
                self.events.append(Event(pending["event"], json.loads(pending["data"]), pending.get("id")))
                pending = {}
        self.ended = True


@asynccontextmanager
async def watching(
    address: str, key: str, params: Params = (), *, last_event_id: str | None = None
) -> AsyncIterator[Stream]:
    """A client that reads a stream beside the test."""
    stream = Stream()
    headers = {"Authorization": f"Bearer {key}"} | ({"Last-Event-ID": last_event_id} if last_event_id else {})
    async with (
        httpx.AsyncClient(base_url=address, headers=headers, timeout=30) as client,
        client.stream("GET", "/v1/events", params=httpx.QueryParams(list(params))) as response,
    ):
        reading = asyncio.create_task(stream.read(response))
        try:
            yield stream
        finally:
            reading.cancel()
            await asyncio.wait([reading])


class Recording(aiomqtt.Client):
    """A client that notes which topic filters are in force at the broker."""

    def __init__(self, in_force: set[str], *, host: str, port: int) -> None:
        super().__init__(host, port, protocol=aiomqtt.ProtocolVersion.V5)
        self._in_force = in_force

    async def subscribe(
        self,
        /,
        topic: aiomqtt.client.SubscribeTopic,  # type: ignore[name-defined] # aiomqtt does not export it
        *args: Any,  # noqa: ANN401 - aiomqtt's signature
        **kwargs: Any,  # noqa: ANN401 - aiomqtt's signature
    ) -> tuple[int, ...] | list[ReasonCode]:
        codes = await super().subscribe(topic, *args, **kwargs)
        assert isinstance(topic, list)
        self._in_force.update(str(name) for name, _ in topic)
        return codes

    async def unsubscribe(self, /, topic: str | list[str], *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - aiomqtt's signature
        await super().unsubscribe(topic, *args, **kwargs)
        self._in_force.difference_update(topic)


@dataclass(slots=True)
class Live:
    """A world that is being served, with its broker."""

    world: World
    address: str
    broker: aiomqtt.Client
    in_force: set[str]

    def key(self, tenant: str = "acme") -> str:
        """A viewer's key."""
        return self.world.keys.make(tenant, Role.VIEWER)

    async def publish(self, topic: str, value: object) -> None:
        """Send as a device or the alerter does."""
        await self.broker.publish(topic, json.dumps(value), qos=1)


@asynccontextmanager
async def live(world: World, mosquitto: MosquittoServer) -> AsyncIterator[Live]:
    """Serve a world with the live view of a broker."""
    services = world.services
    in_force: set[str] = set()
    feed = MqttFeed(
        lambda: Recording(in_force, host=mosquitto.host, port=mosquitto.port),
        hub=services.hub,
        subscriptions=services.subscriptions,
        clock=services.clock,
        metrics=services.metrics,
    )
    running = asyncio.create_task(feed.run())
    try:
        async with (
            aiomqtt.Client(mosquitto.host, mosquitto.port) as broker,
            served(world) as address,
        ):
            yield Live(world, address, broker, in_force)
    finally:
        running.cancel()
        await asyncio.wait([running])
