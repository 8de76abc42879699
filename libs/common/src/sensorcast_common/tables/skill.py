"""How good forecasts were, hour by hour, in table `models`: one item per tenant, hour, metric and shard."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

from pydantic import TypeAdapter, ValidationError

from sensorcast_common.names import Names
from sensorcast_common.skill import Tally
from sensorcast_common.tables.batch_write import write_items

if TYPE_CHECKING:
    from types_aiobotocore_dynamodb import DynamoDBClient
    from types_aiobotocore_dynamodb.type_defs import AttributeValueTypeDef

HOUR_MS: Final = 3_600_000
DEFAULT_TTL_SECONDS: Final = 90 * 86_400

_PREFIX: Final = "skill"
_HOUR_DIGITS: Final = 13
_TALLIES: Final = TypeAdapter(dict[str, Tally])


class HourSkill(NamedTuple):
    """How the forecasts of one hour, one metric and one shard of a tenant's devices did.

    Attributes:
        tenant: Whose.
        hour: When the forecasts were known: the hour's start in milliseconds since 1970 UTC.
        metric: Of which series.
        shard: Of which devices; each device belongs to one shard for good.
        models: By model, without what changes from series to series.
    """

    tenant: str
    hour: int
    metric: str
    shard: int
    models: Mapping[str, Tally]


class SkillTable:
    """Reads and writes the items `skill#...` of table `models`.

    Items: pk tenant; sk `skill#{hour}#{metric}#{shard}`, the hour in milliseconds, zero-padded so that it sorts; `t`
    the tallies as JSON; `expires_at` the TTL in seconds since 1970. Scoring an hour again writes over the same items.

    Args:
        client: An open DynamoDB client.
        names: Names of the stack.
        ttl_seconds: How long after its hour an item is kept.

    Raises:
        ValueError: `ttl_seconds` is not positive.
    """

    def __init__(self, client: "DynamoDBClient", names: Names, *, ttl_seconds: int = DEFAULT_TTL_SECONDS) -> None:
        if ttl_seconds < 1:
            raise ValueError(f"ttl_seconds: {ttl_seconds} must be at least 1")
        self._client = client
        self._table = names.table_models
        self._ttl = ttl_seconds

    async def put(self, skills: Iterable[HourSkill]) -> None:
        """Write items of distinct keys.

        Raises:
            Retryable: DynamoDB still left items unprocessed after all attempts.
        """
        await write_items(self._client, self._table, [self._item(skill) for skill in skills])

    async def between(self, tenant: str, *, start: int, end: int) -> list[HourSkill]:
        """What is known of the hours that begin in a range, oldest first.

        Args:
            tenant: Whose.
            start: In milliseconds since 1970 UTC.
            end: Exclusive.

        Raises:
            ValueError: An item is unreadable; the message names it.
        """
        found: list[HourSkill] = []
        if end <= start:
            return found
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="pk = :pk AND sk BETWEEN :from AND :to",
            ExpressionAttributeValues={
                ":pk": {"S": tenant},
                ":from": {"S": f"{_PREFIX}#{_padded(start)}"},
                # A sort key goes on after its hour, so this is before every one that begins at `end`.
                ":to": {"S": f"{_PREFIX}#{_padded(end)}"},
            },
        )
        async for page in pages:
            found.extend(map(_skill, page["Items"]))
        return found

    def _item(self, skill: HourSkill) -> "dict[str, AttributeValueTypeDef]":
        return {
            "pk": {"S": skill.tenant},
            "sk": {"S": f"{_PREFIX}#{_padded(skill.hour)}#{skill.metric}#{skill.shard:02d}"},
            "t": {"S": _TALLIES.dump_json(dict(skill.models), exclude_defaults=True).decode()},
            "expires_at": {"N": str(skill.hour // 1000 + self._ttl)},
        }


def _padded(millis: int) -> str:
    return f"{max(millis, 0):0{_HOUR_DIGITS}d}"


def _skill(item: "Mapping[str, AttributeValueTypeDef]") -> HourSkill:
    sk = item["sk"]["S"]
    _, hour, metric, shard = sk.split("#")
    try:
        models = _TALLIES.validate_json(item["t"]["S"])
    except (KeyError, ValidationError) as error:
        raise ValueError(f"{sk} of {item['pk']['S']}: t: {error}") from error
    return HourSkill(tenant=item["pk"]["S"], hour=int(hour), metric=metric, shard=int(shard), models=models)
