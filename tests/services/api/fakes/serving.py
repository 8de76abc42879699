"""A world behind a real server."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.services.api.fakes.world import World

from sensorcast_api.server import HttpServer
from sensorcast_api.stream.hub import Hub, Subscriber
from sensorcast_common.lifecycle import Lifecycle


class BriefHub(Hub):
    """A hub whose streams end after their beginning."""

    def add(self, subscriber: Subscriber) -> None:
        super().add(subscriber)
        subscriber.close()


@asynccontextmanager
async def served(world: World) -> AsyncIterator[str]:
    """The world's application behind a real server on loopback; gives its address."""
    life = Lifecycle(drain_seconds=5)
    server = HttpServer(world.app, host="127.0.0.1", port=0)
    life.background("http", server.serve)
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.stop_accepting()
        world.services.hub.close()
        await server.stopped()
        await life.close()
