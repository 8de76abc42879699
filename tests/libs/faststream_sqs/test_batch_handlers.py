"""A batch handler takes lists, and may fail single messages of one."""

from tests.libs.faststream_sqs.conftest import Cloud, eventually, running
from tests.libs.faststream_sqs.proxy import Proxy

from faststream_sqs import BatchFailures, Poison, SQSBatchMessage


async def test_several_receives_are_joined_to_one_batch(cloud: Cloud) -> None:
    queue = await cloud.queue()
    broker = cloud.broker()
    batches: list[list[int]] = []

    # One poller: moto's server may give a message to two that ask at the same time.
    @broker.subscriber(queue.name, batch=True, max_batch=25, batch_wait=3, wait_time=1, pollers=1)
    async def handler(bodies: list[int]) -> None:
        batches.append(bodies)

    await queue.send(*(str(i) for i in range(25)))
    async with running(broker):
        await eventually(lambda: len(batches) == 1)
        await eventually(queue.is_empty)
    assert sorted(batches[0]) == list(range(25))


async def test_batch_goes_when_its_wait_is_over(cloud: Cloud) -> None:
    queue = await cloud.queue()
    broker = cloud.broker()
    batches: list[list[str]] = []

    @broker.subscriber(queue.name, batch=True, max_batch=100, batch_wait=0.1, wait_time=1)
    async def handler(bodies: list[str], message: SQSBatchMessage) -> None:
        assert [m.body for m in message.raw_message] == bodies
        assert all(headers["ApproximateReceiveCount"] == "1" for headers in message.batch_headers)
        batches.append(bodies)

    await queue.send("a")
    async with running(broker):
        await eventually(lambda: batches == [["a"]])
        await eventually(queue.is_empty)


async def test_failed_messages_stay_and_the_rest_is_deleted(cloud: Cloud) -> None:
    queue = await cloud.queue(dead_letters=True)
    broker = cloud.broker()
    sizes: list[int] = []

    @broker.subscriber(queue.name, batch=True, batch_wait=0.5, wait_time=1, backoff=(600, 600))
    async def handler(bodies: list[str], message: SQSBatchMessage) -> None:
        sizes.append(len(bodies))
        poison = next(m.message_id for m in message.raw_message if m.body == "poison")
        raise BatchFailures({bodies.index("later"): OSError("away"), poison: Poison("bad")})

    await queue.send("good", "later", "poison", "fine")
    async with running(broker):

        async def one_left() -> bool:
            return await queue.depth() == (0, 1)

        await eventually(one_left)
        (letter,) = await queue.receive(dead=True)
    assert letter["Body"] == "poison"
    assert sizes == [4]


async def test_failing_batch_leaves_all_its_messages(cloud: Cloud, proxy: Proxy) -> None:
    queue = await cloud.queue()
    broker = cloud.broker(endpoint_url=proxy.url)

    @broker.subscriber(queue.name, batch=True, batch_wait=0.5, wait_time=1, backoff=(600, 600))
    async def handler(bodies: list[str]) -> None:
        raise RuntimeError("no luck")

    await queue.send("a", "b", "c")
    async with running(broker):
        await eventually(lambda: proxy.count("ChangeMessageVisibilityBatch") == 1)
    assert await queue.depth() == (0, 3)
    assert proxy.count("DeleteMessageBatch") == 0


async def test_failures_that_name_a_stranger_delete_nothing(cloud: Cloud, proxy: Proxy) -> None:
    queue = await cloud.queue()
    broker = cloud.broker(endpoint_url=proxy.url)

    @broker.subscriber(queue.name, batch=True, batch_wait=0.5, wait_time=1, backoff=(600, 600))
    async def handler(bodies: list[str]) -> None:
        raise BatchFailures({"not-an-id": OSError("away")})

    await queue.send("a", "b")
    async with running(broker):
        await eventually(lambda: proxy.count("ChangeMessageVisibilityBatch") == 1)
    assert await queue.depth() == (0, 2)
    assert proxy.count("DeleteMessageBatch") == 0


async def test_undecodable_message_does_not_hold_up_the_others(cloud: Cloud) -> None:
    queue = await cloud.queue()
    broker = cloud.broker()
    seen: list[dict[str, int]] = []

    @broker.subscriber(queue.name, batch=True, batch_wait=0.5, wait_time=1, backoff=(600, 600))
    async def handler(bodies: list[dict[str, int]]) -> None:
        seen.extend(bodies)

    async with running(broker):
        await broker.publish_batch({"a": 1}, {"a": 2}, queue=queue.name)
        await broker.publish("{", queue.name, headers={"content-type": "application/json"})

        async def one_left() -> bool:
            return await queue.depth() == (0, 1)

        await eventually(one_left)
    assert sorted(body["a"] for body in seen) == [1, 2]
