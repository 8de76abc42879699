"""Where models are kept: records in table `models`, artefacts in the bucket of models."""

import hashlib
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from sensorcast_common.names import Names
from sensorcast_forecaster.training.record import ModelKey, ModelRecord
from sensorcast_forecaster.training.watch import InUse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from types_aiobotocore_dynamodb import DynamoDBClient
    from types_aiobotocore_dynamodb.type_defs import AttributeValueTypeDef
    from types_aiobotocore_s3 import S3Client

_IN_USE: Final = "in-use"
_TRAINED: Final = "trained"


class ArtefactMissing(Exception):  # noqa: N818 - says what is the matter
    """An artefact is not in the bucket, or is not the one that its record describes."""


class ModelRegistry:
    """Writes and reads models.

    Items: pk tenant; sk `trained#{metric}#{step}#{model_id}` for each trained model, and `in-use#{metric}#{step}` for
    the promoted one, both with the record as JSON in `record`. The latter has `unhealthy` where its forecasts turned
    out so badly that it must not be used; the next one that is promoted takes its place and has not.

    Args:
        dynamodb: An open client.
        s3: An open client.
        names: Names of the stack.
        bucket: The bucket of models.
    """

    def __init__(self, dynamodb: "DynamoDBClient", s3: "S3Client", names: Names, *, bucket: str) -> None:
        self._dynamodb = dynamodb
        self._s3 = s3
        self._table = names.table_models
        self._bucket = bucket

    async def in_use(self, key: ModelKey) -> ModelRecord | None:
        """The promoted model of some series, or `None`."""
        answer = await self._dynamodb.get_item(
            TableName=self._table,
            Key={"pk": {"S": key.tenant}, "sk": {"S": f"{_IN_USE}#{_tail(key)}"}},
            ConsistentRead=True,
        )
        item = answer.get("Item")
        return None if item is None else _record(item)

    async def all_in_use(self, tenant: str) -> list[ModelRecord]:
        """The promoted models of a tenant."""
        return await self._list(tenant, f"{_IN_USE}#")

    async def trained(self, tenant: str, metric: str) -> list[ModelRecord]:
        """All models trained for a tenant and metric, by step and time of training."""
        return await self._list(tenant, f"{_TRAINED}#{metric}#")

    async def add(self, record: ModelRecord, artefact: bytes) -> None:
        """Keep a model, and let it take over where its record says so and no newer one has.

        The artefact goes first: a record never points at nothing. A repeated training writes over itself.
        """
        await self._s3.put_object(
            Bucket=self._bucket,
            Key=record.artefact,
            Body=artefact,
            ContentType="application/gzip",
            Metadata={"sha256": record.sha256},
        )
        body, tail = record.model_dump_json(), _tail(record.key)
        await self._dynamodb.put_item(
            TableName=self._table,
            Item={
                "pk": {"S": record.tenant},
                "sk": {"S": f"{_TRAINED}#{tail}#{record.model_id}"},
                "model_id": {"S": record.model_id},
                "record": {"S": body},
            },
        )
        if not record.promoted:
            return
        try:
            await self._dynamodb.put_item(
                TableName=self._table,
                Item={
                    "pk": {"S": record.tenant},
                    "sk": {"S": f"{_IN_USE}#{tail}"},
                    "model_id": {"S": record.model_id},
                    "record": {"S": body},
                },
                ConditionExpression="attribute_not_exists(pk) OR model_id <= :id",
                ExpressionAttributeValues={":id": {"S": record.model_id}},
            )
        except ClientError as error:
            # A late delivery of an older job: the newer model stays.
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise

    async def watched(self, tenant: str) -> list[InUse]:
        """The models in use of a tenant, one per metric, since its steps are trained together; see `TrainedModels`."""
        newest: dict[str, ModelRecord] = {}
        for record in await self.all_in_use(tenant):
            if record.metric not in newest or record.model_id > newest[record.metric].model_id:
                newest[record.metric] = record
        return [
            InUse(metric, record.model_id, max(each.model_id for each in await self.trained(tenant, metric)))
            for metric, record in newest.items()
        ]

    async def distrust(self, tenant: str, metric: str, model_id: str, *, reason: str) -> None:
        """Take a model out of use, at every step, where it still is the one in use; see `TrainedModels`."""
        for record in await self.all_in_use(tenant):
            if (record.metric, record.model_id) == (metric, model_id):
                await self._distrust(record, reason)

    async def _distrust(self, record: ModelRecord, reason: str) -> None:
        try:
            await self._dynamodb.update_item(
                TableName=self._table,
                Key={"pk": {"S": record.tenant}, "sk": {"S": f"{_IN_USE}#{_tail(record.key)}"}},
                UpdateExpression="SET unhealthy = :reason",
                ConditionExpression="model_id = :id",
                ExpressionAttributeValues={":reason": {"S": reason}, ":id": {"S": record.model_id}},
            )
        except ClientError as error:
            # A newer one took its place meanwhile, and is not to blame.
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise

    async def artefact(self, record: ModelRecord) -> bytes:
        """The artefact of a model.

        Raises:
            ArtefactMissing: It is not there, or another one is.
        """
        try:
            found = await self._s3.get_object(Bucket=self._bucket, Key=record.artefact)
        except ClientError as error:
            if error.response["Error"]["Code"] in {"NoSuchKey", "404"}:
                raise ArtefactMissing(f"artefact: {record.artefact} is not there") from error
            raise
        async with found["Body"] as stream:
            body = await stream.read()
        if hashlib.sha256(body).hexdigest() != record.sha256:
            raise ArtefactMissing(f"artefact: {record.artefact} is not the one that was trained")
        return body

    async def _list(self, tenant: str, prefix: str) -> list[ModelRecord]:
        pages = self._dynamodb.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :prefix)",
            ExpressionAttributeValues={":pk": {"S": tenant}, ":prefix": {"S": prefix}},
            ConsistentRead=True,
        )
        return [_record(item) async for page in pages for item in page["Items"]]


def _record(item: "Mapping[str, AttributeValueTypeDef]") -> ModelRecord:
    record = ModelRecord.model_validate_json(item["record"]["S"])
    return record.model_copy(update={"unhealthy": item["unhealthy"]["S"]}) if "unhealthy" in item else record


def _tail(key: ModelKey) -> str:
    return f"{key.metric}#{key.step_seconds}"
