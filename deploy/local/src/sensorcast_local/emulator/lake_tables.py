"""Iceberg tables whose metadata lies in S3, as in S3 Tables.

MiniStack 1.4.21 keeps a table's metadata in memory only, in format version 3, which pyiceberg does not write; knows no
`timestamptz`; and drops partition spec and sort order. Here the metadata is what pyiceberg makes of it, and the newest
metadata file in the bucket is the table's state: it survives whatever happens to the process.

Sources: Iceberg table spec (https://iceberg.apache.org/spec/), CloudFormation's AWS::S3Tables::Table.
"""

import json
import re
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sensorcast_local.emulator.reach import ministack

if TYPE_CHECKING:
    from pyiceberg.partitioning import PartitionSpec
    from pyiceberg.schema import Schema
    from pyiceberg.table.metadata import TableMetadata
    from pyiceberg.table.sorting import SortOrder

KEPT_METADATA_FILES = 10
"""S3 Tables removes unreferenced files; older metadata files are of no use to a reader."""

_METADATA_FILE = re.compile(r"/metadata/(\d+)-[0-9a-f-]+\.metadata\.json$")
_cache: "dict[str, TableMetadata]" = {}

Record = dict[str, Any]


class TableExists(Exception):  # noqa: N818 - one of the answers of the REST catalog
    """A table of that name is there already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """What a new table shall look like."""

    schema: "Schema"
    partition_spec: "PartitionSpec"
    sort_order: "SortOrder"
    properties: dict[str, str]


def definition_of(iceberg: dict[str, Any]) -> Definition:
    """Read the `IcebergMetadata` property of a CloudFormation AWS::S3Tables::Table.

    Raises:
        ValueError: A type or transform is not one of Iceberg's (from pyiceberg).
    """
    from pyiceberg.partitioning import PartitionSpec
    from pyiceberg.schema import Schema
    from pyiceberg.table.sorting import SortOrder

    fields = [
        {
            "id": int(field.get("Id", position)),
            "name": field["Name"],
            "type": field["Type"],
            "required": _is_true(field.get("Required", False)),
        }
        for position, field in enumerate(iceberg["IcebergSchema"]["SchemaFieldList"], start=1)
    ]
    partitions = [
        {
            "source-id": int(field["SourceId"]),
            "field-id": int(field.get("FieldId", 1000 + position)),
            "name": field["Name"],
            "transform": field["Transform"],
        }
        for position, field in enumerate(iceberg.get("IcebergPartitionSpec", {}).get("Fields", []))
    ]
    order = [
        {
            "source-id": int(field["SourceId"]),
            "transform": field["Transform"],
            "direction": field["Direction"],
            "null-order": field["NullOrder"],
        }
        for field in iceberg.get("IcebergSortOrder", {}).get("Fields", [])
    ]
    return Definition(
        schema=Schema.model_validate({"type": "struct", "schema-id": 0, "fields": fields}),
        partition_spec=PartitionSpec.model_validate({"spec-id": 0, "fields": partitions}),
        sort_order=SortOrder.model_validate({"order-id": 1 if order else 0, "fields": order}),
        properties={key: str(value) for key, value in iceberg.get("TableProperties", {}).items()},
    )


def create(*, bucket_arn: str, namespace: str, name: str, definition: Definition) -> Record:
    """Make a table and write its first metadata file.

    Raises:
        TableExists: It is there already.
    """
    from pyiceberg.table.metadata import new_table_metadata

    s3tables = ministack("services.s3tables")
    now = ministack("core.responses").now_iso()
    key = s3tables._table_key(bucket_arn, namespace, name)
    if key in s3tables._tables:
        raise TableExists(f"{namespace}.{name}")
    location = f"s3://{bucket_arn.rsplit('/', 1)[-1]}/{namespace}/{name}"
    metadata = new_table_metadata(
        schema=definition.schema,
        partition_spec=definition.partition_spec,
        sort_order=definition.sort_order,
        location=location,
        properties=dict(definition.properties),
    )
    record: Record = {
        "name": name,
        "tableARN": s3tables._table_arn(bucket_arn, namespace, name),
        "namespace": [namespace],
        "tableBucketARN": bucket_arn,
        "format": "ICEBERG",
        "createdAt": now,
        "modifiedAt": now,
        "ownerAccountId": bucket_arn.split(":")[4],
        "warehouseLocation": location,
        "metadataLocation": "",
    }
    swap(record, metadata)
    s3tables._tables[key] = record
    return record


def find(*, bucket_arn: str, namespace: str, name: str) -> Record | None:
    """The record of a table of the requester's account."""
    s3tables = ministack("services.s3tables")
    record: Record | None = s3tables._tables.get(s3tables._table_key(bucket_arn, namespace, name))
    return record


def current(record: Record) -> "TableMetadata":
    """The metadata of a table; after a start that of the newest file in the bucket."""
    known = _cache.get(record["tableARN"])
    if known is not None:
        return known
    from pyiceberg.table.metadata import TableMetadataUtil

    s3 = ministack("services.s3")
    bucket, prefix = _split(record["warehouseLocation"])
    files = [
        (int(match.group(1)), key)
        for key in s3._buckets[bucket]["objects"]
        if key.startswith(f"{prefix}/") and (match := _METADATA_FILE.search(key))
    ]
    newest = max(files)[1]
    record["metadataLocation"] = f"s3://{bucket}/{newest}"
    metadata = TableMetadataUtil.parse_obj(json.loads(s3._get_object_data(bucket, newest)))
    _cache[record["tableARN"]] = metadata
    return metadata


def swap(record: Record, metadata: "TableMetadata") -> None:
    """Write `metadata` to S3 and let the table point to it; old metadata files go."""
    s3 = ministack("services.s3")
    bucket, prefix = _split(record["warehouseLocation"])
    before = _METADATA_FILE.search(record["metadataLocation"])
    number = int(before.group(1)) + 1 if before else 0
    key = f"{prefix}/metadata/{number:05d}-{uuid.uuid4()}.metadata.json"
    body = metadata.model_dump_json().encode()
    status = s3._put_object(bucket, key, body, {"content-type": "application/json"})[0]
    if status != 200:
        raise RuntimeError(f"metadata of {record['tableARN']}: S3 answered {status}")
    record["metadataLocation"] = f"s3://{bucket}/{key}"
    record["modifiedAt"] = ministack("core.responses").now_iso()
    _cache[record["tableARN"]] = metadata
    for entry in metadata.metadata_log[:-KEPT_METADATA_FILES]:
        s3._delete_object(bucket, _split(entry.metadata_file)[1])


def forget(record: Record) -> None:
    """Take a dropped table's metadata out of memory."""
    _cache.pop(record["tableARN"], None)


def _split(location: str) -> tuple[str, str]:
    bucket, _, key = location.removeprefix("s3://").partition("/")
    return bucket, key


def _is_true(value: object) -> bool:
    return str(value).lower() == "true"
