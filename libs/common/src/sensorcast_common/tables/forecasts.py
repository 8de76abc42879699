"""The table of forecasts: one compressed item per series and "known at", so that a repeated job writes over itself."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

import zstandard
from pydantic import ValidationError

from sensorcast_common.clock import to_millis
from sensorcast_common.forecast import Forecast
from sensorcast_common.names import Names
from sensorcast_common.reading import SeriesKey
from sensorcast_common.tables.at_once import at_once
from sensorcast_common.tables.batch_write import write_items

if TYPE_CHECKING:
    from types_aiobotocore_dynamodb import DynamoDBClient
    from types_aiobotocore_dynamodb.type_defs import AttributeValueTypeDef

DEFAULT_TTL_SECONDS: Final = 7 * 24 * 3600

_FORMAT: Final = 1
_MAX_ITEM: Final = 1024 * 1024
_SORT_DIGITS: Final = 15
_READERS: Final = 16

_compressor = zstandard.ZstdCompressor(level=9)


class ForecastsTable:
    """Reads and writes table `forecasts`.

    Items: pk `{tenant}#{device}#{metric}`, sk `known_at` in milliseconds, zero-padded so that it sorts; `body` is zstd
    of the forecast's JSON, `v` its format, `model` and `risk` (the highest probability of leaving a limit) are plain
    for whoever looks at the table by hand, `expires_at` is the TTL in seconds since 1970.

    Args:
        client: An open DynamoDB client.
        names: Names of the stack.
        ttl_seconds: How long after `known_at` an item is kept.

    Raises:
        ValueError: `ttl_seconds` is not positive.
    """

    def __init__(self, client: "DynamoDBClient", names: Names, *, ttl_seconds: int = DEFAULT_TTL_SECONDS) -> None:
        if ttl_seconds < 1:
            raise ValueError(f"ttl_seconds: {ttl_seconds} must be at least 1")
        self._client = client
        self._table = names.table_forecasts
        self._ttl = ttl_seconds

    async def put(self, forecasts: Iterable[Forecast]) -> None:
        """Write forecasts; one of the same series and `known_at` is replaced.

        Raises:
            Retryable: DynamoDB still left items unprocessed after all attempts; the others are written.
        """
        items = {(item["pk"]["S"], item["sk"]["S"]): item for item in map(self._item, forecasts)}
        await write_items(self._client, self._table, list(items.values()))

    async def latest(self, series: SeriesKey) -> Forecast | None:
        """The newest forecast of a series, or `None` where there is none."""
        return await self._newest(series, "pk = :pk", {":pk": {"S": _pk(series)}})

    async def latest_many(self, series: Iterable[SeriesKey]) -> dict[SeriesKey, Forecast]:
        """The newest forecast of each series; a series without one is absent."""
        keys = list(dict.fromkeys(series))
        found = await at_once(self.latest, keys, limit=_READERS)
        return {key: forecast for key, forecast in zip(keys, found, strict=True) if forecast is not None}

    async def known_at_or_before(self, series: SeriesKey, millis: int) -> Forecast | None:
        """The newest forecast that was known at `millis` (since 1970 UTC), or `None` where there is none."""
        return await self._newest(
            series, "pk = :pk AND sk <= :sk", {":pk": {"S": _pk(series)}, ":sk": {"S": _sk(max(millis, 0))}}
        )

    async def known_between(self, series: SeriesKey, *, start: int, end: int) -> list[Forecast]:
        """The forecasts of a series that were known in a range, oldest first.

        Args:
            series: Which series.
            start: In milliseconds since 1970 UTC.
            end: Exclusive.

        Raises:
            ValueError: An item is unreadable; the message names it.
        """
        if end <= start:
            return []
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="pk = :pk AND sk BETWEEN :from AND :to",
            ExpressionAttributeValues={
                ":pk": {"S": _pk(series)},
                ":from": {"S": _sk(max(start, 0))},
                ":to": {"S": _sk(max(end - 1, 0))},
            },
        )
        return [_forecast(series, item) async for page in pages for item in page["Items"]]

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
