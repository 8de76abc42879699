"""Reads one day of one device from the lake and from the hot store, to be compared."""

import asyncio
from collections.abc import AsyncIterator, Sequence

from pyiceberg.expressions import And, EqualTo
from pyiceberg.table import Table

from sensorcast_archiver.lake.care.differ import Difference, Point, differences
from sensorcast_archiver.lake.care.rewrite import day_range
from sensorcast_archiver.lake.rows import DAY_MS
from sensorcast_common.tables.hot_store import HotStore


async def verify(
    table: Table, hot: HotStore, devices: Sequence[tuple[str, str]], *, day: int
) -> AsyncIterator[tuple[int, list[Difference]]]:
    """Compare a day, device by device.

    Args:
        table: The lake table; one snapshot of it is looked at.
        hot: The hot store.
        devices: Tenant and device.
        day: Days since 1970, UTC.

    Yields:
        For each device how many readings the two have between them, and where they differ.
    """
    snapshot = table.current_snapshot()
    for tenant, device in devices:
        # The hot store first: what comes between the two reads is then in the lake at worst, not missing from it.
        series = await hot.read(tenant, device, start=day * DAY_MS, end=(day + 1) * DAY_MS)
        in_hot = {
            Point(metric, ts): value
            for metric, columns in series.items()
            for ts, value in zip(columns.ts, columns.value, strict=True)
        }
        units = {metric: columns.unit for metric, columns in series.items()}
        in_lake = (
            await asyncio.to_thread(_lake_points, table, snapshot.snapshot_id, tenant, device, day, units)
            if snapshot is not None
            else {}
        )
        yield len(in_hot.keys() | in_lake.keys()), differences(tenant, device, hot=in_hot, lake=in_lake)


def _lake_points(
    table: Table, snapshot_id: int, tenant: str, device: str, day: int, units: dict[str, str]
) -> dict[Point, float]:
    """One value per metric and time, the one received last, in the unit that the hot store shows."""
    rows = table.scan(
        row_filter=And(day_range(day), EqualTo(term="tenant", value=tenant), EqualTo(term="device", value=device)),
        snapshot_id=snapshot_id,
        selected_fields=("metric", "ts", "value", "unit", "received_at"),
    ).to_arrow()
    found: dict[Point, float] = {}
    for row in rows.sort_by([("received_at", "ascending"), ("value", "ascending")]).to_pylist():
        if units.get(row["metric"], row["unit"]) == row["unit"]:
            found[Point(row["metric"], round(row["ts"].timestamp() * 1000))] = row["value"]
    return found
