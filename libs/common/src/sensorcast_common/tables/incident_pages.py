"""Pages of a tenant's incidents, newest first."""

import base64
import binascii
import json
from typing import TYPE_CHECKING, Final

from sensorcast_common.incident import Incident, IncidentState
from sensorcast_common.names import Names
from sensorcast_common.tables.incident_items import read_incident

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from types_aiobotocore_dynamodb import DynamoDBClient
    from types_aiobotocore_dynamodb.type_defs import AttributeValueTypeDef, QueryInputTypeDef

MAX_PAGE: Final = 500


class IncidentPages:
    """Reads pages of table `incidents`: by incident id, or through the index `open` by time of opening.

    Args:
        client: DynamoDB.
        names: The stack's names.
    """

    def __init__(self, client: "DynamoDBClient", names: Names) -> None:
        self._client = client
        self._table = names.table_incidents

    async def page(
        self, tenant: str, *, states: frozenset[IncidentState], limit: int, cursor: str | None
    ) -> tuple[list[Incident], str | None]:
        """At most `limit` incidents in one of `states`, and where the next page starts.

        Raises:
            ValueError: `cursor` is not one of this listing.
        """
        through_index = bool(states) and IncidentState.RESOLVED not in states
        incidents: list[Incident] = []
        last: Mapping[str, AttributeValueTypeDef] = {}
        async for item in self._items(self._query(tenant, states, limit, cursor)):
            if len(incidents) == limit:
                return incidents, _cursor(last, through_index=through_index)
            incidents.append(read_incident(item))
            last = item
        return incidents, None

    def _query(
        self, tenant: str, states: frozenset[IncidentState], limit: int, cursor: str | None
    ) -> "QueryInputTypeDef":
        through_index = bool(states) and IncidentState.RESOLVED not in states
        wanted = states or frozenset(IncidentState) - {IncidentState.PENDING}
        values: dict[str, AttributeValueTypeDef] = {f":s{at}": {"S": state} for at, state in enumerate(sorted(wanted))}
        query: QueryInputTypeDef = {
            "TableName": self._table,
            "KeyConditionExpression": "tenant_open = :tenant" if through_index else "pk = :tenant",
            "FilterExpression": f"#state IN ({', '.join(values)}) AND attribute_not_exists(passed)",
            "ExpressionAttributeNames": {"#state": "state"},
            "ExpressionAttributeValues": {":tenant": {"S": tenant}, **values},
            "ScanIndexForward": False,
            "Limit": limit + 1,
        }
        if through_index:
            query["IndexName"] = "open"
        if cursor is not None:
            query["ExclusiveStartKey"] = _start_key(tenant, cursor, through_index=through_index)
        return query

    async def _items(self, query: "QueryInputTypeDef") -> "AsyncIterator[Mapping[str, AttributeValueTypeDef]]":
        while True:
            page = await self._client.query(**query)
            for item in page["Items"]:
                yield item
            if "LastEvaluatedKey" not in page:
                return
            query["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def _cursor(item: "Mapping[str, AttributeValueTypeDef]", *, through_index: bool) -> str:
    """Names the last item of a page; the tenant is not part of it, so that a cursor opens nobody else's incidents."""
    parts = [item["sk"]["S"], item["opened_at"]["S"]] if through_index else [item["sk"]["S"]]
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


def _start_key(tenant: str, cursor: str, *, through_index: bool) -> "dict[str, AttributeValueTypeDef]":
    try:
        parts: object = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError) as error:
        raise ValueError("cursor: not one that a listing of incidents returned") from error
    wanted = 2 if through_index else 1
    if not isinstance(parts, list) or len(parts) != wanted or not all(isinstance(part, str) and part for part in parts):
        raise ValueError("cursor: not one of this listing; keep the same states while paging")
    key: dict[str, AttributeValueTypeDef] = {"pk": {"S": tenant}, "sk": {"S": parts[0]}}
    if through_index:
        key |= {"tenant_open": {"S": tenant}, "opened_at": {"S": parts[1]}}
    return key
