"""The example in the library's README runs."""

import re
from pathlib import Path

from tests.libs.faststream_sqs.conftest import Cloud, eventually, running

from faststream_sqs import SQSBroker

README = Path(__file__).parents[3] / "libs" / "faststream-sqs" / "README.md"


async def test_readme_example_runs(cloud: Cloud) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    for name in ("orders-dlq", "audit"):
        await cloud.sqs.create_queue(QueueName=name)
    arn = f"arn:aws:sqs:{cloud.account.region}:{cloud.account.account_id}:orders-dlq"
    orders = await cloud.sqs.create_queue(
        QueueName="orders",
        Attributes={"RedrivePolicy": f'{{"deadLetterTargetArn": "{arn}", "maxReceiveCount": 5}}'},
    )
    topic = (await cloud.sns.create_topic(Name="accepted-orders"))["TopicArn"]
    await cloud.sns.subscribe(
        TopicArn=topic,
        Protocol="sqs",
        Endpoint=arn.replace("orders-dlq", "audit"),
        Attributes={"RawMessageDelivery": "true"},
    )
    # The example's broker would speak to AWS, so its one line is replaced by the emulator's
    module = {"SQSBroker": lambda **_: cloud.broker()}
    exec(compile(example.replace(", SQSBroker,", ","), str(README), "exec"), module)
    broker = module["broker"]
    assert isinstance(broker, SQSBroker)

    async def depth(url: str) -> tuple[str, str]:
        found = await cloud.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
        attributes = found["Attributes"]
        return attributes["ApproximateNumberOfMessages"], attributes["ApproximateNumberOfMessagesNotVisible"]

    async def settled() -> bool:
        dead = orders["QueueUrl"].replace("orders", "orders-dlq")
        audit = orders["QueueUrl"].replace("orders", "audit")
        return [await depth(url) for url in (orders["QueueUrl"], audit, dead)] == [("0", "0"), ("0", "0"), ("1", "0")]

    async with running(broker):
        await broker.publish_batch(
            {"sku": "milk", "amount": 2}, {"sku": "busy", "amount": 1}, {"sku": "milk", "amount": 0}, queue="orders"
        )
        await eventually(settled)
