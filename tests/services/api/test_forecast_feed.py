"""Forecasts reach the streams that have not seen them, at a bounded rate of lookups."""

from tests.services.api.fakes import NOW, World

from sensorcast_api.stream.forecast_feed import ForecastFeed
from sensorcast_api.stream.hub import Kind, LiveEvent, Subscriber
from sensorcast_common.reading import SeriesKey


def feed(world: World, *, reads_per_second: int = 20) -> ForecastFeed:
    return ForecastFeed(
        world.forecasts,
        hub=world.services.hub,
        clock=world.services.clock,
        metrics=world.services.metrics,
        every_seconds=10,
        reads_per_second=reads_per_second,
        monotonic=lambda: world.monotonic,
    )


def watcher(world: World, *devices: str) -> Subscriber:
    made = Subscriber(
        tenant="acme",
        devices=frozenset(devices),
        kinds=frozenset(Kind),
        series=[SeriesKey("acme", device, "temperature") for device in devices],
        limit=100,
    )
    world.services.hub.add(made)
    return made


async def received(subscriber: Subscriber) -> int:
    count = 0
    while isinstance(await subscriber.next(heartbeat_seconds=0.001), LiveEvent):
        count += 1
    return count


async def test_each_stream_gets_each_forecast_once(world: World) -> None:
    world.forecasts.put("acme", "truck-1", NOW)
    looking, early = feed(world), watcher(world, "truck-1")
    await looking.look()
    await looking.look()
    late = watcher(world, "truck-1")
    world.monotonic += 3
    await looking.look()
    assert (await received(early), await received(late)) == (1, 1)
    world.forecasts.put("acme", "truck-1", NOW + 300_000)
    world.monotonic += 11
    await looking.look()
    assert (await received(early), await received(late)) == (1, 1)


async def test_nobody_watching_means_no_lookups(world: World) -> None:
    world.forecasts.put("acme", "truck-1", NOW)
    looking, gone = feed(world), watcher(world, "truck-1")
    world.services.hub.remove(gone)
    await looking.look()
    assert world.forecasts.reads == []


async def test_lookups_are_bounded_and_every_series_gets_its_turn(world: World) -> None:
    devices = [f"van-{number:02d}" for number in range(50)]
    watcher(world, *devices)
    looking = feed(world, reads_per_second=20)
    sizes = []
    for _ in range(3):
        before = len(world.forecasts.reads)
        await looking.look()
        sizes.append(len(world.forecasts.reads) - before)
        world.monotonic += 1
    assert sizes == [20, 20, 20]
    assert {series.device for series in world.forecasts.reads} == set(devices)
