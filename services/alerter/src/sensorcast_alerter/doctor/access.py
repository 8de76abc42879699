"""Whether we may do with tables and queue what the alerter does: calls that need the permission and change nothing."""

from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from sensorcast_alerter.doctor.finding import Finding, good, is_denied, of_error
from sensorcast_common.names import Names

if TYPE_CHECKING:
    from types_aiobotocore_dynamodb import DynamoDBClient
    from types_aiobotocore_sqs import SQSClient

_NOBODY: Final = "sensorcast-doctor"


async def check_access(dynamodb: "DynamoDBClient", sqs: "SQSClient", names: Names) -> list[Finding]:
    """Reading what the alerter reads, writing what it writes, and taking from its queue."""
    reads = (names.table_rules, names.table_contacts, names.table_devices, names.table_readings)
    writes = (names.table_incidents, names.table_deliveries)
    found = [await _read(dynamodb, table) for table in (*reads, *writes)]
    found += [await _write(dynamodb, table) for table in writes]
    found.append(await _take(sqs, names.queue_watch))
    return [finding for finding in found if finding] or [
        good(f"access: reads {len(reads)} tables, writes {len(writes)}, takes from {names.queue_watch}")
    ]


async def _read(dynamodb: "DynamoDBClient", table: str) -> Finding | None:
    try:
        await dynamodb.query(
            TableName=table,
            KeyConditionExpression="pk = :nobody",
            ExpressionAttributeValues={":nobody": {"S": _NOBODY}},
            Limit=1,
        )
    except (ClientError, BotoCoreError) as error:
        return of_error(f"reading {table}", error, permission="dynamodb:Query")
    return None


async def _write(dynamodb: "DynamoDBClient", table: str) -> Finding | None:
    """An update whose condition never holds: it is refused for that, or for want of permission."""
    try:
        await dynamodb.update_item(
            TableName=table,
            Key={"pk": {"S": _NOBODY}, "sk": {"S": _NOBODY}},
            UpdateExpression="REMOVE nothing",
            ConditionExpression="attribute_exists(pk) AND attribute_not_exists(pk)",
        )
    except dynamodb.exceptions.ConditionalCheckFailedException:
        return None
    except (ClientError, BotoCoreError) as error:
        return of_error(f"writing {table}", error, permission="dynamodb:UpdateItem")
    return None


async def _take(sqs: "SQSClient", queue: str) -> Finding | None:
    """Whoever may hold on to messages may take them too; to take one would keep it from the alerter."""
    permission = "sqs:ReceiveMessage, sqs:DeleteMessage and sqs:ChangeMessageVisibility"
    try:
        url = (await sqs.get_queue_url(QueueName=queue))["QueueUrl"]
        await sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=_NOBODY, VisibilityTimeout=0)
    except ClientError as error:
        # There is no such message, which only those are told who may ask.
        return of_error(f"taking from {queue}", error, permission=permission) if is_denied(error) else None
    except BotoCoreError as error:
        return of_error(f"taking from {queue}", error, permission=permission)
    return None
