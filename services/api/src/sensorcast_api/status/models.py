"""Which trained models a tenant's forecasts come from, as the forecaster recorded them."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from pydantic import AliasPath, BaseModel, ConfigDict, Field

from sensorcast_common.clock import UtcDatetime
from sensorcast_common.names import Names

if TYPE_CHECKING:
    from types_aiobotocore_dynamodb import DynamoDBClient


class ModelStatus(BaseModel):
    """A trained model that is in use.

    Attributes:
        model_id: Names it; sorts by the time of training.
        metric: Which series it serves.
        step_seconds: Those with this step.
        trained_to: Last reading that it learnt from.
        relative_loss: Its pinball loss in validation, relative to that of the last value; below 1 is better.
        coverage: Share of values inside its 80% band in validation.
    """

    model_config = ConfigDict(extra="ignore", frozen=True, populate_by_name=True)

    model_id: str
    metric: str
    step_seconds: int
    trained_to: UtcDatetime
    relative_loss: Annotated[float, Field(validation_alias=AliasPath("validation", "relative_loss"))]
    coverage: Annotated[float, Field(validation_alias=AliasPath("validation", "coverage"))]


class ModelsInUse:
    """Reads table `models`: pk tenant, sk `in-use#{metric}#{step}`, the record as JSON.

    Args:
        client: An open DynamoDB client.
        names: Names of the stack.
    """

    def __init__(self, client: "DynamoDBClient", names: Names) -> None:
        self._client = client
        self._table = names.table_models

    async def in_use(self, tenant: str) -> Sequence[ModelStatus]:
        """The models of a tenant that are in use, by metric and step."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :prefix)",
            ExpressionAttributeValues={":pk": {"S": tenant}, ":prefix": {"S": "in-use#"}},
        )
        return [
            ModelStatus.model_validate(json.loads(item["record"]["S"]))
            async for page in pages
            for item in page["Items"]
        ]
