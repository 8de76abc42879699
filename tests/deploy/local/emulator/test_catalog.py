"""The lake's REST catalog refuses what the Iceberg specification refuses."""

import asyncio
import json

import httpx
import pyarrow as pa
import pytest
from pyiceberg.exceptions import CommitFailedException
from pyiceberg.table import Table
from pyiceberg.table.update import AssertRefSnapshotId, SetPropertiesUpdate
from pyiceberg.types import DoubleType, StringType, TimestamptzType
from tests.servers.athena import ask
from tests.servers.aws import DeployedStack
from tests.servers.lake import open_table, reading_rows


def test_the_readings_table_is_what_the_template_says(stack: DeployedStack) -> None:
    table = open_table(stack, "readings")
    schema = table.schema()
    assert [field.name for field in schema.fields] == [
        "tenant", "device", "metric", "ts", "value", "unit", "received_at", "ts_source",
    ]  # fmt: skip
    assert all(field.required for field in schema.fields)
    kinds = {"ts": TimestamptzType(), "received_at": TimestamptzType(), "value": DoubleType()}
    assert all(field.field_type == kinds.get(field.name, StringType()) for field in schema.fields)
    assert [(field.name, str(field.transform)) for field in table.spec().fields] == [("ts_day", "day")]
    assert [schema.find_column_name(field.source_id) for field in table.sort_order().fields] == [
        "tenant", "device", "metric", "ts",
    ]  # fmt: skip
    assert table.properties["write.parquet.compression-codec"] == "zstd"
    assert table.properties["commit.manifest-merge.enabled"] == "true"
    assert table.format_version == 2


def test_forecasts_are_partitioned_by_the_day_they_are_for(stack: DeployedStack) -> None:
    table = open_table(stack, "forecasts")
    (field,) = table.spec().fields
    assert (table.schema().find_column_name(field.source_id), str(field.transform)) == ("ts", "day")


async def test_two_writers_at_once_both_keep_their_rows(stack: DeployedStack) -> None:
    writers = [await asyncio.to_thread(open_table, stack, "readings") for _ in range(4)]

    def append(position: int, table: Table) -> None:
        table.append(reading_rows(table, count=10 + position, device=f"truck-{position}"))

    await asyncio.gather(*(asyncio.to_thread(append, *writer) for writer in enumerate(writers)))
    rows = await ask(stack, "SELECT device, count(*) FROM readings GROUP BY device ORDER BY device")
    assert rows == [["truck-0", "10"], ["truck-1", "11"], ["truck-2", "12"], ["truck-3", "13"]]


def test_a_commit_on_another_snapshot_than_the_current_is_refused(stack: DeployedStack) -> None:
    table = open_table(stack, "readings")
    table.append(reading_rows(table, count=1))
    stale = AssertRefSnapshotId(ref="main", snapshot_id=None)
    with pytest.raises(CommitFailedException, match="main"):
        table.catalog.commit_table(table, (stale,), (SetPropertiesUpdate(updates={"a": "b"}),))
    assert "a" not in open_table(stack, "readings").properties


def test_snapshots_are_removed_and_rows_stay(stack: DeployedStack) -> None:
    table = open_table(stack, "readings")
    for _ in range(3):
        table.append(reading_rows(table, count=2), snapshot_properties={"sensorcast.batches": "b"})
    oldest = table.snapshots()[0].snapshot_id
    table.maintenance.expire_snapshots().by_id(oldest).commit()
    again = open_table(stack, "readings")
    assert len(again.snapshots()) == 2
    assert again.scan().to_arrow().num_rows == 6


async def test_metadata_lies_in_s3_where_the_catalog_says(stack: DeployedStack) -> None:
    table = await asyncio.to_thread(open_table, stack, "readings")
    await asyncio.to_thread(table.append, reading_rows(table, count=1))
    bucket, _, key = table.metadata_location.removeprefix("s3://").partition("/")
    async with stack.aws.client("s3") as s3:
        body = await (await s3.get_object(Bucket=bucket, Key=key))["Body"].read()
    snapshot = table.current_snapshot()
    assert snapshot is not None
    assert json.loads(body)["current-snapshot-id"] == snapshot.snapshot_id


async def test_old_metadata_files_are_removed(stack: DeployedStack) -> None:
    table = await asyncio.to_thread(open_table, stack, "readings")

    def change_often() -> None:
        for number in range(15):
            with table.transaction() as change:
                change.set_properties(number=str(number))

    await asyncio.to_thread(change_often)
    async with stack.aws.client("s3") as s3:
        found = await s3.list_objects_v2(Bucket=stack.names.table_bucket, Prefix="sensorcast/readings/metadata/")
    assert len([entry for entry in found["Contents"] if entry["Key"].endswith(".metadata.json")]) <= 12


def test_another_account_sees_no_such_warehouse(stack: DeployedStack) -> None:
    credential = "AWS4-HMAC-SHA256 Credential=999999999999/20260101/eu-central-1/s3tables/aws4_request"
    answer = httpx.get(
        f"{stack.account.endpoint_url}/iceberg/v1/config",
        params={"warehouse": stack.outputs["LakeArn"]},
        headers={"authorization": f"{credential}, SignedHeaders=host, Signature=0"},
    )
    assert answer.status_code == 404


def test_a_table_can_be_created_and_dropped(stack: DeployedStack) -> None:
    catalog = open_table(stack, "readings").catalog
    made = catalog.create_table("sensorcast.extra", schema=pa.schema([pa.field("a", pa.int64())]))
    made.append(pa.table({"a": [1, 2]}))
    assert catalog.table_exists("sensorcast.extra")
    catalog.drop_table("sensorcast.extra")
    assert not catalog.table_exists("sensorcast.extra")
