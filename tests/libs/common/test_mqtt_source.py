"""The MQTT source against Mosquitto: nothing is lost or acknowledged too early, what is in flight is bounded."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal

import aiomqtt
import pytest
from tests.servers.broker import MosquittoServer
from tests.servers.waiting import until

from sensorcast_common.backoff import Backoff
from sensorcast_common.mqtt import MessageBatch, MqttMessage, MqttSettings, MqttSource, SubscriptionRefused, mqtt_client

Version = Literal["5", "3.1.1"]


@pytest.fixture(params=["5", "3.1.1"])
def version(request: pytest.FixtureRequest) -> Version:
    return "5" if request.param == "5" else "3.1.1"


@pytest.fixture
def prefix() -> str:
    """Topics of this test alone: the broker is shared."""
    return f"test/{secrets.token_hex(4)}"


def settings_for(broker: MosquittoServer, version: Version = "5", **more: object) -> MqttSettings:
    values: dict[str, object] = {
        "mqtt_url": broker.url,
        "mqtt_client_id": f"test-{secrets.token_hex(4)}",
        "mqtt_version": version,
        "mqtt_keepalive": 5,
        **more,
    }
    return MqttSettings.model_validate(values)


@contextlib.asynccontextmanager
async def running(settings: MqttSettings, topic_filter: str, **more: object) -> AsyncIterator[MqttSource]:
    source = MqttSource(settings, topic_filter=topic_filter, backoff=Backoff(first=0.05, longest=0.2), **more)  # type: ignore[arg-type]
    task = asyncio.create_task(source.run())
    try:
        await until(lambda: source.connected or task.done())
        if task.done():
            task.result()
        yield source
    finally:
        await source.close()
        await asyncio.wait_for(task, 10)


async def publish(broker: MosquittoServer, topic: str, payloads: list[bytes], qos: int = 1) -> None:
    settings = settings_for(broker)
    async with mqtt_client(settings) as client:
        client.pending_calls_threshold = 10_000
        for at in range(0, len(payloads), 500):
            await asyncio.gather(*(client.publish(topic, each, qos=qos) for each in payloads[at : at + 500]))


async def take(source: MqttSource, count: int, *, ack: bool = True) -> list[MqttMessage]:
    messages: list[MqttMessage] = []
    async with asyncio.timeout(60):
        while len(messages) < count:
            batch = await source.next_batch()
            assert batch is not None
            messages += batch.messages
            if ack:
                batch.ack()
    return messages


def numbered(count: int) -> list[bytes]:
    return [b"%d" % n for n in range(count)]


async def test_every_message_arrives_once_in_order(mosquitto: MosquittoServer, version: Version, prefix: str) -> None:
    async with running(settings_for(mosquitto, version), f"{prefix}/+") as source:
        await publish(mosquitto, f"{prefix}/a", numbered(3000))
        messages = await take(source, 3000)
        assert [message.payload for message in messages] == numbered(3000)
        assert {message.topic for message in messages} == {f"{prefix}/a"}
        assert not any(message.redelivered for message in messages)
        assert source.in_flight == 0


async def test_payloads_of_every_size_arrive(mosquitto: MosquittoServer, version: Version, prefix: str) -> None:
    payloads = [bytes([size % 251]) * size for size in (0, 1, 117, 127, 128, 16_383, 16_384, 262_144, 3_000_000)]
    async with running(settings_for(mosquitto, version), f"{prefix}/+") as source:
        await publish(mosquitto, f"{prefix}/a", payloads)
        assert [message.payload for message in await take(source, len(payloads))] == payloads


async def test_what_is_not_acknowledged_comes_again(mosquitto: MosquittoServer, version: Version, prefix: str) -> None:
    settings = settings_for(mosquitto, version)
    async with running(settings, f"{prefix}/+") as source:
        await publish(mosquitto, f"{prefix}/a", numbered(10))
        await take(source, 10)
        await publish(mosquitto, f"{prefix}/a", [b"ten", b"eleven"])
        await take(source, 2, ack=False)
    async with running(settings, f"{prefix}/+") as source:
        again = await take(source, 2)
        assert [(message.payload, message.redelivered) for message in again] == [(b"ten", True), (b"eleven", True)]
    await publish(mosquitto, f"{prefix}/a", [b"while away"])
    async with running(settings, f"{prefix}/+") as source:
        assert [(each.payload, each.redelivered) for each in await take(source, 1)] == [(b"while away", False)]


async def test_acknowledgement_waits_for_earlier_batches(mosquitto: MosquittoServer, prefix: str) -> None:
    settings = settings_for(mosquitto)
    async with running(settings, f"{prefix}/+") as source:
        batches: list[MessageBatch] = []
        for payload in (b"one", b"two"):
            await publish(mosquitto, f"{prefix}/a", [payload])
            batch = await asyncio.wait_for(source.next_batch(), 10)
            assert batch is not None
            batches.append(batch)
        batches[1].ack()
    async with running(settings, f"{prefix}/+") as source:
        assert [message.payload for message in await take(source, 2)] == [b"one", b"two"]


async def test_lost_connection_is_made_again_and_old_acks_are_void(
    tmp_path: Path, version: Version, prefix: str, mosquitto: MosquittoServer
) -> None:
    del mosquitto  # only for its skip where Mosquitto is missing
    with MosquittoServer(state_dir=tmp_path) as broker:
        async with running(settings_for(broker, version), f"{prefix}/+") as source:
            await publish(broker, f"{prefix}/a", numbered(5))
            batch = await asyncio.wait_for(source.next_batch(), 10)
            assert batch is not None
            await asyncio.to_thread(broker.restart)
            await until(lambda: source.connections == 2)
            batch.ack()
            again = await take(source, 5)
            assert [message.payload for message in again] == numbered(5)
            assert all(message.redelivered for message in again)


async def test_receive_maximum_bounds_what_is_in_flight(
    mosquitto: MosquittoServer, version: Version, prefix: str
) -> None:
    settings = settings_for(mosquitto, version, mqtt_receive_maximum=20)
    async with running(settings, f"{prefix}/+") as source:
        await publish(mosquitto, f"{prefix}/a", [b"x" * 50_000] * 300)
        held: list[MessageBatch] = []
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1.0):
                while (batch := await source.next_batch()) is not None:
                    held.append(batch)
        # With 3.1.1 the broker sends on, and what one read of the socket brings comes on top.
        assert source.in_flight == 20 if version == "5" else 20 <= source.in_flight <= 60
        for batch in held:
            batch.ack()
        rest = await take(source, 300 - sum(len(batch.messages) for batch in held))
        assert len(rest) + sum(len(batch.messages) for batch in held) == 300


async def test_unread_socket_does_not_lose_the_connection(
    mosquitto: MosquittoServer, version: Version, prefix: str
) -> None:
    settings = settings_for(mosquitto, version, mqtt_keepalive=1)
    async with running(settings, f"{prefix}/+", max_in_flight_bytes=100_000) as source:
        await publish(mosquitto, f"{prefix}/a", [b"x" * 50_000] * 100)
        batch = await asyncio.wait_for(source.next_batch(), 10)
        assert batch is not None
        await until(lambda: source.paused)
        await asyncio.sleep(3.5)  # keepalive is 1 s, and the broker gives up after 1.5 times that
        assert source.connected
        assert source.connections == 1
        batch.ack()
        await take(source, 100 - len(batch.messages))
        assert not source.paused
        assert source.connections == 1


async def test_retained_message_is_marked(mosquitto: MosquittoServer, version: Version, prefix: str) -> None:
    async with mqtt_client(settings_for(mosquitto)) as client:
        await client.publish(f"{prefix}/a", b"old", qos=1, retain=True)
    async with running(settings_for(mosquitto, version), f"{prefix}/+") as source:
        assert [(each.payload, each.redelivered) for each in await take(source, 1)] == [(b"old", True)]


async def test_shared_group_divides_the_messages(mosquitto: MosquittoServer, prefix: str) -> None:
    group = secrets.token_hex(4)
    async with (
        running(settings_for(mosquitto), f"{prefix}/+", shared_group=group) as one,
        running(settings_for(mosquitto), f"{prefix}/+", shared_group=group) as two,
    ):
        seen: dict[str, list[bytes]] = {"one": [], "two": []}

        async def collect(name: str, source: MqttSource) -> None:
            while (batch := await source.next_batch()) is not None:
                seen[name] += [message.payload for message in batch.messages]
                batch.ack()

        tasks = [asyncio.create_task(collect("one", one)), asyncio.create_task(collect("two", two))]
        await publish(mosquitto, f"{prefix}/a", numbered(200))
        await until(lambda: len(seen["one"]) + len(seen["two"]) >= 200)
        assert sorted(seen["one"] + seen["two"]) == sorted(numbered(200))
        assert seen["one"]
        assert seen["two"]
        await one.stop()
        await two.stop()
        await asyncio.gather(*tasks)


async def test_tls_with_a_client_certificate(mosquitto: MosquittoServer, version: Version, prefix: str) -> None:
    issued = mosquitto.certificates.issue(f"client-{secrets.token_hex(4)}")
    settings = settings_for(
        mosquitto,
        version,
        mqtt_url=mosquitto.tls_url,
        mqtt_ca_file=mosquitto.certificates.ca,
        mqtt_cert_file=issued.certificate,
        mqtt_key_file=issued.key,
        mqtt_alpn="mqtt",
    )
    async with running(settings, f"{prefix}/+") as source:
        await publish(mosquitto, f"{prefix}/a", [b"x" * 40_000, *numbered(500)])
        assert [message.payload for message in await take(source, 501)] == [b"x" * 40_000, *numbered(500)]


async def test_client_without_a_certificate_is_refused(mosquitto: MosquittoServer, prefix: str) -> None:
    settings = settings_for(mosquitto, mqtt_url=mosquitto.tls_url, mqtt_ca_file=mosquitto.certificates.ca)
    client = mqtt_client(settings)
    client.timeout = 1.0
    with pytest.raises(aiomqtt.MqttError):
        async with client:
            await client.subscribe(prefix)


async def test_refused_subscription_names_the_filter(version: Version) -> None:
    is_mqtt5 = version == "5"

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"MQTT")
        writer.write(b"\x20\x03\x00\x00\x00" if is_mqtt5 else b"\x20\x02\x00\x00")  # CONNACK, accepted
        subscribe = (await reader.readuntil(b"denied/#")).partition(b"\x82")[2]
        mid = subscribe[1:3]
        writer.write(b"\x90\x04" + mid + b"\x00\x87" if is_mqtt5 else b"\x90\x03" + mid + b"\x80")  # SUBACK
        await reader.read()
        writer.close()

    broker = await asyncio.start_server(refuse, "127.0.0.1", 0)
    async with broker:
        url = f"mqtt://127.0.0.1:{broker.sockets[0].getsockname()[1]}"
        settings = MqttSettings(mqtt_url=url, mqtt_client_id="test", mqtt_version=version)
        with pytest.raises(SubscriptionRefused, match="denied/#: "):
            await asyncio.wait_for(MqttSource(settings, topic_filter="denied/#").run(), 10)


async def test_stop_ends_the_batches_and_keeps_what_was_not_handed_out(mosquitto: MosquittoServer, prefix: str) -> None:
    settings = settings_for(mosquitto)
    async with running(settings, f"{prefix}/+") as source:
        await publish(mosquitto, f"{prefix}/a", numbered(3))
        batch = await asyncio.wait_for(source.next_batch(), 10)
        assert batch is not None
        held = len(batch.messages)
        await source.stop()
        assert await source.next_batch() is None
        batch.ack()
    async with running(settings, f"{prefix}/+") as source:
        await publish(mosquitto, f"{prefix}/a", [b"last"])
        rest = await take(source, 3 - held + 1)
        assert [message.payload for message in rest] == [*numbered(3)[held:], b"last"]


async def test_broker_that_is_away_at_start_is_waited_for(
    tmp_path: Path, prefix: str, mosquitto: MosquittoServer
) -> None:
    del mosquitto
    broker = MosquittoServer(state_dir=tmp_path)
    source = MqttSource(settings_for(broker), topic_filter=f"{prefix}/+", backoff=Backoff(first=0.05, longest=0.2))
    task = asyncio.create_task(source.run())
    await asyncio.sleep(0.3)
    assert not source.connected
    assert source.attempts.fresh
    with broker:
        await until(lambda: source.connected)
        await source.close()
        await asyncio.wait_for(task, 10)
