"""Which series have readings out of order whose incidents are still to be revised, for whoever comes after a crash.

Items in the table of deliveries: pk tenant, sk `late#{device}#{metric}`, with the earliest such reading and a TTL. A
mark is written before the message of its readings is deleted, and taken away once the series has been revised.
"""

from typing import TYPE_CHECKING, Final

from sensorcast_common.late_mark import LateMark
from sensorcast_common.names import Names
from sensorcast_common.reading import SeriesKey

if TYPE_CHECKING:
    from types_aiobotocore_dynamodb import DynamoDBClient
    from types_aiobotocore_dynamodb.type_defs import AttributeValueTypeDef, ScanInputTypeDef

_PREFIX: Final = "late#"
_KEPT_SECONDS: Final = 3 * 86_400


class LateMarksTable:
    """Marks of all tenants.

    Args:
        client: DynamoDB.
        names: The stack's names.
    """

    def __init__(self, client: "DynamoDBClient", names: Names) -> None:
        self._client = client
        self._table = names.table_deliveries

    async def note(self, mark: LateMark, *, now: int) -> None:
        """Mark a series from this reading on; a mark that is earlier stays."""
        try:
            await self._client.update_item(
                TableName=self._table,
                Key=_key(mark.series),
                UpdateExpression=(
                    "SET ts = :ts, reading = :value, senml_unit = :unit, noted_at = :now, expires_at = :ends"
                ),
                ConditionExpression="attribute_not_exists(ts) OR ts > :ts",
                ExpressionAttributeValues={
                    ":ts": {"N": str(mark.ts)},
                    ":value": {"N": repr(mark.value)},
                    ":unit": {"S": mark.unit},
                    ":now": {"N": str(now)},
                    ":ends": {"N": str(now // 1000 + _KEPT_SECONDS)},
                },
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return  # whoever revises from there on comes past this reading too

    async def done(self, series: SeriesKey, *, ts: int) -> None:
        """Take the mark away that begins at `ts`; one that another alerter has set earlier stays."""
        try:
            await self._client.update_item(
                TableName=self._table,
                Key=_key(series),
                UpdateExpression="REMOVE ts",
                ConditionExpression="ts = :ts",
                ExpressionAttributeValues={":ts": {"N": str(ts)}},
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return

    async def left(self, *, before: int) -> list[LateMark]:
        """The marks that were set before a time (ms): whoever set them should have revised by then."""
        found: list[LateMark] = []
        scan: ScanInputTypeDef = {
            "TableName": self._table,
            "FilterExpression": "begins_with(sk, :late) AND attribute_exists(ts) AND noted_at < :before",
            "ExpressionAttributeValues": {":late": {"S": _PREFIX}, ":before": {"N": str(before)}},
        }
        while True:
            page = await self._client.scan(**scan)
            found += map(_mark, page["Items"])
            if "LastEvaluatedKey" not in page:
                return found
            scan["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def _key(series: SeriesKey) -> "dict[str, AttributeValueTypeDef]":
    return {"pk": {"S": series.tenant}, "sk": {"S": f"{_PREFIX}{series.device}#{series.metric}"}}


def _mark(item: "dict[str, AttributeValueTypeDef]") -> LateMark:
    device, _, metric = item["sk"]["S"].removeprefix(_PREFIX).partition("#")
    series = SeriesKey(item["pk"]["S"], device, metric)
    return LateMark(series, int(item["ts"]["N"]), float(item["reading"]["N"]), item["senml_unit"]["S"])
