"""The Iceberg REST catalog of S3 Tables, with commits that are checked.

MiniStack 1.4.21 applies a commit's updates without looking at its requirements, so that of two writers one loses its
rows without an error; ignores remove-snapshots and its like; looks a table up by name in all buckets; and hands out the
S3 credentials of another account. Here pyiceberg checks the requirements and applies the updates, and the path's prefix
(the table bucket) and the request's account say which table is meant.

Source: Iceberg REST catalog, https://github.com/apache/iceberg/blob/main/open-api/rest-catalog-open-api.yaml, and the
S3 Tables endpoint's deviations from it: the warehouse is the table bucket's ARN and comes back as prefix, and there
are no staged creations.
"""

import json
import re
from typing import Any
from urllib.parse import quote

from sensorcast_local.emulator import lake_tables
from sensorcast_local.emulator.reach import ministack

Response = tuple[int, dict[str, str], bytes]

_PATH = re.compile(r"/iceberg/v1/(?P<bucket>arn:[^/]+:bucket/[^/]+)/namespaces(?P<rest>/.*)?")


class Refused(Exception):  # noqa: N818 - an answer of the protocol
    """An answer other than success.

    Args:
        status: HTTP status.
        kind: The exception's name in the REST specification.
        message: What is wrong.
    """

    def __init__(self, status: int, kind: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind


def install() -> None:
    """Answer the requests under `/iceberg`."""
    s3tables = ministack("services.s3tables")

    async def handle(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]]
    ) -> Response:
        try:
            return _route(method, path.rstrip("/"), json.loads(body) if body else {}, query)
        except Refused as refused:
            error = {"message": str(refused), "type": refused.kind, "code": refused.status}
            return _json({"error": error}, refused.status)

    s3tables._handle_iceberg_request = handle


def _route(method: str, path: str, body: dict[str, Any], query: dict[str, list[str]]) -> Response:
    if path == "/iceberg/v1/config" and method == "GET":
        return _json(_config(query.get("warehouse", [""])[0]))
    match = _PATH.fullmatch(path)
    if match is None:
        raise Refused(404, "NotFoundException", f"no such path: {path}")
    bucket_arn = _bucket(match["bucket"])
    match (method, *(match["rest"] or "").split("/")[1:]):
        case ("GET",):
            return _json({"namespaces": [[name] for name in _namespaces(bucket_arn)]})
        case ("GET" | "HEAD", namespace):
            _require_namespace(bucket_arn, namespace)
            return _json({"namespace": [namespace], "properties": {}})
        case ("GET", namespace, "tables"):
            names = _tables(bucket_arn, namespace)
            return _json({"identifiers": [{"namespace": [namespace], "name": name} for name in names]})
        case ("POST", namespace, "tables"):
            return _json(_create(bucket_arn, namespace, body))
        case ("GET" | "HEAD", namespace, "tables", name):
            return _json(_load(_record(bucket_arn, namespace, name)))
        case ("POST", namespace, "tables", name):
            return _json(_commit(_record(bucket_arn, namespace, name), body))
        case ("DELETE", namespace, "tables", name):
            return _drop(_record(bucket_arn, namespace, name))
    raise Refused(406, "UnsupportedOperationException", f"{method} {path} is not supported")


def _config(warehouse: str) -> dict[str, object]:
    bucket_arn = _bucket(warehouse)
    s3tables = ministack("services.s3tables")
    defaults = {
        "s3.endpoint": s3tables._gateway_url(),
        "s3.path-style-access": "true",
        "client.region": bucket_arn.split(":")[3],
    }
    return {"defaults": defaults, "overrides": {"prefix": quote(bucket_arn, safe="")}}


def _bucket(bucket_arn: str) -> str:
    if ministack("services.s3tables")._existing_bucket_arn(bucket_arn) is None:
        raise Refused(404, "NotFoundException", f"warehouse: no table bucket {bucket_arn!r}")
    return bucket_arn


def _namespaces(bucket_arn: str) -> list[str]:
    namespaces = ministack("services.s3tables")._namespaces.values()
    return [entry["namespace"][0] for entry in namespaces if entry["tableBucketARN"] == bucket_arn]


def _require_namespace(bucket_arn: str, namespace: str) -> None:
    if namespace not in _namespaces(bucket_arn):
        raise Refused(404, "NoSuchNamespaceException", f"no namespace {namespace!r}")


def _tables(bucket_arn: str, namespace: str) -> list[str]:
    _require_namespace(bucket_arn, namespace)
    tables = ministack("services.s3tables")._tables.values()
    return [
        table["name"] for table in tables if table["tableBucketARN"] == bucket_arn and table["namespace"] == [namespace]
    ]


def _record(bucket_arn: str, namespace: str, name: str) -> lake_tables.Record:
    record = lake_tables.find(bucket_arn=bucket_arn, namespace=namespace, name=name)
    if record is None:
        raise Refused(404, "NoSuchTableException", f"no table {namespace}.{name}")
    return record


def _load(record: lake_tables.Record) -> dict[str, object]:
    metadata = lake_tables.current(record)
    return {
        "metadata-location": record["metadataLocation"],
        "metadata": json.loads(metadata.model_dump_json()),
        "config": {},
    }


def _create(bucket_arn: str, namespace: str, body: dict[str, Any]) -> dict[str, object]:
    from pyiceberg.partitioning import PartitionSpec
    from pyiceberg.schema import Schema
    from pyiceberg.table.sorting import SortOrder

    _require_namespace(bucket_arn, namespace)
    if body.get("stage-create"):
        raise Refused(400, "BadRequestException", "stage-create: S3 Tables does not stage a table's creation")
    try:
        definition = lake_tables.Definition(
            schema=Schema.model_validate(body["schema"]),
            partition_spec=PartitionSpec.model_validate(body.get("partition-spec") or {"spec-id": 0, "fields": []}),
            sort_order=SortOrder.model_validate(body.get("write-order") or {"order-id": 0, "fields": []}),
            properties=body.get("properties", {}),
        )
        record = lake_tables.create(
            bucket_arn=bucket_arn, namespace=namespace, name=body["name"], definition=definition
        )
    except lake_tables.TableExists as error:
        raise Refused(409, "AlreadyExistsException", f"table {error} exists") from error
    except (KeyError, ValueError) as error:
        raise Refused(400, "BadRequestException", str(error)) from error
    return _load(record)


def _commit(record: lake_tables.Record, body: dict[str, Any]) -> dict[str, object]:
    from pydantic import TypeAdapter
    from pyiceberg.exceptions import CommitFailedException
    from pyiceberg.table.update import TableRequirement, TableUpdate, update_table_metadata

    base = lake_tables.current(record)
    try:
        requirements = TypeAdapter(tuple[TableRequirement, ...]).validate_python(body.get("requirements", []))
        updates = TypeAdapter(tuple[TableUpdate, ...]).validate_python(body.get("updates", []))
        for requirement in requirements:
            requirement.validate(base)
        metadata = update_table_metadata(base, updates, metadata_location=record["metadataLocation"])
    except CommitFailedException as error:
        raise Refused(409, "CommitFailedException", str(error)) from error
    except ValueError as error:
        raise Refused(400, "BadRequestException", str(error)) from error
    lake_tables.swap(record, metadata)
    return _load(record)


def _drop(record: lake_tables.Record) -> Response:
    s3tables = ministack("services.s3tables")
    status = s3tables._delete_table(record["tableBucketARN"], record["namespace"][0], record["name"])[0]
    if status != 200:
        raise Refused(status, "ServiceFailureException", f"table {record['name']} could not be dropped")
    lake_tables.forget(record)
    return 204, {}, b""


def _json(content: object, status: int = 200) -> Response:
    return status, {"Content-Type": "application/json"}, json.dumps(content).encode()
