"""What is published arrives, in batches too, and what cannot be sent is named."""

import asyncio
import json
from typing import Any

import pytest
from pydantic import BaseModel
from tests.libs.faststream_sqs.conftest import Cloud, TestQueue, eventually, running
from tests.libs.faststream_sqs.proxy import Call, Proxy

from faststream_sqs import (
    InvalidMessageError,
    PublishBatchError,
    PublishEntry,
    SQSBroker,
    SQSMessage,
    SQSResponse,
    TestSQSBroker,
    TopicNotFoundError,
)


class Reading(BaseModel):
    value: float


async def topic_to(cloud: Cloud, queue: TestQueue, *, raw: bool = True) -> str:
    """A new topic that delivers to `queue`; returns its name."""
    name = f"t-{queue.name}"
    arn = (await cloud.sns.create_topic(Name=name))["TopicArn"]
    attributes = {"RawMessageDelivery": "true" if raw else "false"}
    await cloud.sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=await cloud.arn(queue.url), Attributes=attributes)
    return name


async def received(queue: TestQueue, amount: int) -> list[str]:
    """The bodies of the next `amount` messages."""
    bodies: list[str] = []

    async def all_there() -> bool:
        bodies.extend(m["Body"] for m in await queue.receive())
        return len(bodies) >= amount

    await eventually(all_there)
    return bodies


async def test_bodies_and_headers_arrive_as_they_were_sent(cloud: Cloud) -> None:
    queue = await cloud.queue()
    broker = cloud.broker()
    seen: list[tuple[object, dict[str, object]]] = []

    @broker.subscriber(queue.name, wait_time=1)
    async def handler(body: Any, message: SQSMessage) -> None:  # noqa: ANN401 - whatever was sent
        seen.append((body, message.headers))

    async with running(broker):
        for body in ("123", b"plain", {"a": [1]}, Reading(value=4.5), "\u00e4\U0001f600"):
            before = len(seen)
            sent = await broker.publish(body, queue.name, headers={"kind": "x", "n": 7, "raw": b"\xff"})
            await eventually(lambda before=before: len(seen) > before)
            assert seen[-1][1]["MessageId"] == sent
    assert [body for body, _ in seen] == ["123", b"plain", {"a": [1]}, {"value": 4.5}, "\u00e4\U0001f600"]
    headers = seen[0][1]
    assert headers["kind"] == "x"
    assert headers["n"] == "7"
    assert headers["raw"] == b"\xff"
    assert headers["ApproximateReceiveCount"] == "1"
    assert str(headers["SentTimestamp"]).isdigit()


async def test_connection_alone_is_enough_to_publish(cloud: Cloud) -> None:
    queue = await cloud.queue()
    async with cloud.broker() as broker:
        await broker.publish("one", queue.name)
        assert await broker.ping()
    assert await received(queue, 1) == ["one"]


async def test_what_a_handler_returns_is_published(cloud: Cloud) -> None:
    source, target = await cloud.queue(), await cloud.queue()
    broker = cloud.broker()

    @broker.subscriber(source.name, wait_time=1)
    @broker.publisher(target.name, headers={"from": "handler"})
    async def handler(body: str) -> SQSResponse | None:
        return None if body == "nothing" else SQSResponse(body.upper(), headers={"own": "1"})

    await source.send("nothing", "one")
    async with running(broker):
        await eventually(source.is_empty)
    (message,) = await target.receive()
    assert message["Body"] == "ONE"
    assert {"from", "own"} <= message["MessageAttributes"].keys()


async def test_delay_hides_a_message(cloud: Cloud, proxy: Proxy) -> None:
    queue = await cloud.queue()
    async with cloud.broker(endpoint_url=proxy.url) as broker:
        await broker.publish("later", queue.name, delay=60)
        await broker.publish_batch("now", PublishEntry("later too", delay=61), queue=queue.name)
    assert proxy.arguments("SendMessage")[0]["DelaySeconds"] == 60
    assert [e.get("DelaySeconds") for e in proxy.arguments("SendMessageBatch")[0]["Entries"]] == [None, 61]
    assert [m["Body"] for m in await queue.receive()] == ["now"]


async def test_topic_by_name_delivers_to_its_queue(cloud: Cloud) -> None:
    queue = await cloud.queue()
    topic = await topic_to(cloud, queue)
    broker = cloud.broker()
    seen: list[tuple[dict[str, int], object]] = []

    @broker.subscriber(queue.name, wait_time=1)
    async def handler(body: dict[str, int], message: SQSMessage) -> None:
        seen.append((body, message.headers["kind"]))

    publisher = broker.publisher(topic=topic, headers={"kind": "reading"})
    async with running(broker):
        await publisher.publish({"a": 1})
        await broker.publish({"a": 2}, topic=topic, headers={"kind": "other"})
        await eventually(lambda: sorted(seen, key=str) == [({"a": 1}, "reading"), ({"a": 2}, "other")])


async def test_sns_envelope_is_opened(cloud: Cloud) -> None:
    queue = await cloud.queue()
    topic = await topic_to(cloud, queue, raw=False)
    broker = cloud.broker()
    seen: list[tuple[dict[str, int], object, object]] = []

    @broker.subscriber(queue.name, wait_time=1, unwrap_sns=True)
    async def handler(body: dict[str, int], message: SQSMessage) -> None:
        seen.append((body, message.headers["kind"], message.headers["TopicArn"]))

    async with running(broker):
        await broker.publish({"a": 1}, topic=topic, headers={"kind": "reading"})
        await eventually(lambda: len(seen) == 1)
    assert seen[0][:2] == ({"a": 1}, "reading")
    assert str(seen[0][2]).endswith(topic)


async def test_missing_topic_is_named_at_first_use(cloud: Cloud) -> None:
    async with cloud.broker() as broker:
        with pytest.raises(TopicNotFoundError, match="'nowhere'"):
            await broker.publish("x", topic="nowhere")


async def test_batch_is_split_by_ten_and_by_size(cloud: Cloud, proxy: Proxy) -> None:
    queue = await cloud.queue()
    topic = await topic_to(cloud, queue)
    async with cloud.broker(endpoint_url=proxy.url) as broker:
        ids = await broker.publish_batch(*(f"m{i}" for i in range(25)), queue=queue.name)
        assert len(set(ids)) == 25
        assert sorted(len(a["Entries"]) for a in proxy.arguments("SendMessageBatch")) == [5, 10, 10]
        await broker.publish_batch(*("x" * 100_000 for _ in range(5)), topic=topic)
        assert proxy.count("PublishBatch") == 3  # two of 100 kB fit into 256 KiB
    assert len(await received(queue, 30)) == 30


async def test_failed_entries_are_sent_again_to_a_queue(cloud: Cloud, proxy: Proxy) -> None:
    queue = await cloud.queue()
    failed: set[str] = set()

    def fail_once(call: Call, entry: dict[str, Any]) -> tuple[str, bool] | None:
        if entry["MessageBody"] not in {"m3", "m7"} or entry["MessageBody"] in failed:
            return None
        failed.add(entry["MessageBody"])
        return ("InternalError", False)

    proxy.fail_entry = fail_once
    async with cloud.broker(endpoint_url=proxy.url) as broker:
        ids = await broker.publish_batch(*(f"m{i}" for i in range(10)), queue=queue.name)
    assert len(set(ids)) == 10
    assert failed == {"m3", "m7"}
    assert [len(a["Entries"]) for a in proxy.arguments("SendMessageBatch")] == [10, 2]
    assert sorted(await received(queue, 10)) == [f"m{i}" for i in range(10)]


async def test_failed_entries_are_sent_again_to_a_topic(cloud: Cloud, proxy: Proxy) -> None:
    queue = await cloud.queue()
    topic = await topic_to(cloud, queue)
    failed: set[str] = set()

    def fail_once(call: Call, entry: dict[str, Any]) -> tuple[str, bool] | None:
        if call.operation != "PublishBatch" or entry["Message"] != "m1" or entry["Message"] in failed:
            return None
        failed.add(entry["Message"])
        return ("InternalError", False)

    proxy.fail_entry = fail_once
    async with cloud.broker(endpoint_url=proxy.url) as broker:
        await broker.publish_batch("m0", "m1", "m2", topic=topic)
    assert failed == {"m1"}
    assert proxy.count("PublishBatch") == 2
    assert sorted(await received(queue, 3)) == ["m0", "m1", "m2"]


async def test_entries_that_fail_for_good_are_named(cloud: Cloud, proxy: Proxy) -> None:
    queue = await cloud.queue()
    proxy.fail_entry = lambda _, entry: ("InvalidMessageContents", True) if entry["MessageBody"] == "m1" else None
    async with cloud.broker(endpoint_url=proxy.url) as broker:
        with pytest.raises(PublishBatchError, match="1 of 3 messages were not sent") as raised:
            await broker.publish_batch("m0", "m1", "m2", queue=queue.name)
    assert raised.value.failures.keys() == {1}
    assert raised.value.failures[1].code == "InvalidMessageContents"
    assert raised.value.sent.keys() == {0, 2}
    assert proxy.count("SendMessageBatch") == 1
    assert sorted(await received(queue, 2)) == ["m0", "m2"]


async def test_entries_that_keep_failing_are_given_up(cloud: Cloud, proxy: Proxy) -> None:
    queue = await cloud.queue()
    proxy.fail_entry = lambda *_: ("InternalError", False)
    async with cloud.broker(endpoint_url=proxy.url) as broker:
        with pytest.raises(PublishBatchError):
            await broker.publish_batch("m0", queue=queue.name)
    assert proxy.count("SendMessageBatch") == 5


@pytest.mark.parametrize(
    ("body", "headers", "complaint"),
    [
        (b"\xff\xfe", {}, "byte 0 is not UTF-8"),
        ("\x00", {}, "character 0"),
        ("", {}, "empty"),
        ("x", {f"h{i}": "1" for i in range(11)}, "10 message attributes"),
        ("x", {"AWS.x": "1"}, "'AWS.x' cannot name"),
        ("x", {"empty": ""}, "'empty' is empty"),
    ],
)
async def test_what_sqs_cannot_carry_is_refused_by_name(
    body: bytes | str, headers: dict[str, str], complaint: str
) -> None:
    async with TestSQSBroker(SQSBroker()) as broker:
        with pytest.raises(InvalidMessageError, match=f"message 1: .*{complaint}"):
            await broker.publish_batch("fine", PublishEntry(body, headers=headers), queue="q")


async def test_one_message_too_large_keeps_the_batch_back(cloud: Cloud) -> None:
    queue = await cloud.queue()
    async with cloud.broker() as broker:
        with pytest.raises(InvalidMessageError, match=r"message 1: .* at most 1048576"):
            await broker.publish_batch("fine", "x" * 1_048_577, queue=queue.name)
    assert await queue.is_empty()


async def test_one_destination_has_to_be_named() -> None:
    async with TestSQSBroker(SQSBroker()) as broker:
        with pytest.raises(ValueError, match="queue, topic"):
            await broker.publish("x")
        with pytest.raises(ValueError, match="queue, topic"):
            await broker.publish_batch("x", queue="q", topic="t")


async def test_many_publishers_share_a_broker(cloud: Cloud) -> None:
    queue = await cloud.queue()
    async with cloud.broker() as broker:
        await asyncio.gather(*(broker.publish({"i": i}, queue.name) for i in range(20)))
    assert sorted(json.loads(body)["i"] for body in await received(queue, 20)) == list(range(20))
