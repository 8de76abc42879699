"""A message is handled, and deleted only after that."""

import asyncio

from tests.libs.faststream_sqs.conftest import Cloud, eventually


async def test_handled_message_is_deleted(cloud: Cloud) -> None:
    queue = await cloud.queue()
    broker = cloud.broker()
    seen: list[dict[str, int]] = []

    @broker.subscriber(queue.name)
    async def handler(body: dict[str, int]) -> None:
        seen.append(body)

    await broker.start()
    try:
        await broker.publish({"a": 1}, queue.name)
        await eventually(lambda: seen == [{"a": 1}])
        await eventually(queue.is_empty)
    finally:
        await broker.stop()


async def test_message_is_not_deleted_while_its_handler_runs(cloud: Cloud) -> None:
    queue = await cloud.queue()
    broker = cloud.broker()
    started, go_on = asyncio.Event(), asyncio.Event()

    @broker.subscriber(queue.name)
    async def handler(body: str) -> None:
        started.set()
        await go_on.wait()

    await broker.start()
    try:
        await queue.send("one")
        async with asyncio.timeout(40):
            await started.wait()
        assert await queue.depth() == (0, 1)
        go_on.set()
        await eventually(queue.is_empty)
    finally:
        await broker.stop()
