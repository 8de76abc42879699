"""What was answered to a write that named itself, so that sending it again changes nothing again."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from sensorcast_common.names import Names

if TYPE_CHECKING:
    from types_aiobotocore_dynamodb import DynamoDBClient
    from types_aiobotocore_dynamodb.type_defs import AttributeValueTypeDef

DEFAULT_TTL_SECONDS: Final = 24 * 3600
LEASE_MS: Final = 60_000
"""How long a write may be under way before another of the same name takes its place: its process has died."""

_MAX_BODY: Final = 300_000
"""An item holds 400 KB; a longer answer is not kept."""


class Stage(StrEnum):
    """How far a write of this name has come."""

    NEW = "new"
    RUNNING = "running"
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptAnswer:
    """An answer.

    Attributes:
        status: HTTP status.
        headers: Those that belong to the content.
        body: The content; `None` where it was not kept.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What the table says of a write.

    Attributes:
        stage: `NEW` where the write is now the caller's to do.
        fingerprint: Of the request that came first under this name.
        answer: What it was answered, once that is done.
    """

    stage: Stage
    fingerprint: str
    answer: KeptAnswer | None = None


class IdempotencyTable:
    """Reads and writes table `idempotency`.

    Items: pk name of the write; `fingerprint`, `stage`, `lease` (ms), and once done `status`, `headers`, `body`;
    `expires_at` is the TTL in seconds since 1970.

    Args:
        client: An open DynamoDB client.
        names: Names of the stack.
        ttl_seconds: How long an answer is kept.
    """

    def __init__(self, client: "DynamoDBClient", names: Names, *, ttl_seconds: int = DEFAULT_TTL_SECONDS) -> None:
        self._client = client
        self._table = names.table_idempotency
        self._ttl = ttl_seconds

    async def claim(self, name: str, fingerprint: str, *, now: int) -> Claim:
        """Begin a write, unless one of this name has begun.

        Args:
            name: Of the write, unlike that of any other credential.
            fingerprint: Of the request.
            now: Milliseconds since 1970 UTC.
        """
        while True:
            try:
                await self._client.put_item(
                    TableName=self._table,
                    Item={
                        "pk": {"S": name},
                        "fingerprint": {"S": fingerprint},
                        "stage": {"S": Stage.RUNNING.value},
                        "lease": {"N": str(now + LEASE_MS)},
                        "expires_at": {"N": str(now // 1000 + self._ttl)},
                    },
                    # TTL deletes late, so what has expired is looked past.
                    ConditionExpression="attribute_not_exists(pk) OR expires_at <= :seconds "
                    "OR (stage = :running AND lease <= :now)",
                    ExpressionAttributeValues={
                        ":running": {"S": Stage.RUNNING.value},
                        ":now": {"N": str(now)},
                        ":seconds": {"N": str(now // 1000)},
                    },
                )
            except self._client.exceptions.ConditionalCheckFailedException:
                found = await self._client.get_item(TableName=self._table, Key={"pk": {"S": name}}, ConsistentRead=True)
                if "Item" in found:
                    return _claim(found["Item"])
                # It was released between the two calls.
            else:
                return Claim(stage=Stage.NEW, fingerprint=fingerprint)

    async def finish(self, name: str, answer: KeptAnswer) -> None:
        """Keep the answer of a write that is done."""
        values: dict[str, AttributeValueTypeDef] = {
            ":done": {"S": Stage.DONE.value},
            ":status": {"N": str(answer.status)},
            ":headers": {"M": {key: {"S": value} for key, value in answer.headers.items()}},
        }
        kept = answer.body is not None and len(answer.body) <= _MAX_BODY
        if kept and answer.body is not None:
            values[":body"] = {"B": answer.body}
        await self._client.update_item(
            TableName=self._table,
            Key={"pk": {"S": name}},
            UpdateExpression="SET stage = :done, #status = :status, headers = :headers" + (", body = :body" * kept),
            ExpressionAttributeNames={"#status": "status"},  # a reserved word of DynamoDB
            ExpressionAttributeValues=values,
        )

    async def release(self, name: str) -> None:
        """Forget a write that failed, so that it may be tried again."""
        await self._client.delete_item(TableName=self._table, Key={"pk": {"S": name}})


def _claim(item: "Mapping[str, AttributeValueTypeDef]") -> Claim:
    stage = Stage(item["stage"]["S"])
    answer = None
    if stage is Stage.DONE:
        answer = KeptAnswer(
            status=int(item["status"]["N"]),
            headers={key: value["S"] for key, value in item["headers"]["M"].items()},
            body=bytes(item["body"]["B"]) if "body" in item else None,
        )
    return Claim(stage=stage, fingerprint=item["fingerprint"]["S"], answer=answer)
