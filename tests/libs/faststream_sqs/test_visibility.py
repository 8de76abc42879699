"""A held message stays invisible to others, and a lost one is noticed."""

import asyncio
import logging

import pytest
from tests.libs.faststream_sqs.conftest import Cloud, Counting, eventually, running
from tests.libs.faststream_sqs.proxy import Proxy

from faststream_sqs import Event, SQSMessage


async def test_visibility_is_extended_while_handled_and_while_buffered(cloud: Cloud) -> None:
    queue = await cloud.queue()
    broker = cloud.broker()
    handled: list[str] = []
    go_on = asyncio.Event()

    @broker.subscriber(queue.name, visibility_timeout=4, prefetch=1, wait_time=1)
    async def handler(body: str) -> None:
        await go_on.wait()
        handled.append(body)

    await queue.send("first", "second")
    async with running(broker):

        async def both_held() -> bool:
            return await queue.depth() == (0, 2)

        await eventually(both_held)
        stolen = []
        until = asyncio.get_running_loop().time() + 4.5
        while asyncio.get_running_loop().time() < until:  # longer than the visibility timeout
            stolen += await queue.receive()
            await asyncio.sleep(0.05)
        assert stolen == []
        go_on.set()
        await eventually(queue.is_empty)
    assert sorted(handled) == ["first", "second"]


async def test_extensions_are_batched(cloud: Cloud, proxy: Proxy) -> None:
    queue = await cloud.queue()
    broker = cloud.broker(endpoint_url=proxy.url)
    go_on = asyncio.Event()

    @broker.subscriber(queue.name, batch=True, max_batch=60, batch_wait=0.2, visibility_timeout=3, wait_time=1)
    async def handler(bodies: list[str]) -> None:
        await go_on.wait()

    await queue.send(*(f"m{i}" for i in range(60)))
    async with running(broker):

        async def all_held() -> bool:
            return await queue.depth() == (0, 60)

        await eventually(all_held)
        before = asyncio.get_running_loop().time()
        await eventually(lambda: proxy.count("ChangeMessageVisibilityBatch") >= 6)
        await asyncio.sleep(max(0, 2.0 - (asyncio.get_running_loop().time() - before)))
        calls = proxy.arguments("ChangeMessageVisibilityBatch")
        extended = {entry["ReceiptHandle"] for call in calls for entry in call["Entries"]}
        assert len(extended) == 60
        assert len(calls) <= 18  # one round of six requests, or stragglers between
        go_on.set()
        await eventually(queue.is_empty)


async def test_message_whose_lease_is_lost_is_noticed(
    cloud: Cloud, proxy: Proxy, caplog: pytest.LogCaptureFixture
) -> None:
    queue = await cloud.queue()
    counting = Counting()
    broker = cloud.broker(endpoint_url=proxy.url, middlewares=(counting,))
    logging.getLogger("faststream.access.sqs").propagate = True
    proxy.fail_entry = lambda call, _: (
        ("ReceiptHandleIsInvalid", True) if call.operation == "ChangeMessageVisibilityBatch" else None
    )

    @broker.subscriber(queue.name, visibility_timeout=1, wait_time=1)
    async def handler(body: str, message: SQSMessage) -> None:
        await eventually(lambda: message.lost)

    await queue.send("one")
    async with running(broker):
        await eventually(lambda: Event.LEASE_LOST in counting.events)
        await eventually(lambda: proxy.count("DeleteMessageBatch") > 0)
    said = [record.getMessage() for record in caplog.records]
    assert any("could not be kept invisible" in line for line in said)
    assert any("handled after others could see it" in line for line in said)


async def test_expired_receipt_of_the_real_server_is_noticed(cloud: Cloud) -> None:
    queue = await cloud.queue()
    counting = Counting()
    broker = cloud.broker(middlewares=(counting,))
    lost = asyncio.Event()

    @broker.subscriber(queue.name, visibility_timeout=2, wait_time=1)
    async def handler(body: str, message: SQSMessage) -> None:
        # Somebody else deletes the message while it is handled here
        receipt = message.raw_message.receipt_handle
        await cloud.sqs.delete_message(QueueUrl=queue.url, ReceiptHandle=receipt)
        await eventually(lambda: message.lost)
        lost.set()

    await queue.send("one")
    async with running(broker):
        async with asyncio.timeout(40):
            await lost.wait()
    assert Event.LEASE_LOST in counting.events


async def test_extension_survives_a_short_outage(cloud: Cloud, proxy: Proxy) -> None:
    queue = await cloud.queue()
    counting = Counting()
    broker = cloud.broker(endpoint_url=proxy.url, middlewares=(counting,))
    go_on = asyncio.Event()
    handled: list[str] = []

    @broker.subscriber(queue.name, visibility_timeout=8, wait_time=1)
    async def handler(body: str) -> None:
        await go_on.wait()
        handled.append(body)

    proxy.broken = {"ChangeMessageVisibilityBatch"}
    await queue.send("one")
    async with running(broker):
        await eventually(lambda: proxy.count("ChangeMessageVisibilityBatch") >= 1)
        proxy.broken = set()
        extensions = proxy.count("ChangeMessageVisibilityBatch")
        await eventually(lambda: proxy.count("ChangeMessageVisibilityBatch") > extensions)
        go_on.set()
        await eventually(queue.is_empty)
    assert handled == ["one"]
    assert Event.LEASE_LOST not in counting.events
