"""What is missing is said at the start, by name."""

import asyncio

import pytest
from tests.libs.faststream_sqs.conftest import Cloud, eventually, running

from faststream_sqs import QueueNotFoundError, SQSBroker, SQSRouter, TopicNotFoundError


async def test_missing_queue_is_an_error_that_names_it(cloud: Cloud) -> None:
    there = await cloud.queue()
    broker = cloud.broker()

    @broker.subscriber(there.name)
    async def first(body: str) -> None: ...

    @broker.subscriber("no-such-queue")
    async def second(body: str) -> None: ...

    with pytest.raises(QueueNotFoundError, match="'no-such-queue' does not exist in eu-central-1"):
        await broker.start()
    assert [t.get_name() for t in asyncio.all_tasks() if t.get_name().startswith("sqs-")] == []


async def test_missing_queue_by_url_is_an_error_that_names_it(cloud: Cloud) -> None:
    there = await cloud.queue()
    broker = cloud.broker()

    @broker.subscriber(there.url + "-not")
    async def handler(body: str) -> None: ...

    with pytest.raises(QueueNotFoundError, match=there.name + "-not"):
        await broker.start()


async def test_missing_dead_letter_queue_is_an_error_that_names_it(cloud: Cloud) -> None:
    queue = await cloud.queue()
    broker = cloud.broker()

    @broker.subscriber(queue.name, dead_letter_queue="no-such-dlq")
    async def handler(body: str) -> None: ...

    with pytest.raises(QueueNotFoundError, match="no-such-dlq"):
        await broker.start()


async def test_missing_topic_is_an_error_that_names_it(cloud: Cloud) -> None:
    broker = cloud.broker()
    broker.publisher(topic="no-such-topic")
    with pytest.raises(TopicNotFoundError, match="'no-such-topic'"):
        await broker.start()


async def test_missing_queue_of_a_publisher_is_an_error_that_names_it(cloud: Cloud) -> None:
    broker = cloud.broker()
    broker.publisher("no-such-queue")
    with pytest.raises(QueueNotFoundError, match="'no-such-queue'"):
        await broker.start()


async def test_queue_may_be_given_by_url_or_arn(cloud: Cloud) -> None:
    queue, other = await cloud.queue(), await cloud.queue()
    broker = cloud.broker()
    seen: list[str] = []

    @broker.subscriber(queue.url, wait_time=1)
    async def by_url(body: str) -> None:
        seen.append(body)

    @broker.subscriber(await cloud.arn(other.url), wait_time=1)
    async def by_arn(body: str) -> None:
        seen.append(body)

    async with running(broker):
        await broker.publish("url", queue.url)
        await broker.publish("arn", await cloud.arn(other.url))
        await eventually(lambda: sorted(seen) == ["arn", "url"])


async def test_router_prefixes_names(cloud: Cloud) -> None:
    queue = await cloud.queue()
    router = SQSRouter(prefix=queue.name[:4])
    seen: list[str] = []

    @router.subscriber(queue.name[4:], wait_time=1)
    async def handler(body: str) -> None:
        seen.append(body)

    broker = cloud.broker()
    broker.include_router(router)
    async with running(broker):
        await queue.send("one")
        await eventually(lambda: seen == ["one"])


def test_arguments_out_of_range_are_named() -> None:
    broker = SQSBroker()
    for field, arguments in {
        "wait_time": {"wait_time": 21},
        "max_workers": {"max_workers": 0},
        "visibility_timeout": {"visibility_timeout": 0},
        "prefetch": {"prefetch": -1},
        "backoff": {"backoff": (5, 1)},
    }.items():
        with pytest.raises(ValueError, match=field):
            broker.subscriber("q", **arguments)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="queue, topic"):
        broker.publisher()
    with pytest.raises(ValueError, match="graceful_timeout"):
        SQSBroker(graceful_timeout=-1)


async def test_one_message_can_be_asked_for(cloud: Cloud) -> None:
    queue = await cloud.queue()
    broker = cloud.broker()
    subscriber = broker.subscriber(queue.name, wait_time=1)
    async with running(broker):
        assert await subscriber.get_one(timeout=1) is None
        await queue.send('{"a": 1}')
        message = await subscriber.get_one(timeout=1)
        assert message is not None
        assert await message.decode() == {"a": 1}
        await message.ack()
        await eventually(queue.is_empty)
