"""Mosquitto keeps a session's messages over a restart, and says when it is not there."""

import asyncio
from pathlib import Path

import aiomqtt
import pytest
from tests.servers.broker import MosquittoServer

from sensorcast_local import mosquitto
from sensorcast_local.command import free_port
from sensorcast_local.mosquitto import TlsListener

installed = pytest.mark.skipif(mosquitto.find() is None, reason="mosquitto is not installed")


@installed
async def test_a_session_and_its_messages_survive_a_restart(tmp_path: Path) -> None:
    server = MosquittoServer(state_dir=tmp_path)
    await asyncio.to_thread(server.start)
    try:
        async with aiomqtt.Client(server.host, server.port, identifier="ingest-0", clean_session=False) as ingest:
            await ingest.subscribe("dt/+/+/readings", qos=1)
        async with aiomqtt.Client(server.host, server.port) as truck:
            await truck.publish("dt/acme/truck-1/readings", b"kept", qos=1)
        await asyncio.to_thread(server.restart)
        async with aiomqtt.Client(server.host, server.port, identifier="ingest-0", clean_session=False) as ingest:
            async with asyncio.timeout(30):
                message = await anext(aiter(ingest.messages))
            assert message.payload == b"kept"
    finally:
        await asyncio.to_thread(server.stop)


@installed
def test_it_listens_on_loopback_only(tmp_path: Path) -> None:
    tls = TlsListener(port=8883, ca=tmp_path / "ca", certificate=tmp_path / "c", key=tmp_path / "k")
    command = mosquitto.command(port=1883, state_dir=tmp_path, tls=tls, max_inflight=5, max_queued=7)
    config = Path(command.argv[-1]).read_text()
    listeners = [line for line in config.splitlines() if line.startswith("listener ")]
    assert listeners == ["listener 1883 127.0.0.1", "listener 8883 127.0.0.1"]
    assert "require_certificate true" in config
    assert "max_inflight_messages 5\nmax_queued_messages 7\n" in config


@installed
def test_arguments_are_checked(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="port: expected 1 to 65535, got 70000"):
        mosquitto.command(port=70000, state_dir=tmp_path)
    with pytest.raises(ValueError, match="max_queued: expected 1 or more, got 0"):
        mosquitto.command(port=free_port(), state_dir=tmp_path, max_queued=0)


def test_a_missing_program_is_an_error_that_says_how_to_get_it() -> None:
    assert "apt-get install mosquitto" in str(mosquitto.MosquittoMissing())
