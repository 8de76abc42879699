"""The hot store: recent readings of every device as packed chunks in table `readings`."""

from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from sensorcast_common.names import Names, is_name
from sensorcast_common.tables.batch_write import delete_items, write_items
from sensorcast_common.tables.hot_chunk import CHUNK_SPAN_MS, Chunk, SeriesColumns, merge, partition_key, sort_key
from sensorcast_common.tables.hot_codec import ChunkSeries, decode
from sensorcast_common.tracing.traceparent import packed, unpacked

if TYPE_CHECKING:
    from types_aiobotocore_dynamodb import DynamoDBClient
    from types_aiobotocore_dynamodb.type_defs import AttributeValueTypeDef

DEFAULT_TTL_DAYS: Final = 7.0

_UNTRACED: Final[Mapping[tuple[str, str], str]] = MappingProxyType({})

_DAY_SECONDS: Final = 24 * 3600


class Appended(NamedTuple):
    """What an append cost.

    Attributes:
        items: Chunks written.
        write_units: Write units that DynamoDB reports.
    """

    items: int
    write_units: float


class HotStore:
    """Reads and writes table `readings`.

    Items: pk `{tenant}#{device}`; sk the first ts in milliseconds, zero-padded so that it sorts, `#`, and a hash of the
    content; `d` the chunk (see `hot_codec`); `t`, where it is recorded, the trace by which a part of it came (24 bytes,
    see `tracing`), which may cost a second write unit; `expires_at` the TTL in seconds since 1970. The lifetime counts
    from the latest time of measurement or receipt in the chunk, or from when it was written, so that replayed history
    is there to be looked at as long as live readings are, however old it is, and a batch that came late out of its
    queue too.

    Args:
        client: An open DynamoDB client.
        names: Names of the stack.
        ttl_days: How long a chunk is kept.

    Raises:
        ValueError: `ttl_days` is not positive.
    """

    def __init__(self, client: "DynamoDBClient", names: Names, *, ttl_days: float = DEFAULT_TTL_DAYS) -> None:
        if ttl_days <= 0:
            raise ValueError(f"ttl_days: {ttl_days} must be positive")
        self._client = client
        self._table = names.table_readings
        self._ttl_seconds = round(ttl_days * _DAY_SECONDS)

    async def append(
        self, chunks: Iterable[Chunk], *, now: int = 0, traces: Mapping[tuple[str, str], str] = _UNTRACED
    ) -> Appended:
        """Write chunks; a chunk that is there already is written over by itself, and lives longer.

        Args:
            chunks: What to write.
            now: The present, in milliseconds since 1970 UTC.
            traces: By tenant and device, the traceparent by which readings came that are recorded.

        Raises:
            Retryable: DynamoDB left chunks unprocessed after all attempts. Append them again: nothing doubles.
        """
        items = {
            (chunk.pk, chunk.sk): self._item(chunk, now, traces.get((chunk.tenant, chunk.device))) for chunk in chunks
        }
        units = await write_items(self._client, self._table, list(items.values()))
        return Appended(items=len(items), write_units=units)

    async def read(
        self, tenant: str, device: str, *, start: int, end: int, metrics: Collection[str] | None = None
    ) -> dict[str, SeriesColumns]:
        """The readings of a device in a range.

        Args:
            tenant: Whose device.
            device: The device.
            start: First time wanted, in milliseconds since 1970 UTC.
            end: First time no longer wanted.
            metrics: The metrics wanted; all by default.

        Returns:
            By metric, one value per time: the one received last. A metric without readings in the range is absent.

        Raises:
            ValueError: A name is not a name, or the range ends before it starts; the message names the field.
        """
        for field, name in (("tenant", tenant), ("device", device)):
            if not is_name(name):
                raise ValueError(f"{field}: {name[:64]!r} is not a name")
        if end < start:
            raise ValueError(f"end: {end} is before start ({start})")
        found: list[ChunkSeries] = []
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="pk = :pk AND sk BETWEEN :from AND :to",
            ExpressionAttributeValues={
                ":pk": {"S": partition_key(tenant, device)},
                ":from": {"S": sort_key(max(0, start - CHUNK_SPAN_MS + 1))},
                # A sort key goes on after its time, so this is before every chunk that begins at `end`.
                ":to": {"S": sort_key(max(0, end))},
            },
            ProjectionExpression="d",
        )
        async for page in pages:
            for item in page["Items"]:
                found.extend(decode(bytes(item["d"]["B"])))
        return merge(found, start=start, end=end, metrics=metrics)

    async def forget(self, tenant: str, device: str, *, before: int | None = None, dry_run: bool = False) -> int:
        """Delete a device's chunks.

        Args:
            tenant: Whose device.
            device: The device.
            before: Only chunks that begin and end before this time (ms); all by default.
            dry_run: Count only.

        Returns:
            How many chunks.
        """
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="pk = :pk AND sk < :to",
            ExpressionAttributeValues={
                ":pk": {"S": partition_key(tenant, device)},
                ":to": {"S": sort_key(max(0, before - CHUNK_SPAN_MS)) if before is not None else "~"},
            },
            ProjectionExpression="pk, sk",
        )
        count = 0
        async for page in pages:
            count += len(page["Items"])
            if not dry_run:
                await delete_items(self._client, self._table, page["Items"])
        return count

    async def traces(self, tenant: str, device: str, *, start: int, end: int) -> list[str]:
        """The traceparents, newest chunk first, by which readings of a device came that are recorded.

        Args:
            tenant: Whose device.
            device: The device.
            start: Chunks that begin at this time (ms) or later.
            end: And before this one.
        """
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="pk = :pk AND sk BETWEEN :from AND :to",
            FilterExpression="attribute_exists(t)",
            ExpressionAttributeValues={
                ":pk": {"S": partition_key(tenant, device)},
                ":from": {"S": sort_key(max(0, start))},
                ":to": {"S": sort_key(max(0, end))},
            },
            ProjectionExpression="t",
            ScanIndexForward=False,
        )
        found = [unpacked(bytes(item["t"]["B"])) async for page in pages for item in page["Items"]]
        return list(dict.fromkeys(each for each in found if each is not None))

    def _item(self, chunk: Chunk, now: int, trace: str | None) -> "dict[str, AttributeValueTypeDef]":
        return {
            "pk": {"S": chunk.pk},
            "sk": {"S": chunk.sk},
            "d": {"B": chunk.data},
            **({} if trace is None else {"t": {"B": packed(trace)}}),
            "expires_at": {"N": str(max(chunk.latest, now) // 1000 + self._ttl_seconds)},
        }
