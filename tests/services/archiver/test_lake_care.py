"""Care for the lake: nothing is lost beside writers, each reading is there once, receipts stay while they matter."""

import asyncio
import threading
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyiceberg.types import StringType
from tests.servers.lake import open_table
from tests.services.archiver.conftest import Lake
from tests.services.archiver.samples import T0, lake_batch, reading
from tests.services.archiver.test_lake_write import data_files, keys
from typer.testing import CliRunner

from sensorcast_archiver.commands import app
from sensorcast_archiver.lake.care.compact import compact, untidy
from sensorcast_archiver.lake.care.expire import DAY_MS, expire, least_age_ms, orphans, remove
from sensorcast_archiver.lake.care.order import groups, ordered
from sensorcast_archiver.lake.care.replace import Overtaken, replace_files
from sensorcast_archiver.lake.care.rewrite import GROUP_ROWS, TARGET_BYTES, Day, days, rewrite
from sensorcast_archiver.lake.write import Committed, LakeWriter
from sensorcast_common.clock import from_millis, system_clock
from sensorcast_common.device import MetricState, Sighting
from sensorcast_common.tables.devices import DevicesTable
from sensorcast_common.tables.hot_chunk import pack
from sensorcast_common.tables.hot_store import HotStore

HOUR_MS = 3_600_000
TODAY = T0 // DAY_MS


def tidied(lake: Lake, *, target_bytes: int = TARGET_BYTES, group_rows: int = GROUP_ROWS) -> Day:
    """The one day of the lake after compaction."""
    table = lake.table()
    compact(table, untidy(days(table), before=TODAY + 1), target_bytes=target_bytes, group_rows=group_rows)
    (day,) = days(table)
    return day


def test_many_files_become_one_that_is_sorted_and_has_each_reading_once(lake: Lake) -> None:
    writer = lake.writer()
    batches = [lake_batch(*(reading(10 * i + j, j, device=f"truck-{j}") for j in range(5))) for i in range(4)]
    for one in batches:
        writer.commit([one])
    repeated = reading(0, 99.0, device="truck-0")._replace(received_at=T0 + 60_000)
    writer.commit([lake_batch(repeated)])
    table = lake.table()
    done = compact(table, untidy(days(table), before=TODAY + 1))
    assert (done.days, done.files_before, done.files_after, done.rows, done.repeats) == (1, 5, 1, 20, 1)
    assert done.bytes_after < done.bytes_before
    wanted = [*(one for rows in batches[1:] for one in rows.rows.readings()), repeated]
    assert lake.stored() == keys(*list(batches[0].rows.readings())[1:], *wanted)
    (task,) = table.scan().plan_files()
    with table.io.new_input(task.file.file_path).open() as source:
        rows = pq.read_table(source).to_pylist()
    order = [(row["device"], row["ts"]) for row in rows]
    assert order == sorted(order)
    # What was committed before is still known, and nothing is left to do.
    assert lake.writer().commit(batches) == Committed(skipped_batches=4)
    assert untidy(days(lake.table()), before=TODAY + 1) == []
    assert untidy(days(lake.table()), before=TODAY) == []


def test_a_day_is_written_in_pieces_that_fit_into_memory_and_in_files_of_the_wanted_size(lake: Lake) -> None:
    every = [reading(i, i / 7, device=f"truck-{d}") for d in range(6) for i in range(50)]
    lake.writer().commit([lake_batch(*every[::2])])
    lake.writer().commit([lake_batch(*every[1::2])])
    day = tidied(lake, group_rows=100, target_bytes=1000)
    assert len(day.files) == 3
    assert lake.stored() == keys(*every)


def test_a_column_added_later_survives_and_is_null_before(lake: Lake) -> None:
    lake.writer().commit([lake_batch(reading(0))])
    table = lake.table()
    with table.update_schema() as schema:
        schema.add_column("site", StringType())
    row = open_table(lake.stack, "readings").scan().to_arrow().to_pylist()[0]
    row |= {"site": "north", "ts": from_millis(T0 + 1000)}
    arrow = table.schema().as_arrow()
    table.append(pa.Table.from_pylist([row], schema=arrow))
    tidied(lake)
    assert open_table(lake.stack, "readings").scan().to_arrow().sort_by("ts").column("site").to_pylist() == [
        None,
        "north",
    ]


def test_compaction_beside_writers_loses_and_doubles_nothing(lake: Lake) -> None:
    rounds = [[lake_batch(*(reading(100 * r + i) for i in range(10)))] for r in range(12)]
    lake.writer().commit(rounds[0])
    lake.writer().commit(rounds[1])

    def write() -> None:
        writer = LakeWriter(lake.table())
        for batches in rounds[2:]:
            writer.commit(batches)

    writing = threading.Thread(target=write)
    writing.start()
    compactions = 0
    while writing.is_alive() or not compactions:
        table = lake.table()
        compactions += compact(table, untidy(days(table), before=TODAY + 1)).days
    writing.join(60)
    assert lake.stored() == keys(*(one for batches in rounds for one in batches[0].rows.readings()))
    for batches in rounds:
        assert lake.writer().commit(batches) == Committed(skipped_batches=1)


def test_a_compaction_that_another_overtakes_changes_nothing_and_leaves_no_file(lake: Lake) -> None:
    for i in range(3):
        lake.writer().commit([lake_batch(reading(i))])
    slow = lake.table()
    (day,) = days(slow)
    outcome = rewrite(slow, day)
    tidied(lake)
    before = data_files(lake)
    with pytest.raises(Overtaken):
        replace_files(slow, day.files, outcome.files)
    assert data_files(lake) == before - 1
    assert lake.stored() == keys(*(reading(i) for i in range(3)))


def test_receipts_stay_as_long_as_a_batch_may_come_again(lake: Lake) -> None:
    now = system_clock()
    lookback = 24 * HOUR_MS
    batches = [lake_batch(reading(i), created_at=now) for i in range(3)]
    for one in batches:
        lake.writer().commit([one])
    table = lake.table()
    with pytest.raises(ValueError, match="must stay"):
        expire(table, age_ms=lookback, lookback_ms=lookback, now=now)
    age = least_age_ms(lookback)
    assert expire(table, age_ms=age, lookback_ms=lookback, now=now + HOUR_MS) == 0
    assert lake.writer().commit(batches) == Committed(skipped_batches=3)
    assert expire(table, age_ms=age, lookback_ms=lookback, now=now + age + HOUR_MS) == 2
    assert len(lake.stored()) == 3


def test_only_old_files_that_nothing_refers_to_are_orphans(lake: Lake) -> None:
    now = system_clock()
    # Many ids, so that the receipt is a file of its own.
    lake.writer().commit([lake_batch(reading(i), created_at=now) for i in range(100)])
    lake.writer().commit([lake_batch(reading(200), created_at=now)])
    table = lake.table()
    rewrite(table, days(table)[0])  # uploaded and never committed
    assert orphans(table, age_ms=DAY_MS, now=now) == []
    found = orphans(table, age_ms=DAY_MS, now=now + 2 * DAY_MS)
    assert [path.endswith(".parquet") for path, size in found if size] == [True]
    remove(table, [path for path, _ in found])
    assert orphans(table, age_ms=DAY_MS, now=now + 2 * DAY_MS) == []
    assert len(lake.stored()) == 101
    assert lake.writer().commit([lake_batch(reading(300), created_at=now)]).rows == 1


def test_groups_keep_the_order_and_never_mix_tenants() -> None:
    counts = [(("a", "1"), 60), (("a", "2"), 50), (("b", "1"), 500), (("b", "2"), 1)]
    assert groups(counts, rows=120) == [[("a", "1"), ("a", "2")], [("b", "1")], [("b", "2")]]


def test_of_one_series_and_time_the_reading_received_last_stays() -> None:
    def column(*values: object) -> list[object]:
        return list(values)

    moment = datetime(2026, 3, 1, tzinfo=UTC)
    rows = pa.table(
        {
            "tenant": column("a", "a", "a"),
            "device": column("x", "x", "x"),
            "metric": column("t", "t", "s"),
            "ts": column(moment, moment, moment),
            "value": column(1.0, 2.0, 3.0),
            "received_at": column(moment.replace(hour=2), moment.replace(hour=1), moment),
        }
    )
    found = ordered(rows)
    assert (found.rows.column("value").to_pylist(), found.dropped) == ([3.0, 1.0], 1)


async def test_the_commands_compare_and_delete_in_both_stores(lake: Lake) -> None:
    stack = lake.stack
    mine = [reading(i, device=f"truck-{d}") for d in (1, 2) for i in range(10)]
    theirs = [reading(i, tenant="other") for i in range(5)]
    for part in (mine[::2], mine[1::2], theirs):
        await asyncio.to_thread(lake.writer().commit, [lake_batch(*part)])
    async with stack.aws.client("dynamodb") as dynamodb:
        hot, known = HotStore(dynamodb, stack.names), DevicesTable(dynamodb, stack.names)
        await hot.append(pack([*mine[1:], reading(50, 7.5, device="truck-2"), *theirs]))
        state = {"temperature": MetricState(unit="Cel", last_ts=from_millis(T0), last_value=4.0)}
        for tenant, device in (("acme", "truck-1"), ("acme", "truck-2"), ("other", "truck-1")):
            await known.record([Sighting(tenant, device, state, T0, T0)])

        async def sensorcast(*arguments: str, code: int = 0) -> str:
            done = await asyncio.to_thread(CliRunner().invoke, app, list(arguments), env=stack.env)
            assert done.exit_code == code, done.output
            return done.output

        said = await sensorcast("verify", "2100-01-01", "--tenant", "acme", "--tenant", "other", code=1)
        assert "acme/truck-1 temperature 2100-01-01T00:00:00.000Z: 4.0 is in the lake only" in said
        assert "acme/truck-2 temperature 2100-01-01T00:00:50.000Z: 7.5 is in the hot store only" in said
        assert "devices 3, readings 26, differences 2" in said
        assert "files 3 -> 1" in await sensorcast("compact", "--until", "2100-01-02")
        assert "0 of 1 days" in await sensorcast("compact", "--until", "2100-01-02")
        assert "archivers tell" in await sensorcast("expire", "--older-than-hours", "1", code=2)
        assert "orphans deleted 0" in await sensorcast("expire")
        assert "not a name" in await sensorcast("forget", "--tenant", "x' OR 1=1", code=2)
        said = await sensorcast("forget", "--tenant", "acme", "--device", "truck-2", "--dry-run")
        assert "10 readings on 1 days in the lake" in said
        await sensorcast("forget", "--tenant", "acme", "--device", "truck-2", code=1)  # nobody said yes
        assert len(lake.stored()) == 25
        said = await sensorcast("forget", "--tenant", "acme", "--device", "truck-2", "--yes")
        assert "deleted 10 readings" in said
        assert lake.stored() == keys(*mine[:10], *theirs)
        assert await hot.read("acme", "truck-2", start=T0, end=T0 + DAY_MS) == {}
        assert await known.get("acme", "truck-2") is None
        assert len((await hot.read("acme", "truck-1", start=T0, end=T0 + DAY_MS))["temperature"].ts) == 9
        assert "0 readings" in await sensorcast("retain", "other=365", "--yes")
        assert "deleted 10 readings" in await sensorcast("forget", "--tenant", "acme", "--yes")
        assert lake.stored() == keys(*theirs)
