"""A table that cannot take readings is named; one without partitions or order gets them."""

import pytest
from pyiceberg.catalog.rest import RestCatalog
from pyiceberg.schema import Schema
from pyiceberg.transforms import DayTransform
from pyiceberg.types import DoubleType, IcebergType, NestedField, StringType, TimestamptzType
from tests.servers.aws import DeployedStack
from tests.servers.lake import lake_properties
from tests.services.archiver.samples import lake_batch, reading

from sensorcast_archiver.lake.catalog import open_table
from sensorcast_archiver.lake.schema import COLUMNS, LakeTableError
from sensorcast_archiver.lake.write import LakeWriter


def columns(**changed: IcebergType | None) -> Schema:
    """The columns of the table, with some changed (by type), added or left out (`None`)."""
    types: dict[str, IcebergType | None] = {**COLUMNS, **changed}
    fields = [
        NestedField(field_id=place, name=name, field_type=kind, required=True)
        for place, (name, kind) in enumerate(types.items(), start=1)
        if kind is not None
    ]
    return Schema(*fields)


async def test_a_missing_table_is_named(stack: DeployedStack) -> None:
    with pytest.raises(LakeTableError, match=r"lake table sensorcast\.nothing in arn:.*sensorcast-lake does not exist"):
        open_table(lake_properties(stack), namespace="sensorcast", name="nothing")
    with pytest.raises(LakeTableError, match=r"lake table nowhere\.readings"):
        open_table(lake_properties(stack), namespace="nowhere", name="readings")


@pytest.mark.parametrize(
    ("schema", "problem"),
    [
        (columns(unit=None), "column 'unit' is missing"),
        (columns(value=StringType()), "column 'value' is string, expected double"),
        (columns(site=StringType()), "column 'site' is required and unknown"),
    ],
)
async def test_a_table_of_another_form_is_refused(stack: DeployedStack, schema: Schema, problem: str) -> None:
    RestCatalog("lake", **lake_properties(stack)).create_table(("sensorcast", "other"), schema)
    with pytest.raises(LakeTableError, match=problem):
        open_table(lake_properties(stack), namespace="sensorcast", name="other")


async def test_a_table_without_layout_gets_it_once(stack: DeployedStack) -> None:
    RestCatalog("lake", **lake_properties(stack)).create_table(("sensorcast", "plain"), columns())
    table = open_table(lake_properties(stack), namespace="sensorcast", name="plain")
    again = open_table(lake_properties(stack), namespace="sensorcast", name="plain")
    assert [(field.name, field.transform) for field in again.spec().fields] == [("ts_day", DayTransform())]
    assert [again.schema().find_column_name(f.source_id) for f in again.sort_order().fields] == [
        "tenant",
        "device",
        "metric",
        "ts",
    ]
    assert again.spec() == table.spec()
    assert LakeWriter(again).commit([lake_batch(reading(0), reading(86_400))]).files == 2


async def test_the_deployed_table_is_taken_as_it_is(stack: DeployedStack) -> None:
    table = open_table(lake_properties(stack), namespace="sensorcast", name="readings")
    assert table.spec().spec_id == 0
    assert {field.name: field.field_type for field in table.schema().fields} == {
        **dict.fromkeys(("tenant", "device", "metric", "unit", "ts_source"), StringType()),
        **dict.fromkeys(("ts", "received_at"), TimestamptzType()),
        "value": DoubleType(),
    }
