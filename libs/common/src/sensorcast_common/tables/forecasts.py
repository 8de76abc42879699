"""The table of forecasts: one compressed item per series and "known at", so that a repeated job writes over itself."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

import zstandard
from pydantic import ValidationError

from sensorcast_common.clock import to_millis
from sensorcast_common.errors import Retryable
from sensorcast_common.forecast import Forecast
from sensorcast_common.names import Names
from sensorcast_common.reading import SeriesKey

if TYPE_CHECKING:
    from types_aiobotocore_dynamodb import DynamoDBClient
    from types_aiobotocore_dynamodb.type_defs import (
        AttributeValueTypeDef,
        WriteRequestOutputTypeDef,
        WriteRequestTypeDef,
    )

DEFAULT_TTL_SECONDS: Final = 7 * 24 * 3600

_FORMAT: Final = 1
_MAX_ITEM: Final = 1024 * 1024
_BATCH: Final = 25
_SORT_DIGITS: Final = 15
_READERS: Final = 16

_compressor = zstandard.ZstdCompressor(level=9)


class ForecastsTable:
    """Reads and writes table `forecasts`.

    Items: pk `{tenant}#{device}#{metric}`, sk `known_at` in milliseconds, zero-padded so that it sorts; `body` is zstd
    of the forecast's JSON, `v` its format, `model` and `risk` (the highest probability of leaving a limit) are plain
    for whoever looks at the table by hand, `expires_at` is the TTL in seconds since 1970.

    Args:
        client: A DynamoDB client.
        names: Names of the stack.
        ttl_seconds: How long after `known_at` an item is kept.
        attempts: How often items that DynamoDB leaves unprocessed are sent before giving up.
        backoff_seconds: Wait before the second attempt, doubled for each one after that.

    Raises:
        ValueError: An argument is out of range; the message names it.
    """

    def __init__(
        self,
        client: "DynamoDBClient",
        names: Names,
        *,
        ttl_seconds: int = DEFAULT_TTL_SECONDS,
        attempts: int = 6,
        backoff_seconds: float = 0.1,
    ) -> None:
        for name, value in (("ttl_seconds", ttl_seconds), ("attempts", attempts)):
            if value < 1:
                raise ValueError(f"{name}: {value} must be at least 1")
        if backoff_seconds < 0:
            raise ValueError(f"backoff_seconds: {backoff_seconds} must not be negative")
        self._client = client
        self._table = names.table_forecasts
        self._ttl = ttl_seconds
        self._attempts = attempts
        self._backoff = backoff_seconds

    async def put(self, forecasts: Iterable[Forecast]) -> None:
        """Write forecasts; one of the same series and `known_at` is replaced.

        Raises:
            Retryable: DynamoDB still left items unprocessed after all attempts; the others are written.
        """
        # One BatchWriteItem must not hold a key twice.
        items = {(item["pk"]["S"], item["sk"]["S"]): item for item in map(self._item, forecasts)}
        requests: list[WriteRequestTypeDef] = [{"PutRequest": {"Item": item}} for item in items.values()]
        for at in range(0, len(requests), _BATCH):
            await self._write(requests[at : at + _BATCH])

    async def latest(self, series: SeriesKey) -> Forecast | None:
        """The newest forecast of a series, or `None` where there is none."""
        return await self._newest(series, "pk = :pk", {":pk": {"S": _pk(series)}})

    async def latest_many(self, series: Iterable[SeriesKey]) -> dict[SeriesKey, Forecast]:
        """The newest forecast of each series; a series without one is absent."""
        gate = asyncio.Semaphore(_READERS)

        async def read(key: SeriesKey) -> Forecast | None:
            async with gate:
                return await self.latest(key)

        keys = list(dict.fromkeys(series))
        found = await asyncio.gather(*map(read, keys))
        return {key: forecast for key, forecast in zip(keys, found, strict=True) if forecast is not None}

    async def known_at_or_before(self, series: SeriesKey, millis: int) -> Forecast | None:
        """The newest forecast that was known at `millis` (since 1970 UTC), or `None` where there is none."""
        return await self._newest(
            series, "pk = :pk AND sk <= :sk", {":pk": {"S": _pk(series)}, ":sk": {"S": _sk(max(millis, 0))}}
        )

    def _item(self, forecast: Forecast) -> "dict[str, AttributeValueTypeDef]":
        known_at = to_millis(forecast.known_at)
        return {
            "pk": {"S": _pk(forecast.series)},
            "sk": {"S": _sk(known_at)},
            "v": {"N": str(_FORMAT)},
            "body": {"B": _compressor.compress(forecast.model_dump_json().encode())},
            "model": {"S": forecast.model},
            "risk": {"N": f"{max((risk.probability for risk in forecast.risks), default=0.0):.4f}"},
            "expires_at": {"N": str(known_at // 1000 + self._ttl)},
        }

    async def _write(self, batch: "Sequence[WriteRequestTypeDef]") -> None:
        left: Sequence[WriteRequestTypeDef | WriteRequestOutputTypeDef] = batch
        for attempt in range(self._attempts):
            if attempt:
                await asyncio.sleep(self._backoff * 2 ** (attempt - 1))
            answer = await self._client.batch_write_item(RequestItems={self._table: left})
            left = answer.get("UnprocessedItems", {}).get(self._table, [])
            if not left:
                return
        raise Retryable(f"{self._table}: {len(left)} forecasts left unprocessed after {self._attempts} attempts")

    async def _newest(
        self, series: SeriesKey, condition: str, values: "dict[str, AttributeValueTypeDef]"
    ) -> Forecast | None:
        answer = await self._client.query(
            TableName=self._table,
            KeyConditionExpression=condition,
            ExpressionAttributeValues=values,
            ScanIndexForward=False,
            Limit=1,
        )
        if not answer["Items"]:
            return None
        return _forecast(series, answer["Items"][0])


def _pk(series: SeriesKey) -> str:
    return "#".join(series)


def _sk(millis: int) -> str:
    return f"{millis:0{_SORT_DIGITS}d}"


def _forecast(series: SeriesKey, item: "dict[str, AttributeValueTypeDef]") -> Forecast:
    where = f"forecast {_pk(series)} at {item['sk']['S']}"
    version = item.get("v", {}).get("N")
    if version != str(_FORMAT):
        raise ValueError(f"{where}: v: format {version} is unknown here, known: {_FORMAT}")
    try:
        body = zstandard.ZstdDecompressor().decompress(bytes(item["body"]["B"]), max_output_size=_MAX_ITEM)
        return Forecast.model_validate_json(body)
    except (KeyError, zstandard.ZstdError, ValidationError) as error:
        raise ValueError(f"{where}: body: {error}") from error
