"""Polling is long, bounded, concurrent, and gentle with an endpoint that is away."""

import asyncio

from tests.libs.faststream_sqs.conftest import Cloud, eventually, running
from tests.libs.faststream_sqs.proxy import Proxy


async def test_idle_queue_is_long_polled(cloud: Cloud, proxy: Proxy) -> None:
    queue = await cloud.queue()
    broker = cloud.broker(endpoint_url=proxy.url)

    @broker.subscriber(queue.name, wait_time=1)
    async def handler(body: str) -> None: ...

    async with running(broker):
        await asyncio.sleep(1.3)  # the time is what is measured: requests per second
    assert 2 <= proxy.count("ReceiveMessage") <= 3
    assert {a["WaitTimeSeconds"] for a in proxy.arguments("ReceiveMessage")} == {1}


async def test_short_polls_of_an_empty_queue_are_no_hot_loop(cloud: Cloud, proxy: Proxy) -> None:
    queue = await cloud.queue()
    broker = cloud.broker(endpoint_url=proxy.url)

    @broker.subscriber(queue.name, wait_time=0)
    async def handler(body: str) -> None: ...

    async with running(broker):
        await asyncio.sleep(1)  # the time is what is measured
    assert proxy.count("ReceiveMessage") <= 8


async def test_prefetch_is_bounded(cloud: Cloud) -> None:
    queue = await cloud.queue()
    broker = cloud.broker()
    go_on = asyncio.Event()
    handled: list[str] = []

    @broker.subscriber(queue.name, max_workers=2, prefetch=3, wait_time=1)
    async def handler(body: str) -> None:
        await go_on.wait()
        handled.append(body)

    await queue.send(*(f"m{i}" for i in range(12)))
    async with running(broker):

        async def full() -> bool:
            return await queue.depth() == (7, 5)

        await eventually(full)
        await asyncio.sleep(0.2)  # room for a poll too many
        assert await queue.depth() == (7, 5)
        go_on.set()
        await eventually(lambda: len(handled) == 12)
        await eventually(queue.is_empty)


async def test_concurrency_is_bounded_and_used(cloud: Cloud) -> None:
    queue = await cloud.queue()
    broker = cloud.broker()
    busy = 0
    most = 0
    handled = 0

    @broker.subscriber(queue.name, max_workers=3, wait_time=1)
    async def handler(body: str) -> None:
        nonlocal busy, most, handled
        busy += 1
        most = max(most, busy)
        await asyncio.sleep(0.05)
        busy -= 1
        handled += 1

    await queue.send(*(f"m{i}" for i in range(20)))
    async with running(broker):
        await eventually(lambda: handled == 20)
    assert most == 3


async def test_several_polls_are_open_at_once(cloud: Cloud, proxy: Proxy) -> None:
    queue = await cloud.queue()
    broker = cloud.broker(endpoint_url=proxy.url)

    @broker.subscriber(queue.name, pollers=3, prefetch=40, wait_time=2)
    async def handler(body: str) -> None: ...

    async with running(broker):
        await eventually(lambda: proxy.open["ReceiveMessage"] == 3)
    assert proxy.most_open["ReceiveMessage"] == 3


async def test_recovers_when_the_endpoint_answered_5xx(cloud: Cloud, proxy: Proxy) -> None:
    queue = await cloud.queue()
    broker = cloud.broker(endpoint_url=proxy.url)
    seen: list[str] = []

    @broker.subscriber(queue.name, wait_time=1)
    async def handler(body: str) -> None:
        seen.append(body)

    async with running(broker):
        await eventually(lambda: proxy.count("ReceiveMessage") > 0)
        proxy.down = True
        before = proxy.count("ReceiveMessage")
        await eventually(lambda: proxy.count("ReceiveMessage") > before)  # the open poll was still answered
        await asyncio.sleep(1)  # an outage of a second
        assert proxy.count("ReceiveMessage") - before <= 4
        proxy.down = False
        await queue.send("after")
        await eventually(lambda: seen == ["after"])


async def test_recovers_when_the_connection_was_refused(cloud: Cloud, proxy: Proxy) -> None:
    queue = await cloud.queue()
    broker = cloud.broker(endpoint_url=proxy.url)
    seen: list[str] = []

    # The poll that was interrupted may still be answered by the emulator, to nobody
    @broker.subscriber(queue.name, wait_time=1, visibility_timeout=1)
    async def handler(body: str) -> None:
        seen.append(body)

    async with running(broker):
        await eventually(lambda: proxy.count("ReceiveMessage") > 0)
        await proxy.refuse()
        await asyncio.sleep(0.5)  # an outage of half a second
        await proxy.listen()
        await queue.send("after")
        await eventually(lambda: seen == ["after"])


async def test_tells_when_the_last_poll_was_answered(cloud: Cloud) -> None:
    queue = await cloud.queue()
    broker = cloud.broker()

    @broker.subscriber(queue.name, wait_time=1)
    async def handler(body: str) -> None: ...

    assert broker.seconds_since_poll is None
    assert not await broker.ping()
    async with running(broker):
        await eventually(lambda: broker.seconds_since_poll is not None)
        age = broker.seconds_since_poll
        assert age is not None
        assert age < 2
        assert await broker.ping()
