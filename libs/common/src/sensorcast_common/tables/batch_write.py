"""BatchWriteItem until every item is written: 25 at a time, what DynamoDB leaves unprocessed again with backoff."""

import asyncio
import random
from functools import partial
from typing import TYPE_CHECKING, Final

from sensorcast_common.errors import Retryable
from sensorcast_common.tables.at_once import at_once

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from types_aiobotocore_dynamodb import DynamoDBClient
    from types_aiobotocore_dynamodb.type_defs import (
        AttributeValueTypeDef,
        WriteRequestOutputTypeDef,
        WriteRequestTypeDef,
    )

BATCH_ITEMS: Final = 25

_ATTEMPTS: Final = 8
_FIRST_WAIT: Final = 0.05
_LONGEST_WAIT: Final = 2.0
_AT_ONCE: Final = 8


async def write_items(
    client: "DynamoDBClient", table: str, items: "Sequence[Mapping[str, AttributeValueTypeDef]]"
) -> float:
    """Put items of distinct keys.

    Args:
        client: An open DynamoDB client.
        table: The table's name.
        items: The items; no two with the same key.

    Returns:
        The write units that DynamoDB reports as consumed.

    Raises:
        Retryable: Some items were still unprocessed after all attempts; others may be written.
    """
    requests: list[WriteRequestTypeDef] = [{"PutRequest": {"Item": item}} for item in items]
    return await _request_all(client, table, requests)


async def delete_items(
    client: "DynamoDBClient", table: str, keys: "Sequence[Mapping[str, AttributeValueTypeDef]]"
) -> float:
    """Delete items by their distinct keys; those that are not there are no error.

    As `write_items` otherwise.
    """
    requests: list[WriteRequestTypeDef] = [{"DeleteRequest": {"Key": key}} for key in keys]
    return await _request_all(client, table, requests)


async def _request_all(client: "DynamoDBClient", table: str, requests: "Sequence[WriteRequestTypeDef]") -> float:
    batches = [requests[at : at + BATCH_ITEMS] for at in range(0, len(requests), BATCH_ITEMS)]
    return sum(await at_once(partial(_write_batch, client, table), batches, limit=_AT_ONCE))


async def _write_batch(client: "DynamoDBClient", table: str, batch: "Sequence[WriteRequestTypeDef]") -> float:
    left: Sequence[WriteRequestTypeDef | WriteRequestOutputTypeDef] = batch
    units = 0.0
    for attempt in range(_ATTEMPTS):
        if attempt:
            await asyncio.sleep(random.uniform(0, min(_LONGEST_WAIT, _FIRST_WAIT * 2**attempt)))  # noqa: S311 - jitter
        answer = await client.batch_write_item(RequestItems={table: left}, ReturnConsumedCapacity="TOTAL")
        units += sum(consumed.get("CapacityUnits", 0.0) for consumed in answer.get("ConsumedCapacity", []))
        left = answer.get("UnprocessedItems", {}).get(table, [])
        if not left:
            return units
    raise Retryable(f"{table}: {len(left)} items left unprocessed after {_ATTEMPTS} attempts")
