"""How far the lake is: each archiver says up to which time of receipt it has brought everything into the lake."""

from typing import TYPE_CHECKING, Final

from sensorcast_common.names import Names

if TYPE_CHECKING:
    from types_aiobotocore_dynamodb import DynamoDBClient


class WatermarksTable:
    """Reads and writes table `watermarks`.

    Items: pk the lake's table, sk the archiver; `upto` (ms): every reading that this archiver has taken and that was
    received before is in the lake; `until` (ms): how long that binds. An archiver that died binds on, for its messages
    are hidden from the others until their visibility timeout has passed; after that, those who get them say so.

    Args:
        client: An open DynamoDB client.
        names: Names of the stack.
    """

    def __init__(self, client: "DynamoDBClient", names: Names) -> None:
        self._client = client
        self._table = names.table_watermarks
        self._pk: Final = names.lake_readings

    async def put(self, archiver: str, *, upto: int, until: int) -> None:
        """Say how far one archiver is.

        Args:
            archiver: Which one.
            upto: Time of receipt, in milliseconds since 1970 UTC.
            until: When this no longer binds, in milliseconds since 1970 UTC.
        """
        await self._client.put_item(
            TableName=self._table,
            Item={
                "pk": {"S": self._pk},
                "sk": {"S": archiver},
                "upto": {"N": str(upto)},
                "until": {"N": str(until)},
                "expires_at": {"N": str(until // 1000 + 60)},
            },
        )

    async def remove(self, archiver: str) -> None:
        """Forget an archiver that holds nothing and stops."""
        await self._client.delete_item(TableName=self._table, Key={"pk": {"S": self._pk}, "sk": {"S": archiver}})

    async def lowest(self, *, now: int) -> int | None:
        """The time of receipt before which the lake has everything; `None` where no archiver says anything.

        Args:
            now: The present, in milliseconds since 1970 UTC.
        """
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": self._pk}},
            ConsistentRead=True,
        )
        marks = [
            int(item["upto"]["N"]) async for page in pages for item in page["Items"] if int(item["until"]["N"]) > now
        ]
        return min(marks, default=None)
