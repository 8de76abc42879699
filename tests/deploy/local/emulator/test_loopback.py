"""IoT Core's MQTT takes TLS connections from this machine only."""

import asyncio
import socket
import ssl
import sys
from pathlib import Path

import pytest
from tests.servers.aws import MinistackServer

from sensorcast_local.command import LOOPBACK, free_port


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a second loopback address to try")
async def test_mqtt_listens_on_loopback_only(tmp_path: Path) -> None:
    server = MinistackServer(state_dir=tmp_path, iot_port=free_port())
    await asyncio.to_thread(server.start)
    try:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        _, writer = await asyncio.open_connection(LOOPBACK, server.iot_port, ssl=context)
        writer.close()
        for port in (server.iot_port, server.port):
            with socket.socket() as probe:
                assert probe.connect_ex(("127.0.0.2", port)) != 0, port
    finally:
        await asyncio.to_thread(server.stop)
