"""Uvicorn inside our lifecycle: it listens on a socket of ours, leaves signals to us, and stops when told to."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from typing import Final

import uvicorn
from starlette.types import ASGIApp

_BACKLOG: Final = 1024


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals belong to the lifecycle."""
        yield


class HttpServer:
    """Serves an ASGI application until closed.

    Args:
        app: The application.
        host: Address to listen on.
        port: Port to listen on; 0 takes a free one, found in `port`.

    Raises:
        OSError: The address is taken or not ours; the message names it.
    """

    def __init__(self, app: ASGIApp, *, host: str, port: int) -> None:
        config = uvicorn.Config(
            app, lifespan="off", log_config=None, access_log=False, server_header=False, proxy_headers=False, ws="none"
        )
        self._server = _Server(config)
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            self._socket = socket.create_server((host, port), family=family, backlog=_BACKLOG)
        except OSError as error:
            raise OSError(error.errno, f"cannot listen on {host} port {port}: {error.strerror}") from error
        self.port = int(self._socket.getsockname()[1])
        self._served = asyncio.Event()

    async def serve(self) -> None:
        """Serve until `stop`."""
        try:
            await self._server.serve(sockets=[self._socket])
        finally:
            self._socket.close()
            self._served.set()

    def stop_accepting(self) -> None:
        """Take no new connections; requests that run may end."""
        self._server.should_exit = True

    async def stopped(self) -> None:
        """Wait until the last request has ended."""
        await self._served.wait()
