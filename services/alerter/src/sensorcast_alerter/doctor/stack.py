"""Whether the stack's tables and queues are there and open to us."""

import asyncio
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from sensorcast_alerter.doctor.finding import Finding, bad, doubtful, good, of_error
from sensorcast_common.names import Names

if TYPE_CHECKING:
    from types_aiobotocore_dynamodb import DynamoDBClient
    from types_aiobotocore_sqs import SQSClient

_DEPLOY = "deploy the stack, or name it with --stack"
_MISSING_QUEUE = frozenset({"AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"})


async def check_tables(dynamodb: "DynamoDBClient", names: Names) -> list[Finding]:
    """Every table."""
    found = await asyncio.gather(*(_table(dynamodb, name) for name in names.tables))
    wrong = [finding for finding in found if finding is not None]
    return wrong or [good(f"tables: all {len(names.tables)} of {names.stack} are there")]


async def check_queues(sqs: "SQSClient", names: Names) -> list[Finding]:
    """Every queue, and whether messages that could not be handled wait in its dead-letter queue."""
    queues = [*names.queues, *map(names.dead_letter, names.queues)]
    found = await asyncio.gather(*(_queue(sqs, name, names) for name in queues))
    wrong = [finding for finding in found if finding is not None]
    return wrong or [good(f"queues: all {len(queues)} of {names.stack} are there, no dead letters")]


async def _table(dynamodb: "DynamoDBClient", name: str) -> Finding | None:
    try:
        status = (await dynamodb.describe_table(TableName=name))["Table"]["TableStatus"]
    except dynamodb.exceptions.ResourceNotFoundException:
        return bad(f"table {name} does not exist", _DEPLOY)
    except (ClientError, BotoCoreError) as error:
        return of_error(f"table {name}", error, permission="dynamodb:DescribeTable")
    return None if status == "ACTIVE" else doubtful(f"table {name} is {status}", "wait until it is ACTIVE")


async def _queue(sqs: "SQSClient", name: str, names: Names) -> Finding | None:
    try:
        url = (await sqs.get_queue_url(QueueName=name))["QueueUrl"]
        answer = await sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
    except (ClientError, BotoCoreError) as error:
        if isinstance(error, ClientError) and error.response["Error"].get("Code") in _MISSING_QUEUE:
            return bad(f"queue {name} does not exist", _DEPLOY)
        return of_error(f"queue {name}", error, permission="sqs:GetQueueAttributes")
    waiting = int(answer["Attributes"]["ApproximateNumberOfMessages"])
    if waiting and name in map(names.dead_letter, names.queues):
        return doubtful(f"queue {name}: {waiting} messages could not be handled", "look at them, then redrive")
    return None
