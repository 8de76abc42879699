"""What becomes of a message follows from what its handler did, even when AWS fails in between."""

import asyncio
import json
import logging
from typing import Any

import pytest
from faststream import AckPolicy
from faststream.exceptions import AckMessage, NackMessage
from tests.libs.faststream_sqs.conftest import Cloud, Counting, eventually, running
from tests.libs.faststream_sqs.proxy import Call, Proxy

from faststream_sqs import Event, Poison, Retryable, SQSMessage


async def test_failing_handler_leaves_the_message_until_redrive(cloud: Cloud) -> None:
    queue = await cloud.queue(dead_letters=True, max_receives=2)
    broker = cloud.broker()
    counts: list[int] = []

    @broker.subscriber(queue.name, backoff=(0, 0), wait_time=1)
    async def handler(body: str, message: SQSMessage) -> None:
        counts.append(message.receive_count)
        raise RuntimeError("no luck")

    await queue.send("stubborn")
    dead: list[str] = []
    async with running(broker):

        async def moved() -> bool:
            dead.extend(m["Body"] for m in await queue.receive(dead=True))
            return bool(dead)

        await eventually(moved)
    assert counts == [1, 2]
    assert dead == ["stubborn"]
    assert await queue.is_empty()


async def test_visibility_backs_off_with_the_receive_count(cloud: Cloud, proxy: Proxy) -> None:
    queue = await cloud.queue(dead_letters=True, max_receives=2)
    broker = cloud.broker(endpoint_url=proxy.url)
    tries = 0

    @broker.subscriber(queue.name, backoff=(0.5, 300), wait_time=1)
    async def handler(body: str) -> None:
        nonlocal tries
        tries += 1
        raise RuntimeError("no luck")

    await queue.send("stubborn")
    async with running(broker):
        await eventually(lambda: tries == 2)
        await eventually(lambda: proxy.count("ChangeMessageVisibilityBatch") == 2)
    seconds = [a["Entries"][0]["VisibilityTimeout"] for a in proxy.arguments("ChangeMessageVisibilityBatch")]
    assert seconds == [1, 1]  # 0.25 to 0.5 s and 0.5 to 1 s, in whole seconds


async def test_poison_goes_to_the_dead_letter_queue_at_once(cloud: Cloud) -> None:
    queue = await cloud.queue(dead_letters=True)
    counting = Counting()
    broker = cloud.broker(middlewares=(counting,))
    tries = 0

    @broker.subscriber(queue.name, wait_time=1)
    async def handler(body: str) -> None:
        nonlocal tries
        tries += 1
        raise Poison("unknown version 9")

    async with running(broker):
        await broker.publish('{"v": 9}', queue.name, headers={"kind": "batch", "raw": b"\x00\x01"})
        await eventually(queue.is_empty)
    (letter,) = await queue.receive(dead=True)
    assert letter["Body"] == '{"v": 9}'
    attributes = letter["MessageAttributes"]
    assert attributes["dead-letter-reason"]["StringValue"] == "unknown version 9"
    assert attributes["dead-letter-source"]["StringValue"] == queue.name
    assert attributes["kind"]["StringValue"] == "batch"
    assert attributes["raw"]["BinaryValue"] == b"\x00\x01"
    assert tries == 1
    assert counting.events.count(Event.DEAD_LETTERED) == 1


async def test_poison_with_ten_attributes_keeps_them_all(cloud: Cloud) -> None:
    queue = await cloud.queue(dead_letters=True)
    broker = cloud.broker()

    @broker.subscriber(queue.name, wait_time=1)
    async def handler(body: str) -> None:
        raise Poison("no")

    headers = {f"h{i}": str(i) for i in range(8)}  # beside content-type and correlation_id
    async with running(broker):
        await broker.publish("full", queue.name, headers=headers)
        await eventually(queue.is_empty)
    (letter,) = await queue.receive(dead=True)
    attributes = letter["MessageAttributes"]
    moved = json.loads(attributes["moved-attributes"]["StringValue"])
    found = {name: value["StringValue"] for name, value in (*attributes.items(), *moved.items())}
    assert len(attributes) == 10
    assert headers.items() <= found.items()
    assert {"content-type", "correlation_id"} <= found.keys()
    assert found["dead-letter-reason"] == "no"


async def test_poison_without_a_dead_letter_queue_fails_and_says_so(
    cloud: Cloud, caplog: pytest.LogCaptureFixture
) -> None:
    queue = await cloud.queue()
    broker = cloud.broker()
    tries = 0

    @broker.subscriber(queue.name, backoff=(0, 0), wait_time=1)
    async def handler(body: str) -> None:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise Poison("bad")

    logging.getLogger("faststream.access.sqs").propagate = True
    await queue.send("one")
    async with running(broker):
        await eventually(lambda: tries == 2)
        await eventually(queue.is_empty)
    assert any("no dead-letter queue" in record.getMessage() for record in caplog.records)


async def test_retryable_says_when_to_try_again(cloud: Cloud, proxy: Proxy) -> None:
    queue = await cloud.queue()
    broker = cloud.broker(endpoint_url=proxy.url)

    @broker.subscriber(queue.name, wait_time=1)
    async def handler(body: str) -> None:
        raise Retryable("lake is away", after=77)

    await queue.send("one")
    async with running(broker):
        await eventually(lambda: proxy.count("ChangeMessageVisibilityBatch") == 1)
    (asked,) = proxy.arguments("ChangeMessageVisibilityBatch")
    assert asked["Entries"][0]["VisibilityTimeout"] == 77


async def test_own_errors_may_be_poison_or_say_when(cloud: Cloud, proxy: Proxy) -> None:
    queue = await cloud.queue(dead_letters=True)
    broker = cloud.broker(
        endpoint_url=proxy.url,
        poison_on=(KeyError,),
        retry_after=lambda error: 33.0 if isinstance(error, OSError) else None,
    )

    @broker.subscriber(queue.name, wait_time=1)
    async def handler(body: str) -> None:
        raise KeyError("tenant") if body == "poison" else OSError("away")

    await queue.send("poison", "later")
    async with running(broker):
        await eventually(lambda: proxy.count("SendMessageBatch") == 1)
        await eventually(lambda: proxy.count("ChangeMessageVisibilityBatch") == 1)
        await eventually(lambda: proxy.count("DeleteMessageBatch") == 1)
    (letter,) = await queue.receive(dead=True)
    assert letter["MessageAttributes"]["dead-letter-reason"]["StringValue"] == "KeyError: 'tenant'"
    (asked,) = proxy.arguments("ChangeMessageVisibilityBatch")
    assert asked["Entries"][0]["VisibilityTimeout"] == 33


async def test_faststream_exceptions_settle_too(cloud: Cloud) -> None:
    queue = await cloud.queue(dead_letters=True)
    broker = cloud.broker()

    @broker.subscriber(queue.name, wait_time=1, max_workers=3)
    async def handler(body: str, message: SQSMessage) -> None:
        if body == "ack":
            raise AckMessage
        if body == "nack":
            raise NackMessage(after=600)
        await message.reject(reason="by hand")

    await queue.send("ack", "nack", "reject")
    async with running(broker):

        async def only_nacked() -> bool:
            return await queue.depth() == (0, 1)

        await eventually(only_nacked)
    (letter,) = await queue.receive(dead=True)
    assert letter["Body"] == "reject"
    assert letter["MessageAttributes"]["dead-letter-reason"]["StringValue"] == "by hand"
    assert await queue.depth() == (0, 1)


async def test_manual_policy_leaves_settling_to_the_handler(cloud: Cloud) -> None:
    queue = await cloud.queue()
    broker = cloud.broker()
    kept: list[SQSMessage] = []

    @broker.subscriber(queue.name, wait_time=1, ack_policy=AckPolicy.MANUAL)
    async def handler(body: str, message: SQSMessage) -> None:
        kept.append(message)

    await queue.send("one")
    async with running(broker):
        await eventually(lambda: len(kept) == 1)
        await asyncio.sleep(0.2)  # room for a deletion that must not come
        assert await queue.depth() == (0, 1)
        await kept[0].ack()
        await eventually(queue.is_empty)


async def test_failed_entries_of_a_deletion_are_sent_again(cloud: Cloud, proxy: Proxy) -> None:
    queue = await cloud.queue()
    broker = cloud.broker(endpoint_url=proxy.url)
    failed: set[str] = set()
    handled: list[str] = []

    def fail_each_first_time(call: Call, entry: dict[str, Any]) -> tuple[str, bool] | None:
        if call.operation != "DeleteMessageBatch" or entry["ReceiptHandle"] in failed:
            return None
        failed.add(entry["ReceiptHandle"])
        return ("InternalError", False)

    proxy.fail_entry = fail_each_first_time

    @broker.subscriber(queue.name, wait_time=1, max_workers=10)
    async def handler(body: str) -> None:
        handled.append(body)

    await queue.send("a", "b", "c")
    async with running(broker):
        await eventually(queue.is_empty)
    assert sorted(handled) == ["a", "b", "c"]
    assert len(failed) == 3


async def test_handled_message_outlives_an_outage_of_deletions(cloud: Cloud, proxy: Proxy) -> None:
    queue = await cloud.queue()
    broker = cloud.broker(endpoint_url=proxy.url)
    handled: list[str] = []
    proxy.broken = {"DeleteMessageBatch"}

    @broker.subscriber(queue.name, wait_time=1, visibility_timeout=4)
    async def handler(body: str) -> None:
        handled.append(body)

    await queue.send("once")
    async with running(broker):
        await eventually(lambda: handled == ["once"])
        await asyncio.sleep(4.3)  # longer than the visibility timeout
        proxy.broken = set()
        await eventually(queue.is_empty)
    assert handled == ["once"]


async def test_deletion_that_fails_for_good_is_reported(cloud: Cloud, proxy: Proxy) -> None:
    queue = await cloud.queue()
    counting = Counting()
    broker = cloud.broker(endpoint_url=proxy.url, middlewares=(counting,))
    proxy.fail_entry = lambda call, _: (
        ("ReceiptHandleIsInvalid", True) if call.operation == "DeleteMessageBatch" else None
    )

    @broker.subscriber(queue.name, wait_time=1)
    async def handler(body: str) -> None: ...

    await queue.send("one")
    async with running(broker):
        await eventually(lambda: Event.DELETE_FAILED in counting.events)
    assert Event.DELETED not in counting.events


async def test_dead_letter_that_cannot_be_sent_stays_in_the_queue(cloud: Cloud, proxy: Proxy) -> None:
    queue = await cloud.queue(dead_letters=True)
    counting = Counting()
    broker = cloud.broker(endpoint_url=proxy.url, middlewares=(counting,))
    proxy.fail_entry = lambda call, _: (
        ("InvalidMessageContents", True) if call.operation == "SendMessageBatch" else None
    )

    @broker.subscriber(queue.name, wait_time=1, backoff=(60, 60))
    async def handler(body: str) -> None:
        raise Poison("bad")

    await queue.send("one")
    async with running(broker):
        await eventually(lambda: Event.DEAD_LETTER_FAILED in counting.events)
        await eventually(lambda: proxy.count("ChangeMessageVisibilityBatch") == 1)
    assert await queue.depth() == (0, 1)
    assert await queue.receive(dead=True) == []


async def test_deletions_share_requests(cloud: Cloud, proxy: Proxy) -> None:
    queue = await cloud.queue()
    broker = cloud.broker(endpoint_url=proxy.url)

    @broker.subscriber(queue.name, wait_time=1, max_workers=30, linger=0.1)
    async def handler(body: str) -> None: ...

    await queue.send(*(f"m{i}" for i in range(30)))
    async with running(broker):
        await eventually(queue.is_empty)
    assert proxy.count("DeleteMessageBatch") <= 6
