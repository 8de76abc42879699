"""What the emulated AWS alone takes for the calls that an alert consists of."""

import asyncio
import time
from typing import TYPE_CHECKING, Final

from sensorcast_common.aws import Aws
from sensorcast_common.names import Names

if TYPE_CHECKING:
    from types_aiobotocore_dynamodb import DynamoDBClient
    from types_aiobotocore_dynamodb.type_defs import TransactWriteItemTypeDef

PROBE_PHONE: Final = "+4915112345679"
BATCH_BYTES: Final = 30_000


class Floor:
    """The calls to AWS of one alert, without an alerter.

    Args:
        aws: Clients.
        names: The stack's names.
    """

    def __init__(self, aws: Aws, names: Names) -> None:
        self._aws = aws
        self._table = names.table_incidents
        self.seconds: list[float] = []

    async def measure(self, *, every: float, ended: asyncio.Event) -> None:
        """Time the calls again and again."""
        async with (
            self._aws.client("sns") as sns,
            self._aws.client("sqs") as sqs,
            self._aws.client("dynamodb") as dynamodb,
        ):
            url = (await sqs.create_queue(QueueName="bench-floor"))["QueueUrl"]
            queue = await sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
            topic = (await sns.create_topic(Name="bench-floor"))["TopicArn"]
            await sns.subscribe(
                TopicArn=topic,
                Protocol="sqs",
                Endpoint=queue["Attributes"]["QueueArn"],
                Attributes={"RawMessageDelivery": "true"},
            )
            number = 0
            while not ended.is_set():
                number += 1
                await asyncio.sleep(every)
                began = time.perf_counter()
                waiting = asyncio.create_task(sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20))
                await sns.publish(TopicArn=topic, Message="x" * BATCH_BYTES)
                got = (await waiting)["Messages"][0]
                await self._writes(dynamodb, number)
                await sns.publish(PhoneNumber=PROBE_PHONE, Message=f"probe {number}")
                self.seconds.append(time.perf_counter() - began)
                await sqs.delete_message(QueueUrl=url, ReceiptHandle=got["ReceiptHandle"])

    async def _writes(self, dynamodb: "DynamoDBClient", number: int) -> None:
        def put(sk: str) -> "TransactWriteItemTypeDef":
            item = {"pk": {"S": "floor"}, "sk": {"S": f"{number}-{sk}"}, "body": {"S": "x" * 1500}}
            return {
                "Put": {"TableName": self._table, "Item": {**item}, "ConditionExpression": "attribute_not_exists(pk)"}
            }

        await dynamodb.transact_write_items(TransactItems=[put("incident"), put("marker"), put("entry")])
        await dynamodb.transact_write_items(TransactItems=[put("number"), put("tenant")])
        for _ in range(4):
            await dynamodb.update_item(
                TableName=self._table,
                Key={"pk": {"S": "floor"}, "sk": {"S": f"{number}-incident"}},
                UpdateExpression="SET changed = :now",
                ConditionExpression="attribute_exists(pk)",
                ExpressionAttributeValues={":now": {"N": str(number)}},
            )
