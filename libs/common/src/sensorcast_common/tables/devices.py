"""The table of devices: one item each, with metrics, units, last values, and when it was first and last seen."""

import base64
import binascii
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

from botocore.exceptions import ClientError

from sensorcast_common.clock import from_millis, to_millis
from sensorcast_common.device import REFRESH_MS, Device, MetricState, Sighting
from sensorcast_common.errors import Retryable
from sensorcast_common.names import Names, is_name
from sensorcast_common.tables.at_once import at_once

if TYPE_CHECKING:
    from types_aiobotocore_dynamodb import DynamoDBClient
    from types_aiobotocore_dynamodb.type_defs import AttributeValueTypeDef, QueryInputTypeDef

    Item = Mapping[str, AttributeValueTypeDef]

_ANY: Final[Mapping[str, str]] = {}
_ATTEMPTS: Final = 10
_AT_ONCE: Final = 8
_MAX_PAGE: Final = 1000


class Recorded(NamedTuple):
    """What recording cost.

    Attributes:
        written: Devices whose item changed; the others were known and fresh.
        write_units: Write units that DynamoDB reports.
    """

    written: int
    write_units: float


class DevicesTable:
    """Reads and writes table `devices`.

    Items: pk tenant, sk device; `metrics` a map from metric to unit `u`, time `t` (ms) and value `v` (a string, since a
    DynamoDB number does not hold every float64); `first_seen` and `last_seen` (ms); `rev` counts the archiver's
    writes; `known_as`, `labels` and `labels_rev`, which counts their changes, belong to people, and no sighting touches
    them.

    Args:
        client: An open DynamoDB client.
        names: Names of the stack.
    """

    def __init__(self, client: "DynamoDBClient", names: Names) -> None:
        self._client = client
        self._table = names.table_devices

    async def get(self, tenant: str, device: str) -> Device | None:
        """One device, or `None` where it has never sent a valid reading."""
        item = await self._item(tenant, device)
        return None if item is None else _device(item)

    async def list(
        self, tenant: str, *, limit: int = 100, cursor: str | None = None, labels: Mapping[str, str] = _ANY
    ) -> tuple[list[Device], str | None]:
        """The devices of a tenant by name.

        Args:
            tenant: Whose devices.
            limit: At most so many, 1 to 1000.
            cursor: Where the page before ended; `None` for the first page.
            labels: Only those with all of these labels.

        Returns:
            The devices, and the cursor of the next page; `None` after the last.

        Raises:
            ValueError: `limit` is out of range, or `cursor` was not returned by this method.
        """
        if not 1 <= limit <= _MAX_PAGE:
            raise ValueError(f"limit: {limit} is not between 1 and {_MAX_PAGE}")
        after = "" if cursor is None else _read_cursor(cursor)
        found: list[Device] = []
        values: dict[str, AttributeValueTypeDef] = {":pk": {"S": tenant}, **({":after": {"S": after}} if after else {})}
        query: QueryInputTypeDef = {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :pk AND sk > :after" if after else "pk = :pk",
            "ExpressionAttributeValues": values,
            "Limit": limit + 1,
        }
        if labels:
            # DynamoDB filters what it has read, so that a page which is filtered is read in larger pieces.
            query["Limit"] = _MAX_PAGE
            query["FilterExpression"] = " AND ".join(f"labels.#l{at} = :l{at}" for at in range(len(labels)))
            query["ExpressionAttributeNames"] = {f"#l{at}": name for at, name in enumerate(labels)}
            values.update({f":l{at}": {"S": value} for at, value in enumerate(labels.values())})
        while True:
            page = await self._client.query(**query)
            found.extend(device for item in page["Items"] if (device := _device(item)) is not None)
            if len(found) > limit:
                return found[:limit], _make_cursor(found[limit - 1].device)
            if "LastEvaluatedKey" not in page:
                return found, None
            query["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    async def remove(self, tenant: str, device: str) -> None:
        """Forget a device, its labels too; it comes back with its next reading."""
        await self._client.delete_item(TableName=self._table, Key={"pk": {"S": tenant}, "sk": {"S": device}})

    async def active(self, since_ms: int) -> AsyncIterator[Device]:
        """The devices of all tenants that were heard of since a time.

        It scans the whole table: fit for some ten thousand devices every five minutes, not for millions.

        Args:
            since_ms: Time of receipt, in milliseconds since 1970 UTC. As `last_seen` may lag, devices that fell silent
                up to `REFRESH_MS` before it are among the result.
        """
        pages = self._client.get_paginator("scan").paginate(
            TableName=self._table,
            FilterExpression="last_seen >= :since",
            ExpressionAttributeValues={":since": {"N": str(since_ms - REFRESH_MS)}},
        )
        async for page in pages:
            for item in page["Items"]:
                device = _device(item)
                if device is not None:
                    yield device

    async def record(self, sightings: Iterable[Sighting]) -> Recorded:
        """Write what is new of devices, at most one sighting per device.

        A device is written when it is unknown, has a new metric or unit, or its newest value is `REFRESH_MS` newer, by
        receipt or, as when it sends what it kept while it was away, by its own time; several writers may do so at once.
        Times only ever move forward, so sightings may come in any order.

        Raises:
            Retryable: Other writers kept getting ahead; record it again.
        """
        units = await at_once(self._record, sightings, limit=_AT_ONCE)
        return Recorded(written=sum(1 for unit in units if unit), write_units=sum(units))

    async def _record(self, sighting: Sighting) -> float:
        units = 0.0
        for _ in range(_ATTEMPTS):
            item = await self._item(sighting.tenant, sighting.device)
            known = None if item is None else _device(item)
            if known is not None and not is_news(known, sighting):
                return units
            revision = None if item is None else item.get("rev", {}).get("N")
            try:
                return units + await self._write(_joined(known, sighting), revision)
            except ClientError as error:
                if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                    raise
                units += 1.0  # a refused write is billed as well
        raise Retryable(f"{self._table}: {sighting.device}: other writers were faster {_ATTEMPTS} times")

    async def _item(self, tenant: str, device: str) -> "Item | None":
        answer = await self._client.get_item(
            TableName=self._table, Key={"pk": {"S": tenant}, "sk": {"S": device}}, ConsistentRead=True
        )
        return answer.get("Item")

    async def _write(self, device: Device, revision: str | None) -> float:
        values: dict[str, AttributeValueTypeDef] = {
            ":metrics": {"M": {name: {"M": _state_item(state)} for name, state in device.metrics.items()}},
            ":first": {"N": str(to_millis(device.first_seen))},
            ":last": {"N": str(to_millis(device.last_seen))},
            ":next": {"N": str(int(revision or 0) + 1)},
        }
        if revision is not None:
            values[":rev"] = {"N": revision}
        answer = await self._client.update_item(
            TableName=self._table,
            Key={"pk": {"S": device.tenant}, "sk": {"S": device.device}},
            UpdateExpression="SET #metrics = :metrics, first_seen = :first, last_seen = :last, rev = :next",
            ConditionExpression="attribute_not_exists(rev)" if revision is None else "rev = :rev",
            ExpressionAttributeNames={"#metrics": "metrics"},  # METRICS is a reserved word of DynamoDB
            ExpressionAttributeValues=values,
            ReturnConsumedCapacity="TOTAL",
        )
        return answer.get("ConsumedCapacity", {}).get("CapacityUnits", 1.0)


def is_news(known: Device, sighting: Sighting) -> bool:
    """Tell whether a sighting is worth a write: a new metric or unit, or the item is `REFRESH_MS` behind."""
    if sighting.last_received - to_millis(known.last_seen) >= REFRESH_MS:
        return True
    for name, state in sighting.metrics.items():
        before = known.metrics.get(name)
        if before is None or (state.unit != before.unit and state.last_ts > before.last_ts):
            return True
    return _newest(sighting.metrics) - _newest(known.metrics) >= REFRESH_MS


def _newest(metrics: Mapping[str, MetricState]) -> int:
    return max((to_millis(state.last_ts) for state in metrics.values()), default=0)


def _joined(known: Device | None, sighting: Sighting) -> Device:
    metrics = {} if known is None else dict(known.metrics)
    for name, state in sighting.metrics.items():
        before = metrics.get(name)
        if before is None or state.last_ts > before.last_ts:
            metrics[name] = state
    first, last = from_millis(sighting.first_received), from_millis(sighting.last_received)
    return Device(
        tenant=sighting.tenant,
        device=sighting.device,
        metrics=metrics,
        first_seen=first if known is None else min(first, known.first_seen),
        last_seen=last if known is None else max(last, known.last_seen),
    )


def _state_item(state: MetricState) -> "dict[str, AttributeValueTypeDef]":
    return {"u": {"S": state.unit}, "t": {"N": str(to_millis(state.last_ts))}, "v": {"S": repr(state.last_value)}}


def _device(item: "Item") -> Device | None:
    """The device of an item; `None` where the item has labels only and no reading has come yet."""
    if "last_seen" not in item:
        return None
    return Device(
        tenant=item["pk"]["S"],
        device=item["sk"]["S"],
        name=item.get("known_as", {}).get("S"),
        labels={name: value["S"] for name, value in item.get("labels", {}).get("M", {}).items()},
        labels_version=int(item.get("labels_rev", {}).get("N", "0")),
        metrics={
            name: MetricState(
                unit=state["M"]["u"]["S"],
                last_ts=from_millis(int(state["M"]["t"]["N"])),
                last_value=float(state["M"]["v"]["S"]),
            )
            for name, state in item["metrics"]["M"].items()
        },
        first_seen=from_millis(int(item["first_seen"]["N"])),
        last_seen=from_millis(int(item["last_seen"]["N"])),
    )


def _make_cursor(device: str) -> str:
    return base64.urlsafe_b64encode(device.encode()).decode("ascii").rstrip("=")


def _read_cursor(cursor: str) -> str:
    try:
        device = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError) as error:
        raise ValueError("cursor: not one of ours") from error
    if not is_name(device):
        raise ValueError("cursor: not one of ours")
    return device
