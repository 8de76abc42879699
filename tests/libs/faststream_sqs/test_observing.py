"""Metrics, the AsyncAPI document and the in-memory broker."""

import json

import pytest
from faststream.specification import AsyncAPI
from prometheus_client import CollectorRegistry
from tests.libs.faststream_sqs.conftest import Cloud, eventually, running

from faststream_sqs import Poison, SQSBroker, SQSMessage, TestSQSBroker
from faststream_sqs.prometheus import SQSPrometheusMiddleware
from faststream_sqs.testing import InMemoryProducer


async def test_prometheus_counts_handled_published_and_unseen(cloud: Cloud) -> None:
    queue = await cloud.queue(dead_letters=True)
    registry = CollectorRegistry()
    broker = cloud.broker(middlewares=(SQSPrometheusMiddleware(registry=registry, app_name="app"),))

    @broker.subscriber(queue.name, batch=True, wait_time=1, batch_wait=0.3)
    async def handler(bodies: list[str]) -> None:
        if "poison" in bodies:
            raise Poison("bad")

    def events(event: str) -> float:
        labels = {"app_name": "app", "queue": queue.name, "event": event}
        return registry.get_sample_value("faststream_sqs_events_total", labels) or 0

    async with running(broker):
        await broker.publish_batch("a", "b", queue=queue.name)
        await eventually(lambda: events("deleted") == 2)
        await broker.publish("poison", queue.name)
        await eventually(lambda: events("dead_lettered") == 1)
        await eventually(queue.is_empty)
    labels = {"app_name": "app", "broker": "sqs", "handler": queue.name}
    assert registry.get_sample_value("faststream_received_messages_total", labels) == 3
    seen = {"app_name": "app", "queue": queue.name}
    ages = registry.get_sample_value("faststream_sqs_message_age_seconds_count", seen)
    assert ages == events("received") == 3
    assert events("redelivered") == 0
    published = {"app_name": "app", "broker": "sqs", "destination": queue.name, "status": "success"}
    assert registry.get_sample_value("faststream_published_messages_total", published) == 3


def test_asyncapi_describes_queues_with_their_bindings() -> None:
    broker = SQSBroker(region_name="eu-central-1")

    @broker.subscriber("https://sqs.eu-central-1.amazonaws.com/1/readings", visibility_timeout=45)
    @broker.publisher(topic="arn:aws:sns:eu-central-1:1:forecasts")
    async def handle(value: int) -> str:
        """Forecast."""
        return str(value)

    document = json.loads(AsyncAPI(broker).to_specification().to_json())
    assert document["servers"]["development"]["protocol"] == "sqs"
    assert document["servers"]["development"]["host"] == "sqs.eu-central-1.amazonaws.com"
    channel = document["channels"]["readings:Handle"]
    assert channel["address"] == "readings"
    assert channel["bindings"]["sqs"]["queue"]["visibilityTimeout"] == 45
    assert document["channels"]["forecasts:Publisher"]["address"] == "forecasts"


async def test_in_memory_broker_runs_handlers_and_publishers() -> None:
    broker = SQSBroker()

    @broker.subscriber("in")
    @broker.publisher("out")
    async def handler(body: dict[str, int], message: SQSMessage) -> int:
        assert message.receive_count == 1
        return body["a"] + 1

    async with TestSQSBroker(broker) as test:
        await test.publish({"a": 1}, "in")
        handler.mock.assert_called_once_with({"a": 1})
        out = test.publishers[0]
        out.mock.assert_called_once_with(2)


async def test_in_memory_topic_reaches_its_queues() -> None:
    broker = SQSBroker()
    seen: list[list[str]] = []

    @broker.subscriber("archive", batch=True)
    async def archive(bodies: list[str]) -> None:
        seen.append(bodies)

    readings = broker.publisher(topic="readings")

    async with TestSQSBroker(broker, subscriptions={"readings": ["archive"]}):
        await readings.publish_batch("a", "b")
        readings.mock.assert_called_once_with(["a", "b"])
    assert seen == [["a", "b"]]


async def test_in_memory_broker_raises_what_the_handler_raised_and_notes_the_outcome() -> None:
    broker = SQSBroker()

    @broker.subscriber("in")
    async def handler(body: str) -> None:
        raise Poison("bad")

    async with TestSQSBroker(broker) as test:
        with pytest.raises(Poison, match="bad"):
            await test.publish("x", "in")
        producer = test.config.producer
        assert isinstance(producer, InMemoryProducer)
        ((message, error),) = producer.settlement.failed
        assert message.body == "x"
        assert isinstance(error, Poison)
