"""The hot store on a real DynamoDB API: what is written is read, once, whatever is repeated or left over."""

import math
from typing import TYPE_CHECKING, Any, cast

import pytest
from tests.servers.aws import AwsAccount, DeployedStack
from tests.servers.tables import table_in

from sensorcast_common.errors import Retryable
from sensorcast_common.names import Names
from sensorcast_common.reading import Reading
from sensorcast_common.tables import batch_write
from sensorcast_common.tables.hot_chunk import CHUNK_SPAN_MS, pack
from sensorcast_common.tables.hot_store import HotStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from types_aiobotocore_dynamodb import DynamoDBClient

T0 = 4_102_444_800_000  # 2100-01-01: TTL takes nothing away in the middle of a test


def series(count: int, *, device: str = "truck-1", start: int = T0, step: int = 10_000) -> list[Reading]:
    return [
        Reading("acme", device, metric, start + i * step, i / 10 + offset, "Cel", start + i * step + 80)
        for i in range(count)
        for offset, metric in enumerate(("temperature", "humidity"))
    ]


@pytest.fixture
async def dynamodb(account: AwsAccount) -> "AsyncIterator[DynamoDBClient]":
    async with table_in(account, Names().table_readings) as client:
        yield client


@pytest.fixture
async def any_dynamodb(any_account: AwsAccount) -> "AsyncIterator[DynamoDBClient]":
    async with table_in(any_account, Names().table_readings) as client:
        yield client


class Stingy:
    """A DynamoDB that leaves all but the first item of a batch unprocessed, `times` times."""

    def __init__(self, client: "DynamoDBClient", *, times: int) -> None:
        self._client = client
        self.times = times
        self.calls = 0

    async def batch_write_item(self, *, RequestItems: dict[str, Any], **rest: Any) -> object:  # noqa: ANN401, N803
        self.calls += 1
        if self.times == 0:
            return await self._client.batch_write_item(RequestItems=RequestItems, **rest)
        self.times -= 1
        ((table, requests),) = RequestItems.items()
        answer = await self._client.batch_write_item(RequestItems={table: requests[:1]}, **rest)
        return {**answer, "UnprocessedItems": {table: requests[1:]} if requests[1:] else {}}


async def test_what_is_appended_is_read(any_dynamodb: "DynamoDBClient") -> None:
    store = HotStore(any_dynamodb, Names())
    await store.append(pack(series(100) + series(100, device="truck-2")))
    found = await store.read("acme", "truck-1", start=T0, end=T0 + 10**9)
    assert found["temperature"].ts == [T0 + i * 10_000 for i in range(100)]
    assert found["temperature"].value == [i / 10 for i in range(100)]
    assert found["humidity"].value == [i / 10 + 1 for i in range(100)]
    assert found["humidity"].unit == "Cel"
    assert await store.read("acme", "truck-3", start=T0, end=T0 + 10**9) == {}
    assert await store.read("other", "truck-1", start=T0, end=T0 + 10**9) == {}


@pytest.mark.parametrize(("start", "end"), [(0, 10), (37, 38), (5, 5), (29, 61), (90, 200)])
async def test_a_range_is_exact_wherever_it_cuts_a_chunk(dynamodb: "DynamoDBClient", start: int, end: int) -> None:
    store = HotStore(dynamodb, Names())
    await store.append(pack(series(100)))
    found = await store.read(
        "acme", "truck-1", start=T0 + start * 10_000, end=T0 + end * 10_000, metrics={"temperature"}
    )
    wanted = [T0 + i * 10_000 for i in range(start, min(end, 100))]
    assert (found["temperature"].ts if found else []) == wanted
    assert set(found) <= {"temperature"}


async def test_the_last_reading_of_the_longest_chunk_is_found(dynamodb: "DynamoDBClient") -> None:
    store = HotStore(dynamodb, Names())
    last = T0 + CHUNK_SPAN_MS - 1
    await store.append(pack([Reading("acme", "truck-1", "m", ts, 1.0, "Cel", ts) for ts in (T0, last)]))
    assert (await store.read("acme", "truck-1", start=last, end=last + 1))["m"].ts == [last]


async def test_writing_again_or_in_other_chunks_changes_nothing(any_dynamodb: "DynamoDBClient") -> None:
    store = HotStore(any_dynamodb, Names())
    rows = series(50)
    first = await store.append(pack(rows))
    before = await store.read("acme", "truck-1", start=T0, end=T0 + 10**9)
    again = await store.append(pack(rows))
    assert again.items == first.items
    count = await any_dynamodb.scan(TableName=Names().table_readings, Select="COUNT")
    assert count["Count"] == first.items
    await store.append(pack(rows[7:31]))
    assert await store.read("acme", "truck-1", start=T0, end=T0 + 10**9) == before


async def test_one_append_of_the_same_chunk_twice_is_accepted(dynamodb: "DynamoDBClient") -> None:
    chunks = pack(series(10))
    assert (await HotStore(dynamodb, Names()).append(chunks + chunks)).items == len(chunks)


async def test_long_ranges_are_read_page_by_page(dynamodb: "DynamoDBClient") -> None:
    store = HotStore(dynamodb, Names())
    rows = [
        Reading("acme", "truck-1", "m", T0 + i * 37, math.sin(i) * 10.0 ** (i % 40), "Cel", T0 + i * 37 + i * 31 % 97)
        for i in range(120_000)
    ]
    chunks = pack(rows)
    assert sum(chunk.item_bytes for chunk in chunks) > 1_100_000  # a page of DynamoDB is 1 MB
    await store.append(chunks)
    found = (await store.read("acme", "truck-1", start=T0, end=T0 + 10**10))["m"]
    assert found.ts == [reading.ts for reading in rows]
    assert found.value == [reading.value for reading in rows]


async def test_items_left_unprocessed_are_written_in_the_end(dynamodb: "DynamoDBClient") -> None:
    stingy = Stingy(dynamodb, times=3)
    store = HotStore(cast("DynamoDBClient", stingy), Names())
    appended = await store.append(pack(series(100, step=CHUNK_SPAN_MS)[:20]))
    assert appended.items == 10
    assert stingy.calls == 4
    found = await HotStore(dynamodb, Names()).read("acme", "truck-1", start=T0, end=T0 + 10**10)
    assert len(found["temperature"].ts) == 10


async def test_items_left_unprocessed_for_too_long_are_an_instruction_to_retry(dynamodb: "DynamoDBClient") -> None:
    store = HotStore(cast("DynamoDBClient", Stingy(dynamodb, times=10**6)), Names())
    with pytest.raises(Retryable, match="left unprocessed"):
        await store.append(pack(series(batch_write.BATCH_ITEMS, step=CHUNK_SPAN_MS)))


async def test_old_readings_live_as_long_as_new_ones(stack: DeployedStack) -> None:
    received = T0 + 86_400_000
    async with stack.aws.client("dynamodb") as client:
        store = HotStore(client, stack.names, ttl_days=7)
        appended = await store.append(
            pack([Reading("acme", "t", "m", 946_684_800_000, 1.0, "Cel", received)])
            + pack([Reading("acme", "t", "m", received, 1.0, "Cel", received)])
        )
        items = (await client.scan(TableName=stack.names.table_readings))["Items"]
    assert appended == (2, 2.0)
    assert {int(item["expires_at"]["N"]) for item in items} == {received // 1000 + 7 * 86_400}


async def test_bad_arguments_are_named(dynamodb: "DynamoDBClient") -> None:
    store = HotStore(dynamodb, Names())
    with pytest.raises(ValueError, match="end: 5 is before start"):
        await store.read("acme", "t", start=6, end=5)
    with pytest.raises(ValueError, match="device: 'a#b' is not a name"):
        await store.read("acme", "a#b", start=0, end=5)
    with pytest.raises(ValueError, match="ttl_days: 0 must be positive"):
        HotStore(dynamodb, Names(), ttl_days=0)
