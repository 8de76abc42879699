"""Stacks whose resources are made as the template says.

MiniStack 1.4.21 has no AWS::Athena::WorkGroup, and a template with one fails. It makes queues without their redrive
policy and tables without their time to live, so that no message ever reaches a dead-letter queue and nothing expires.
A changed property makes most resources anew: a queue loses its messages, a table its items. A schedule's or queue's
error is dropped in silence. Here each of these types is made and changed through its own service's API.

Source: the CloudFormation resource reference of each type.
"""

import json
from collections.abc import Callable
from typing import Any

from sensorcast_local.emulator import lake_tables
from sensorcast_local.emulator.reach import ministack

Properties = dict[str, Any]
Provisioned = tuple[str, dict[str, str]]
Create = Callable[[str, Properties, str], Provisioned]
Update = Callable[[str, Properties, Properties, str], Provisioned]

_QUEUE_ATTRIBUTES = (
    "DelaySeconds",
    "MaximumMessageSize",
    "MessageRetentionPeriod",
    "ReceiveMessageWaitTimeSeconds",
    "RedriveAllowPolicy",
    "RedrivePolicy",
    "SqsManagedSseEnabled",
    "VisibilityTimeout",
)
_TABLE_SETTINGS = ("TimeToLiveSpecification", "PointInTimeRecoverySpecification", "SSESpecification")
_WORKGROUP_CONFIGURATION = "WorkGroupConfiguration"


def install() -> None:
    """Take over the handlers of the types named above."""
    handlers = ministack("services.cloudformation.provisioners")._RESOURCE_HANDLERS
    handlers["AWS::Athena::WorkGroup"] = {
        "create": _create_workgroup,
        "update": _update_workgroup,
        "delete": _delete_workgroup,
    }
    handlers["AWS::SQS::Queue"] |= {"create": _create_queue, "update": _update_queue}
    handlers["AWS::DynamoDB::Table"] |= {
        "create": _creating_table(handlers["AWS::DynamoDB::Table"]["create"]),
        "update": _update_table,
    }
    handlers["AWS::S3Tables::Table"] |= {"create": _create_lake_table, "update": _update_lake_table}
    handlers["AWS::SNS::Topic"] |= {"update": _keep(lambda arn: {"TopicArn": arn})}
    handlers["AWS::S3Tables::TableBucket"] |= {"update": _keep(lambda arn: {"TableBucketARN": arn})}
    subscription = handlers["AWS::SNS::Subscription"]
    subscription["update"] = _replacing(subscription["create"], subscription["delete"])
    schedule = handlers["AWS::Scheduler::Schedule"]
    schedule["update"] = _replacing(schedule["create"], schedule["delete"])


def _accepted(response: tuple[int, object, bytes]) -> None:
    """Raise what a service's API refused, so that the stack fails with the reason."""
    if response[0] >= 300:
        raise ValueError(response[2].decode())


def _keep(attributes: Callable[[str], dict[str, str]]) -> Update:
    """An update that changes nothing but does not make the resource anew either."""

    def update(physical_id: str, old: Properties, new: Properties, stack: str) -> Provisioned:
        return physical_id, attributes(physical_id)

    return update


def _replacing(create: Create, delete: Callable[[str, Properties], None]) -> Update:
    """An update of what holds no data: delete it and make it anew."""

    def update(physical_id: str, old: Properties, new: Properties, stack: str) -> Provisioned:
        delete(physical_id, old)
        return create(physical_id, new, stack)

    return update


def _queue_attributes(properties: Properties) -> dict[str, str]:
    attributes = {}
    for name in _QUEUE_ATTRIBUTES:
        value = properties.get(name)
        if isinstance(value, dict):
            attributes[name] = json.dumps(value)
        elif value is not None:
            attributes[name] = str(value).lower() if isinstance(value, bool) else str(value)
    return attributes


def _create_queue(logical_id: str, properties: Properties, stack: str) -> Provisioned:
    sqs = ministack("services.sqs")
    name = properties["QueueName"]
    url = sqs._act_create_queue({"QueueName": name, "Attributes": _queue_attributes(properties)}, "")["QueueUrl"]
    return url, {"Arn": sqs._queues[url]["attributes"]["QueueArn"], "QueueName": name, "QueueUrl": url}


def _update_queue(physical_id: str, old: Properties, new: Properties, stack: str) -> Provisioned:
    sqs = ministack("services.sqs")
    sqs._act_set_queue_attributes({"QueueUrl": physical_id, "Attributes": _queue_attributes(new)}, physical_id)
    queue = sqs._queues[physical_id]
    return physical_id, {"Arn": queue["attributes"]["QueueArn"], "QueueName": queue["name"], "QueueUrl": physical_id}


def _creating_table(create: Create) -> Create:
    def create_with_settings(logical_id: str, properties: Properties, stack: str) -> Provisioned:
        dynamodb = ministack("services.dynamodb")
        if properties["TableName"] in dynamodb._tables:
            raise ValueError(f"table {properties['TableName']} already exists")
        physical_id, attributes = create(logical_id, properties, stack)
        _apply_table_settings(physical_id, properties)
        return physical_id, attributes

    return create_with_settings


def _apply_table_settings(name: str, properties: Properties) -> None:
    dynamodb = ministack("services.dynamodb")
    ttl = properties.get("TimeToLiveSpecification")
    if ttl is not None:
        enabled = str(ttl["Enabled"]).lower() == "true"
        specification = {"AttributeName": ttl["AttributeName"], "Enabled": enabled}
        _accepted(dynamodb._update_ttl({"TableName": name, "TimeToLiveSpecification": specification}))
    recovery = properties.get("PointInTimeRecoverySpecification")
    if recovery is not None:
        _accepted(
            dynamodb._update_continuous_backups(
                {"TableName": name, "PointInTimeRecoverySpecification": recovery},
            )
        )


def _update_table(physical_id: str, old: Properties, new: Properties, stack: str) -> Provisioned:
    changed = [key for key in new if key not in _TABLE_SETTINGS and new[key] != old.get(key)]
    if changed:
        raise ValueError(f"this emulator changes of a table only its time to live and recovery, not {changed}")
    _apply_table_settings(physical_id, new)
    arn = ministack("services.dynamodb")._tables[physical_id]["TableArn"]
    return physical_id, {"Arn": arn}


def _create_lake_table(logical_id: str, properties: Properties, stack: str) -> Provisioned:
    record = lake_tables.create(
        bucket_arn=properties["TableBucketARN"],
        namespace=properties["Namespace"],
        name=properties["TableName"],
        definition=lake_tables.definition_of(properties["IcebergMetadata"]),
    )
    return record["tableARN"], _lake_attributes(record)


def _update_lake_table(physical_id: str, old: Properties, new: Properties, stack: str) -> Provisioned:
    if old["IcebergMetadata"] != new["IcebergMetadata"]:
        raise ValueError(f"IcebergMetadata of {physical_id} cannot change in place")
    record = lake_tables.find(bucket_arn=new["TableBucketARN"], namespace=new["Namespace"], name=new["TableName"])
    if record is None:
        raise ValueError(f"table {physical_id} does not exist")
    return physical_id, _lake_attributes(record)


def _lake_attributes(record: lake_tables.Record) -> dict[str, str]:
    return {
        "TableARN": record["tableARN"],
        "TableBucketARN": record["tableBucketARN"],
        "WarehouseLocation": record["warehouseLocation"],
        "Namespace": record["namespace"][0],
        "TableName": record["name"],
    }


def _create_workgroup(logical_id: str, properties: Properties, stack: str) -> Provisioned:
    athena = ministack("services.athena")
    _accepted(
        athena._create_workgroup(
            {
                "Name": properties["Name"],
                "Description": properties.get("Description", ""),
                "Configuration": properties.get(_WORKGROUP_CONFIGURATION, {}),
            }
        )
    )
    return properties["Name"], {}


def _update_workgroup(physical_id: str, old: Properties, new: Properties, stack: str) -> Provisioned:
    workgroup = ministack("services.athena")._workgroups[physical_id]
    workgroup["Description"] = new.get("Description", "")
    workgroup["Configuration"] = new.get(_WORKGROUP_CONFIGURATION, {})
    return physical_id, {}


def _delete_workgroup(physical_id: str, properties: Properties) -> None:
    _accepted(ministack("services.athena")._delete_workgroup({"WorkGroup": physical_id}))
