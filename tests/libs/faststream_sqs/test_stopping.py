"""Stopping leaves no message behind."""

import asyncio
import time

from faststream import AckPolicy
from faststream.exceptions import StopConsume
from tests.libs.faststream_sqs.conftest import Cloud, eventually, running
from tests.libs.faststream_sqs.proxy import Proxy


async def test_stop_cancels_the_long_poll(cloud: Cloud, proxy: Proxy) -> None:
    queue = await cloud.queue()
    broker = cloud.broker(endpoint_url=proxy.url)

    @broker.subscriber(queue.name, wait_time=20)
    async def handler(body: str) -> None: ...

    await broker.start()
    await eventually(lambda: proxy.open["ReceiveMessage"] == 1)
    began = time.perf_counter()
    await broker.stop()
    assert time.perf_counter() - began < 2


async def test_stop_waits_for_running_handlers(cloud: Cloud) -> None:
    queue = await cloud.queue()
    broker = cloud.broker()
    started = asyncio.Event()
    handled: list[str] = []

    @broker.subscriber(queue.name, wait_time=1)
    async def handler(body: str) -> None:
        started.set()
        await asyncio.sleep(0.5)
        handled.append(body)

    await queue.send("one")
    async with running(broker), asyncio.timeout(40):
        await started.wait()
    assert handled == ["one"]
    assert await queue.is_empty()


async def test_what_was_not_started_is_released(cloud: Cloud) -> None:
    queue = await cloud.queue()
    broker = cloud.broker()
    started, go_on = asyncio.Event(), asyncio.Event()

    @broker.subscriber(queue.name, wait_time=1, prefetch=5)
    async def handler(body: str) -> None:
        started.set()
        await go_on.wait()

    await queue.send("a", "b", "c", "d")
    await broker.start()
    async with asyncio.timeout(40), asyncio.TaskGroup() as tasks:
        await started.wait()

        async def all_held() -> bool:
            return await queue.depth() == (0, 4)

        async def others_may_have_them() -> bool:
            return await queue.depth() == (3, 1)

        await eventually(all_held)
        tasks.create_task(broker.stop())
        await eventually(others_may_have_them, within=4)  # at once, not when the handler has ended
        go_on.set()
    assert await queue.depth() == (3, 0)


async def test_late_handlers_are_cancelled_and_their_messages_released(cloud: Cloud) -> None:
    queue = await cloud.queue()
    broker = cloud.broker(graceful_timeout=0.2)
    started = asyncio.Event()
    cancelled = asyncio.Event()

    @broker.subscriber(queue.name, wait_time=1)
    async def handler(body: str) -> None:
        started.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    await queue.send("one")
    async with running(broker), asyncio.timeout(40):
        await started.wait()
    assert cancelled.is_set()
    assert await queue.depth() == (1, 0)


async def test_late_batch_is_released_as_a_whole(cloud: Cloud) -> None:
    queue = await cloud.queue()
    broker = cloud.broker(graceful_timeout=0.2)
    started = asyncio.Event()

    @broker.subscriber(queue.name, batch=True, max_batch=20, batch_wait=0.5, wait_time=1)
    async def handler(bodies: list[str]) -> None:
        started.set()
        await asyncio.sleep(60)

    await queue.send(*(f"m{i}" for i in range(15)))
    async with running(broker), asyncio.timeout(40):
        await started.wait()
    assert await queue.depth() == (15, 0)


async def test_messages_of_a_poll_that_returns_after_the_stop_are_released(cloud: Cloud, proxy: Proxy) -> None:
    queue = await cloud.queue()
    broker = cloud.broker(endpoint_url=proxy.url)
    handled: list[str] = []
    answer = proxy.hold_answer["ReceiveMessage"] = asyncio.Event()

    @broker.subscriber(queue.name, wait_time=1)
    async def handler(body: str) -> None:
        handled.append(body)

    await queue.send("a", "b")
    await broker.start()

    async def handed_out() -> bool:
        return await queue.depth() == (0, 2)

    await eventually(handed_out)  # the server has handed the messages out, and we do not have them yet
    async with asyncio.timeout(40), asyncio.TaskGroup() as tasks:
        tasks.create_task(broker.stop())
        await asyncio.sleep(0.01)  # the stop has begun
        answer.set()
    assert handled == []
    assert await queue.depth() == (2, 0)


async def test_handler_may_stop_its_subscriber(cloud: Cloud) -> None:
    queue = await cloud.queue()
    broker = cloud.broker()
    seen: list[str] = []

    subscriber = broker.subscriber(queue.name, wait_time=1)

    @subscriber
    async def handler(body: str) -> None:
        seen.append(body)
        raise StopConsume

    await queue.send("one")
    async with running(broker):
        await eventually(lambda: bool(seen) and not subscriber.running)

        async def released() -> bool:
            return await queue.depth() == (1, 0)

        await eventually(released, within=4)
    assert seen == ["one"]


async def test_broker_starts_again_after_a_stop(cloud: Cloud) -> None:
    queue = await cloud.queue()
    broker = cloud.broker()
    seen: list[str] = []

    # The emulators do not see that the first broker left its long poll, which may take the second message with it
    @broker.subscriber(queue.name, wait_time=1, visibility_timeout=1)
    async def handler(body: str) -> None:
        seen.append(body)

    for body in ("first", "second"):
        await queue.send(body)
        async with running(broker):
            await eventually(queue.is_empty)
    assert seen == ["first", "second"]


async def test_stop_leaves_no_task_behind(cloud: Cloud) -> None:
    queue = await cloud.queue()
    broker = cloud.broker()

    @broker.subscriber(queue.name, wait_time=1)
    async def handler(body: str) -> None: ...

    async with running(broker):
        assert any(task.get_name().startswith("sqs-") for task in asyncio.all_tasks())
    await asyncio.sleep(0)
    assert [task.get_name() for task in asyncio.all_tasks() if task.get_name().startswith("sqs-")] == []


async def test_what_a_manual_handler_left_open_is_released(cloud: Cloud) -> None:
    queue = await cloud.queue()
    broker = cloud.broker()
    seen = asyncio.Event()

    @broker.subscriber(queue.name, wait_time=1, ack_policy=AckPolicy.MANUAL)
    async def handler(body: str) -> None:
        seen.set()

    await queue.send("one")
    async with running(broker), asyncio.timeout(40):
        await seen.wait()
    assert await queue.depth() == (1, 0)
