"""The lake of a deployed stack, as an archiver opens it."""

import struct
from dataclasses import dataclass

import pytest
from pyiceberg.table import Table
from tests.servers.aws import DeployedStack
from tests.servers.lake import lake_properties, open_table

from sensorcast_archiver.lake.catalog import open_table as archiver_opens_table
from sensorcast_archiver.lake.rows import RowKey, RowSeries
from sensorcast_archiver.lake.write import LakeWriter


@dataclass(frozen=True, slots=True)
class Lake:
    """A lake that several writers may open."""

    stack: DeployedStack

    def table(self) -> Table:
        """The table through a catalog of its own, as another replica has it."""
        names = self.stack.names
        return archiver_opens_table(
            lake_properties(self.stack), namespace=names.lake_namespace, name=names.lake_readings
        )

    def writer(self) -> LakeWriter:
        """A writer as another replica has it."""
        return LakeWriter(self.table(), sleep=lambda _: None)

    def stored(self) -> list[RowKey]:
        """Every row in the lake, ascending; equal ones are equal rows."""
        rows = open_table(self.stack, self.stack.names.lake_readings).scan().to_arrow().to_pylist()
        return sorted(
            RowKey(
                RowSeries(row["tenant"], row["device"], row["metric"], row["unit"]),
                round(row["ts"].timestamp() * 1000),
                _bits(row["value"]),
            )
            for row in rows
        )


def _bits(value: float) -> int:
    bits: int = struct.unpack("<q", struct.pack("<d", value))[0]
    return bits


@pytest.fixture
def lake(stack: DeployedStack) -> Lake:
    """An empty lake."""
    return Lake(stack)
