"""The HTTP port that operators look at: /healthz, /readyz and /metrics."""

import asyncio
from typing import Final

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from sensorcast_common.health import Health

READY_TIMEOUT: Final = 5.0
"""Seconds that all readiness checks together may take."""


class OpsServer:
    """Serves health and metrics until closed.

    Args:
        health: What is asked.
        registry: What is shown.
        host: Address to listen on.
        port: Port to listen on; 0 takes a free one, found in `port` after `start`.
    """

    def __init__(self, *, health: Health, registry: CollectorRegistry, host: str, port: int) -> None:
        self._health = health
        self._registry = registry
        self._host = host
        self.port = port
        app = web.Application()
        app.router.add_get("/healthz", self._healthz)
        app.router.add_get("/readyz", self._readyz)
        app.router.add_get("/metrics", self._metrics)
        self._runner = web.AppRunner(app, access_log=None)

    async def start(self) -> None:
        """Listen.

        Raises:
            OSError: The port is taken.
        """
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self.port)
        await site.start()
        self.port = int(self._runner.addresses[0][1])

    async def close(self) -> None:
        """Stop listening."""
        await self._runner.cleanup()

    async def _healthz(self, request: web.Request) -> web.Response:
        del request
        problems = self._health.dead()
        return web.json_response({"alive": not problems, "problems": problems}, status=503 if problems else 200)

    async def _readyz(self, request: web.Request) -> web.Response:
        del request
        try:
            async with asyncio.timeout(READY_TIMEOUT):
                problems = await self._health.unready()
        except TimeoutError:
            problems = {"checks": f"no answer within {READY_TIMEOUT:.0f} s"}
        return web.json_response({"ready": not problems, "problems": problems}, status=503 if problems else 200)

    async def _metrics(self, request: web.Request) -> web.Response:
        del request
        return web.Response(body=generate_latest(self._registry), headers={"Content-Type": CONTENT_TYPE_LATEST})
