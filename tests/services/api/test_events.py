"""The live stream, through a real broker and a real server."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import httpx
import pytest
from tests.servers.broker import MosquittoServer
from tests.servers.waiting import until
from tests.services.api.fakes import NOW, World, served
from tests.services.api.live import Live, Stream, live, watching

from sensorcast_api import examples
from sensorcast_api.services import Limits
from sensorcast_api.stream.frames import ReadingsData, frame
from sensorcast_api.stream.hub import Kind, LiveEvent
from sensorcast_common.clock import from_millis, rfc3339

READING = {"metric": "temperature", "value": 4.25, "unit": "Cel"}


@pytest.fixture
def limits() -> Limits:
    return Limits(heartbeat_seconds=0.3, settle_seconds=0.2)


@pytest.fixture
async def api(limits: Limits, mosquitto: MosquittoServer) -> AsyncIterator[Live]:
    async with live(World(limits=limits), mosquitto) as running:
        yield running


def values(stream: Stream) -> list[tuple[object, object]]:
    return [
        (event.data["device"], point["value"])
        for event in stream.named("readings")
        if isinstance(event.data["readings"], list)
        for point in event.data["readings"]
    ]


async def test_a_published_reading_arrives_within_a_second(api: Live) -> None:
    async with watching(api.address, api.key(), [("device", "truck-1")]) as stream:
        hello = await stream.first("watching")
        assert hello.data == {"devices": ["truck-1"], "live": True}
        began = time.monotonic()
        await api.publish("dt/acme/truck-1/readings", {"ts": rfc3339(from_millis(NOW - 1000)), **READING})
        event = await stream.first("readings", within=20)
        assert time.monotonic() - began < 1
    assert event.id == str(NOW)
    assert event.data["device"] == "truck-1"
    point = {"metric": "temperature", "ts": rfc3339(from_millis(NOW - 1000)), "value": 4.25, "unit": "Cel"}
    assert event.data["readings"] == [point]


async def test_a_stream_shows_only_its_tenant_and_its_devices(api: Live) -> None:
    async with (
        watching(api.address, api.key(), [("device", "truck-1")]) as one,
        watching(api.address, api.key()) as fleet,
        watching(api.address, api.key("other")) as other,
    ):
        for stream in (one, fleet, other):
            assert (await stream.first("watching")).data["live"] is True
        await api.publish("dt/other/truck-1/readings", READING | {"value": 1})
        await api.publish("dt/other/truck-9/readings", READING | {"value": 2})
        await api.publish("dt/acme/truck-2/readings", READING | {"value": 3})
        await api.publish("dt/acme/truck-1/readings", READING | {"value": 4})
        await one.first("readings")
        await fleet.until(lambda: len(values(fleet)) == 2)
        await other.until(lambda: len(values(other)) == 2)
    assert values(one) == [("truck-1", 4)]
    assert values(fleet) == [("truck-2", 3), ("truck-1", 4)]
    assert values(other) == [("truck-1", 1), ("truck-9", 2)]


async def test_the_broker_is_asked_only_for_what_somebody_watches(api: Live) -> None:
    wanted = {"dt/acme/truck-1/readings", "alerts/acme/truck-1"}
    assert api.in_force == set()
    params = [("device", "truck-1")]
    async with watching(api.address, api.key(), params) as first, AsyncExitStack() as second:
        await first.first("watching")
        again = await second.enter_async_context(watching(api.address, api.key(), params))
        await again.first("watching")
        assert api.in_force == wanted
        await second.aclose()
        await until(lambda: len(api.world.services.hub.subscribers) == 1)
        assert api.in_force == set(api.world.services.subscriptions.confirmed) == wanted
    await until(lambda: not api.in_force)
    assert not api.world.services.subscriptions.confirmed
    await until(lambda: api.world.registry.get_sample_value("sensorcast_api_mqtt_subscriptions") == 0)
    assert api.world.registry.get_sample_value("sensorcast_api_streams") == 0


async def test_open_incidents_come_first_and_changes_after(api: Live) -> None:
    opened = api.world.incidents.put("acme", "019a0c2e-5f2b-7c3d-9e4f-000000000001")
    api.world.incidents.put("acme", "019a0c2e-5f2b-7c3d-9e4f-000000000002", state="resolved")
    api.world.incidents.put("acme", "019a0c2e-5f2b-7c3d-9e4f-000000000003", device="truck-2")
    api.world.incidents.put("other", "019a0c2e-5f2b-7c3d-9e4f-000000000004")
    async with watching(api.address, api.key(), [("device", "truck-1")]) as stream:
        snapshot = await stream.first("incidents")
        assert snapshot.data == {"open": [opened.model_dump(mode="json")]}
        forged = opened.model_copy(update={"tenant": "other"}).model_dump(mode="json")
        await api.publish("alerts/acme/truck-1", forged | {"event": "opened"})
        await api.publish("alerts/acme/truck-1", {"no": "incident"})
        resolved = opened.model_dump(mode="json") | {"state": "resolved", "event": "resolved"}
        await api.publish("alerts/acme/truck-1", resolved)
        event = await stream.first("incident")
    assert (event.data["state"], event.data["event"]) == ("resolved", "resolved")
    assert len(stream.named("incident")) == 1
    counted = api.world.registry.get_sample_value("sensorcast_api_mqtt_rejected_total", {"kind": "alert"})
    assert counted == 2


async def test_kinds_are_chosen(api: Live) -> None:
    async with watching(api.address, api.key(), [("kind", "incident")]) as stream:
        await stream.first("incidents")
        await api.publish("dt/acme/truck-1/readings", READING)
        await api.publish(
            "alerts/acme/truck-1", examples.INCIDENT.model_dump(mode="json") | {"tenant": "acme", "device": "truck-1"}
        )
        await stream.first("incident")
    assert not stream.named("readings")


async def test_a_bad_payload_is_counted_and_harms_nobody(api: Live) -> None:
    async with watching(api.address, api.key()) as stream:
        await stream.first("watching")
        await api.publish("dt/acme/truck-1/readings", READING | {"value": "warm"})
        await api.publish("dt/acme/truck-1/readings", READING)
        await stream.first("readings")
    assert values(stream) == [("truck-1", 4.25)]


async def test_silence_is_filled_with_heartbeats(api: Live) -> None:
    async with watching(api.address, api.key()) as stream:
        beat = await stream.first("heartbeat")
    assert beat.data == {"time": rfc3339(from_millis(NOW))}


async def test_a_stream_ends_when_its_key_does(api: Live) -> None:
    key = api.world.keys.make("acme", expires_at=NOW + 1000)
    async with watching(api.address, key) as stream:
        await stream.first("watching")
        api.world.now += 1000
        await stream.until(lambda: stream.ended, within=20)


async def test_a_client_that_comes_back_gets_what_it_missed(api: Live) -> None:
    for ts in (NOW - 120_000, NOW - 20_000, NOW - 10_000):
        api.world.readings.put("acme", "truck-1", ts, ts - NOW)
    api.world.readings.put("other", "truck-1", NOW - 10_000, 99.0)
    last = str(NOW - 15_000)
    async with watching(api.address, api.key(), [("device", "truck-1")], last_event_id=last) as stream:
        await stream.until(lambda: len(values(stream)) == 2)
        # The archiver brings the rest a little later.
        api.world.readings.put("acme", "truck-1", NOW - 5_000, -5_000.0)
        api.world.now += 300
        await stream.until(lambda: len(values(stream)) == 3)
    assert [value for _, value in values(stream)] == [-20_000, -10_000, -5_000]
    assert {event.id for event in stream.named("readings")} == {last}
    assert all(event.data["replayed"] is True for event in stream.named("readings"))


async def test_a_gap_that_is_too_old_asks_for_a_reset(api: Live) -> None:
    async with watching(api.address, api.key(), last_event_id=str(NOW - 3_600_000)) as stream:
        assert (await stream.first("reset")).data == {"reason": "too_old"}


async def test_a_broker_that_goes_and_comes_leaves_no_gap(
    limits: Limits, tmp_path_factory: pytest.TempPathFactory, mosquitto: MosquittoServer
) -> None:
    del mosquitto  # skips where none is installed
    with MosquittoServer(state_dir=tmp_path_factory.mktemp("own")) as own:
        world = World(limits=limits)
        async with live(world, own) as running, watching(running.address, running.key()) as stream:
            assert (await stream.first("watching")).data["live"] is True
            await asyncio.to_thread(own.stop)
            await until(lambda: world.registry.get_sample_value("sensorcast_api_mqtt_connected") == 0)
            world.readings.put("acme", "truck-2", NOW + 1, 7.0)
            await asyncio.to_thread(own.start)
            await stream.first("readings", within=60)
            assert values(stream) == [("truck-2", 7.0)]
            assert set(world.services.subscriptions.confirmed) == {"dt/acme/+/readings", "alerts/acme/+"}


async def test_without_a_broker_the_stream_says_that_it_is_not_live(world: World) -> None:
    async with served(world) as address, watching(address, world.keys.make("acme")) as stream:
        assert (await stream.first("watching")).data == {"devices": None, "live": False}


async def test_a_client_that_does_not_read_hears_what_it_lost() -> None:
    world = World(limits=Limits(queue=10, heartbeat_seconds=0.2))
    hub = world.services.hub
    await world.services.subscriptions.confirm(["dt/acme/+/readings", "alerts/acme/+"])
    async with served(world) as address:
        port = int(address.rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=4096)
        writer.write(f"GET /v1/events HTTP/1.1\r\nHost: api\r\nX-API-Key: {world.keys.make('acme')}\r\n\r\n".encode())
        await until(lambda: len(hub.subscribers) == 1)
        data = frame("readings", ReadingsData(device="x" * 200_000, readings=[]), at=NOW)
        lost = 0
        async with asyncio.timeout(40):
            # Until the sockets between us are full and the queue runs over.
            while not lost:
                lost = hub.publish(LiveEvent(Kind.READINGS, "acme", "truck-1", NOW, data))[1]
                await asyncio.sleep(0)
        async with asyncio.timeout(40):
            read = b""
            while (at := read.find(b"event: dropped\ndata: ")) < 0 or b"\n\n" not in read[at:]:
                read = read[-1000:] + await reader.read(65_536)
        told = read[at:]
        writer.close()
        assert b'"since":"' in told
        await until(lambda: not hub.subscribers)


async def test_streams_are_bounded_per_key_and_altogether() -> None:
    world = World(limits=Limits(streams=2, streams_per_key=1, heartbeat_seconds=0.2))
    key, other = world.keys.make("acme"), world.keys.make("acme")
    async with served(world) as address, watching(address, key), watching(address, other):
        await until(lambda: len(world.services.hub.subscribers) == 2)
        async with httpx.AsyncClient(base_url=address) as client:
            full = await client.get("/v1/events", headers={"X-API-Key": world.keys.make("acme")})
        assert (full.status_code, full.headers["retry-after"]) == (503, "10")
    world = World(limits=Limits(streams_per_key=1))
    key = world.keys.make("acme")
    async with served(world) as address, watching(address, key):
        await until(lambda: len(world.services.hub.subscribers) == 1)
        async with httpx.AsyncClient(base_url=address) as client:
            assert (await client.get("/v1/events", headers={"X-API-Key": key})).status_code == 429


async def test_too_many_devices_are_refused_by_name(world: World) -> None:
    world = World(limits=Limits(stream_devices=1, stream_fleet=1))
    async with world.client() as client:
        for path in ("/v1/events?device=truck-1&device=truck-2", "/v1/events"):
            answer = await client.get(path)
            assert answer.status_code == 422
            assert answer.json()["errors"][0]["field"] == "device"


async def test_stopping_ends_the_streams(world: World) -> None:
    async with AsyncExitStack() as client:
        async with served(world) as address:
            stream = await client.enter_async_context(watching(address, world.keys.make("acme")))
            await stream.until(lambda: world.services.hub.subscribers)
        await stream.until(lambda: stream.ended)
    assert not world.services.hub.subscribers


async def test_a_stream_that_is_cut_and_resumed_shows_every_reading(api: Live) -> None:
    sent: list[float] = []

    async def send(count: int) -> None:
        for _ in range(count):
            number = float(len(sent))
            api.world.now += 100
            sent.append(number)
            await api.publish("dt/acme/truck-1/readings", READING | {"value": number})
            api.world.readings.put("acme", "truck-1", api.world.now, number)

    key, params = api.key(), [("device", "truck-1"), ("kind", "readings")]
    async with watching(api.address, key, params) as before:
        assert (await before.first("watching")).data["live"] is True
        await send(20)
        await before.until(lambda: len(values(before)) == 20)
    await send(20)  # nobody listens
    last = before.named("readings")[-1].id
    async with watching(api.address, key, params, last_event_id=last) as after:
        await after.until(lambda: len(values(after)) >= 20)
        await send(20)
        await after.until(lambda: ("truck-1", sent[-1]) in values(after))
        seen = {value for _, value in values(before) + values(after)}
    assert seen == set(sent)
