"""Where the builds of Amazon Forecast are kept: items `amazon-forecast#...` of table `models`."""

from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from sensorcast_common.names import Names
from sensorcast_forecaster.engines.amazon.build import BuildKey, State
from sensorcast_forecaster.training.watch import InUse, TrainedModels

if TYPE_CHECKING:
    from collections.abc import Mapping

    from types_aiobotocore_dynamodb import DynamoDBClient
    from types_aiobotocore_dynamodb.type_defs import AttributeValueTypeDef

_PREFIX: Final = "amazon-forecast"


class StateChanged(Exception):  # noqa: N818 - says what is the matter
    """Another process went on with the build meanwhile."""


class BuildStates(TrainedModels):
    """Reads and writes states.

    Items: pk tenant; sk `amazon-forecast#{metric}#{step}`; `state` as JSON; `version` counts the writes, so that of two
    processes with the same build only one goes on.

    Args:
        client: An open DynamoDB client.
        names: Names of the stack.
    """

    def __init__(self, client: "DynamoDBClient", names: Names) -> None:
        self._client = client
        self._table = names.table_models

    async def get(self, key: BuildKey) -> tuple[State, int]:
        """The state and its version; an empty one with version 0 where there is none."""
        answer = await self._client.get_item(TableName=self._table, Key=_item_key(key), ConsistentRead=True)
        item = answer.get("Item")
        return (State(), 0) if item is None else (_state(item), int(item["version"]["N"]))

    async def put(self, key: BuildKey, state: State, *, version: int) -> int:
        """Write a state over the version it was read with.

        Returns:
            Its version.

        Raises:
            StateChanged: It has another version by now.
        """
        try:
            await self._client.put_item(
                TableName=self._table,
                Item={
                    **_item_key(key),
                    "state": {"S": state.model_dump_json()},
                    "version": {"N": str(version + 1)},
                },
                ConditionExpression="attribute_not_exists(pk) OR version = :version",
                ExpressionAttributeValues={":version": {"N": str(version)}},
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                raise StateChanged(f"{'/'.join(map(str, key))}: version {version} is not the latest") from error
            raise
        return version + 1

    async def all_of(self, tenant: str) -> dict[BuildKey, State]:
        """The states of a tenant."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :prefix)",
            ExpressionAttributeValues={":pk": {"S": tenant}, ":prefix": {"S": f"{_PREFIX}#"}},
        )
        found = {}
        async for page in pages:
            for item in page["Items"]:
                _, metric, step = item["sk"]["S"].split("#")
                found[BuildKey(tenant, metric, int(step))] = _state(item)
        return found

    async def watched(self, tenant: str) -> list[InUse]:
        """The predictors that are asked, one per metric; see `TrainedModels`."""
        newest: dict[str, InUse] = {}
        for key, state in (await self.all_of(tenant)).items():
            serving, build = state.serving, state.build
            if serving is not None and serving.unhealthy is None:
                # A training that is on its way counts as one: another would begin the same again.
                latest = max(serving.predictor_id, build.predictor_id if build else "")
                found = InUse(key.metric, serving.predictor_id, latest)
                newest[key.metric] = max(found, newest.get(key.metric, found), key=lambda each: each.model_id)
        return list(newest.values())

    async def distrust(self, tenant: str, metric: str, model_id: str, *, reason: str) -> None:
        """Take a predictor out of use until another is trained; see `TrainedModels`."""
        for key in await self.all_of(tenant):
            state, version = await self.get(key)
            if key.metric == metric and state.serving is not None and state.serving.predictor_id == model_id:
                serving = state.serving.model_copy(update={"unhealthy": reason})
                await self.put(key, state.model_copy(update={"serving": serving}), version=version)


def _item_key(key: BuildKey) -> "dict[str, AttributeValueTypeDef]":
    return {"pk": {"S": key.tenant}, "sk": {"S": f"{_PREFIX}#{key.metric}#{key.step_seconds}"}}


def _state(item: "Mapping[str, AttributeValueTypeDef]") -> State:
    return State.model_validate_json(item["state"]["S"])
