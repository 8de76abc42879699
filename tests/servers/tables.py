"""A DynamoDB table as the template defines all that have two keys, on any implementation."""

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from tests.servers.aws import AwsAccount

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from types_aiobotocore_dynamodb import DynamoDBClient


@asynccontextmanager
async def table_in(account: AwsAccount, name: str) -> "AsyncIterator[DynamoDBClient]":
    """A client of `account`, in which the table `name` with `pk` and `sk` has been created."""
    async with account.aws.client("dynamodb") as client:
        await client.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[
                {"AttributeName": "pk", "AttributeType": "S"},
                {"AttributeName": "sk", "AttributeType": "S"},
            ],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        )
        yield client
