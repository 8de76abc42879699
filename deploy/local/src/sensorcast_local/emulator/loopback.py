"""MQTT on loopback only.

MiniStack 1.4.21 lets IoT Core's MQTT listen on every interface, whatever `BIND_HOST` says: everyone in the same network
could publish readings to a developer's machine.
"""

import asyncio
from typing import Any

from sensorcast_local.command import LOOPBACK
from sensorcast_local.emulator.reach import ministack


class _LoopbackAsyncio:
    """The module asyncio, but for the address that servers listen on."""

    def __getattr__(self, name: str) -> Any:
        return getattr(asyncio, name)

    async def start_server(self, handler: Any, **options: Any) -> asyncio.Server:
        return await asyncio.start_server(handler, **options | {"host": LOOPBACK})


def install() -> None:
    """Let IoT Core listen on loopback."""
    ministack("services.iot").asyncio = _LoopbackAsyncio()
