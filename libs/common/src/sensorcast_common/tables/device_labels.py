"""What people call devices and sort them by, in table `devices` beside what the archiver writes there."""

from collections.abc import Mapping
from enum import Enum
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from sensorcast_common.device import Device
from sensorcast_common.errors import Retryable
from sensorcast_common.names import Names
from sensorcast_common.tables.devices import DevicesTable

if TYPE_CHECKING:
    from types_aiobotocore_dynamodb import DynamoDBClient
    from types_aiobotocore_dynamodb.type_defs import AttributeValueTypeDef

_ATTEMPTS: Final = 10


class Unchanged(Enum):
    """Stands for a name that stays, since `None` takes it away."""

    NAME = "name"


class LabelConflict(Exception):  # noqa: N818 - what happened, told to the one who asked for the change
    """Somebody else changed the labels meanwhile.

    Attributes:
        version: The one that is in force.
    """

    def __init__(self, version: int) -> None:
        super().__init__(f"labels_version: is {version}")
        self.version = version


class DeviceLabels:
    """Changes `known_as` and `labels` and counts the changes in `labels_rev`; the archiver writes none of them.

    Args:
        client: An open DynamoDB client.
        names: Names of the stack.
    """

    def __init__(self, client: "DynamoDBClient", names: Names) -> None:
        self._client = client
        self._table = names.table_devices
        self._devices = DevicesTable(client, names)

    async def change(
        self,
        tenant: str,
        device: str,
        changes: Mapping[str, str | None],
        *,
        name: str | Unchanged | None = Unchanged.NAME,
        expected: int | None = None,
    ) -> Device | None:
        """Change labels and name of a device.

        Args:
            tenant: Whose device.
            device: Its name.
            changes: By label its new value; `None` takes it away.
            name: What people call it; `None` takes the name away.
            expected: `labels_version` that must be in force; `None` for any.

        Returns:
            The device as it is now; `None` where there is no such device.

        Raises:
            LabelConflict: Another version is in force.
            Retryable: Other writers kept getting ahead.
        """
        for _ in range(_ATTEMPTS):
            known = await self._devices.get(tenant, device)
            if known is None:
                return None
            if expected is not None and expected != known.labels_version:
                raise LabelConflict(known.labels_version)
            labels = known.labels | {label: value for label, value in changes.items() if value is not None}
            kept = {label: value for label, value in labels.items() if changes.get(label, value) is not None}
            called = known.name if name is Unchanged.NAME else name
            try:
                await self._write(known, kept, called)
            except ClientError as error:
                if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                    raise
            else:
                update = {"name": called, "labels": kept, "labels_version": known.labels_version + 1}
                return known.model_copy(update=update)
        raise Retryable(f"{self._table}: {device}: other writers were faster {_ATTEMPTS} times")

    async def _write(self, known: Device, labels: Mapping[str, str], called: str | None) -> None:
        values: dict[str, AttributeValueTypeDef] = {
            ":labels": {"M": {name: {"S": value} for name, value in labels.items()}},
            ":next": {"N": str(known.labels_version + 1)},
        }
        same = "attribute_not_exists(labels_rev)"
        if known.labels_version:
            values[":seen"] = {"N": str(known.labels_version)}
            same = "labels_rev = :seen"
        if called is not None:
            values[":known_as"] = {"S": called}
        name = "REMOVE known_as" if called is None else ", known_as = :known_as"
        await self._client.update_item(
            TableName=self._table,
            Key={"pk": {"S": known.tenant}, "sk": {"S": known.device}},
            UpdateExpression=f"SET labels = :labels, labels_rev = :next {name}",
            ConditionExpression=f"attribute_exists(last_seen) AND {same}",
            ExpressionAttributeValues=values,
        )
