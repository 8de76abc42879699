"""A trace goes on over queues and topics, from producers that know of it and from those that do not."""

import json

from opentelemetry.trace import SpanKind
from tests.libs.faststream_sqs.conftest import Cloud, TestQueue, eventually, running
from tests.servers.spans import Recorded, attribute, linked, parent_id, place, span_id, trace_id

from faststream_sqs import BatchFailures, PublishEntry, SQSBroker
from faststream_sqs.annotations import SQSBatchMessage, SQSMessage
from faststream_sqs.opentelemetry import SQSTracingMiddleware

DEVICE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
OTHER = "00-11111111111111111111111111111111-2222222222222222-01"
UNRECORDED = "00-33333333333333333333333333333333-4444444444444444-00"


class Bench(Recorded):
    """A broker that traces, and the spans it made."""

    def __init__(self, cloud: Cloud, *, begin: bool = True) -> None:
        super().__init__(begin=begin)
        self.broker = cloud.broker(middlewares=(SQSTracingMiddleware(tracer=self.tracing.tracer),))


async def traced_topic(cloud: Cloud, queue: TestQueue) -> str:
    arn = (await cloud.sns.create_topic(Name=f"t-{queue.name}"))["TopicArn"]
    await cloud.sns.subscribe(
        TopicArn=arn,
        Protocol="sqs",
        Endpoint=await cloud.arn(queue.url),
        Attributes={"RawMessageDelivery": "true"},
    )
    return arn


async def test_a_message_by_sns_and_sqs_goes_on_in_the_trace_of_its_sender(cloud: Cloud) -> None:
    queue, after = await cloud.queue(), await cloud.queue()
    bench = Bench(cloud)
    topic = await traced_topic(cloud, queue)
    seen: list[object] = []

    @bench.broker.subscriber(queue.name, wait_time=1)
    @bench.broker.publisher(after.name)
    async def handler(body: str, message: SQSMessage) -> str:
        seen.append(message.headers["traceparent"])
        return body

    async with running(bench.broker):
        await bench.broker.publish("reading", topic=topic)
        await eventually(lambda: bool(bench.spans(f"send {after.name}")))
        await eventually(queue.is_empty)
    (sent,) = bench.spans(f"send t-{queue.name}")
    (processed,) = bench.spans(f"process {queue.name}")
    (passed_on,) = bench.spans(f"send {after.name}")
    assert sent.parent is None
    assert parent_id(processed) == span_id(sent)
    assert parent_id(passed_on) == span_id(processed)
    assert (sent.kind, processed.kind, passed_on.kind) == (SpanKind.PRODUCER, SpanKind.CONSUMER, SpanKind.PRODUCER)
    assert seen == [place(processed)]
    assert attribute(sent, "messaging.system") == "aws.sns"
    assert attribute(processed, "messaging.system") == "aws_sqs"
    assert attribute(processed, "messaging.operation.type") == "process"
    (message,) = await after.receive()
    assert message["MessageAttributes"]["traceparent"]["StringValue"] == place(passed_on)


async def test_entries_keep_the_traces_they_bring(cloud: Cloud) -> None:
    queue = await cloud.queue()
    bench = Bench(cloud)
    async with running(bench.broker):
        await bench.broker.publish_batch(
            PublishEntry("a", headers={"traceparent": UNRECORDED}),
            PublishEntry("b", headers={"traceparent": DEVICE}),
            PublishEntry("c", headers={"traceparent": OTHER}),
            queue=queue.name,
        )
    (sent,) = bench.spans(f"send {queue.name}")
    assert parent_id(sent) == DEVICE[36:52]
    assert linked(sent) == [OTHER[3:35]]
    assert sent.kind is SpanKind.CLIENT
    found = {
        message["Body"]: message["MessageAttributes"]["traceparent"]["StringValue"] for message in await queue.receive()
    }
    assert found == {"a": UNRECORDED, "b": DEVICE, "c": OTHER}


async def test_each_message_of_a_batch_goes_on_in_its_own_trace(cloud: Cloud) -> None:
    queue = await cloud.queue()
    bench = Bench(cloud, begin=False)
    seen: list[list[object]] = []

    @bench.broker.subscriber(queue.name, batch=True, wait_time=1, batch_wait=0.5)
    async def handler(bodies: list[str], message: SQSBatchMessage) -> None:
        seen.append([headers.get("traceparent") for headers in message.batch_headers])
        if "bad" in bodies:
            raise BatchFailures({bodies.index("bad"): ValueError("+491511234567 said no")})

    await cloud.sqs.send_message_batch(
        QueueUrl=queue.url,
        Entries=[
            {
                "Id": str(at),
                "MessageBody": body,
                "MessageAttributes": {} if not trace else {"traceparent": {"DataType": "String", "StringValue": trace}},
            }
            for at, (body, trace) in enumerate((("old", ""), ("good", DEVICE), ("bad", OTHER), ("unseen", UNRECORDED)))
        ],
    )
    async with running(bench.broker):
        await eventually(lambda: len(bench.spans(f"process {queue.name}")) >= 2)
    spans = bench.spans(f"process {queue.name}")
    by_trace = {trace_id(span): span for span in spans}
    good, bad = by_trace[DEVICE[3:35]], by_trace[OTHER[3:35]]
    assert len(by_trace) == 2, "what is not recorded, and what a producer of before sent, is handled without a span"
    assert parent_id(good) == DEVICE[36:52]
    assert good.status.is_ok
    assert not bad.status.is_ok
    assert attribute(bad, "error.type") == "ValueError"
    assert "+4915" not in json.dumps(json.loads(bad.to_json()))
    headers = [header for each in seen for header in each]
    assert place(good) in headers, "the handler passes on the span of the handling"
    assert UNRECORDED[:35] in {str(header)[:35] for header in headers}, "not recorded stays not recorded"


def test_without_the_middleware_nothing_is_sent_along() -> None:
    assert not SQSBroker(region_name="eu-central-1").config.broker_middlewares


async def test_a_malformed_header_begins_a_new_trace(cloud: Cloud) -> None:
    queue = await cloud.queue()
    bench = Bench(cloud)
    async with running(bench.broker):
        for header in ("nonsense", "00-0-0-01", "ff" + DEVICE[2:]):
            await bench.broker.publish("x", queue.name, headers={"traceparent": header})
    assert [parent_id(sent) for sent in bench.spans(f"send {queue.name}")] == [None, None, None]
