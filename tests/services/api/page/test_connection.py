"""Losing the connection: the page says so, keeps what it knows, and goes on where it was."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import expect
from tests.servers.broker import MosquittoServer
from tests.services.api.live import live
from tests.services.api.page.browser import Browsing
from tests.services.api.page.scene import Scene, present_world

from sensorcast_common.clock import from_millis, rfc3339

pytestmark = pytest.mark.asyncio(loop_scope="session")


class Cable:
    """A connection that can be cut and mended: forwards TCP from a port of its own."""

    def __init__(self, to: int) -> None:
        self._to = to
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._running: set[asyncio.Task[None]] = set()
        self.port = 0

    async def mend(self) -> None:
        """Take connections, on the same port as before."""
        self._server = await asyncio.start_server(self._connect, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """End all connections and take no more."""
        if self._server is not None:
            self._server.close()
        for writer in self._open:
            writer.transport.abort()
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind, forward = await asyncio.open_connection("127.0.0.1", self._to)
        self._open |= {writer, forward}
        for source, target in ((reader, forward), (behind, writer)):
            task = asyncio.create_task(self._pump(source, target))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def _pump(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65_536):
                target.write(data)
                await target.drain()
        except ConnectionError:
            pass
        finally:
            target.close()
            self._open.discard(target)


@asynccontextmanager
async def cable(to: int) -> AsyncIterator[Cable]:
    """A cable that is whole at first."""
    made = Cable(to)
    await made.mend()
    try:
        yield made
    finally:
        await made.cut()


async def test_a_lost_connection_shows_and_heals_without_a_gap(browsing: Browsing, mosquitto: MosquittoServer) -> None:
    world = present_world()
    async with (
        live(world, mosquitto) as served,
        cable(int(served.address.rpartition(":")[2])) as line,
        browsing() as page,
    ):
        await page.goto(Scene(world, f"http://127.0.0.1:{line.port}").link(path="/devices/truck-1"))
        await expect(page.locator(".connection")).to_have_text("Live")
        await expect(page.get_by_text("Scroll or pinch")).to_be_visible()
        tile = page.get_by_role("button", name="Temperature")
        topic = "dt/acme/truck-1/readings"
        await served.publish(topic, {"ts": rfc3339(from_millis(world.now)), "temperature": 5.5})
        await expect(tile).to_contain_text("5.5")

        await line.cut()
        await expect(page.get_by_text("Connection lost")).to_be_visible()
        await expect(page.locator(".connection")).to_have_text("Offline")
        await expect(tile).to_contain_text("5.5")
        # What comes meanwhile is only in the hot store by the time the page is back.
        world.readings.put("acme", "truck-1", world.now + 1000, 6.9)

        await line.mend()
        await expect(page.locator(".connection")).to_have_text("Live")
        await expect(page.get_by_text("Connection lost")).to_have_count(0)
        await expect(tile).to_contain_text("6.9")


async def test_a_page_that_cannot_load_offers_to_try_again(browsing: Browsing, mosquitto: MosquittoServer) -> None:
    world = present_world()
    async with (
        live(world, mosquitto) as served,
        cable(int(served.address.rpartition(":")[2])) as line,
        browsing() as page,
    ):
        await page.goto(Scene(world, f"http://127.0.0.1:{line.port}").link())
        await expect(page.locator(".row-link")).to_have_count(3)
        await line.cut()
        await page.get_by_role("link", name="Incidents").click()
        await expect(page.get_by_role("alert")).to_contain_text("Sensorcast does not answer.")
        await line.mend()
        await page.get_by_role("button", name="Try again").click()
        await expect(page.get_by_role("link", name="truck-2")).to_be_visible()
