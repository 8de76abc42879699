"""The lake has every batch once: repeated, in doubt, beside others, and marked copies in any order."""

import threading
from collections.abc import Callable, Iterable
from datetime import date

import pyarrow.parquet as pq
import pytest
from pyiceberg.exceptions import CommitStateUnknownException
from pyiceberg.types import StringType
from tests.servers.athena import ask
from tests.servers.lake import open_table
from tests.services.archiver.conftest import Lake
from tests.services.archiver.samples import T0, lake_batch, marked, reading

from sensorcast_archiver.lake.ledger import FILE_KEY, INLINE_KEY
from sensorcast_archiver.lake.rows import RowKey, Rows
from sensorcast_archiver.lake.write import Committed, LakeBatch, LakeWriter, _Plan
from sensorcast_common.clock import system_clock
from sensorcast_common.reading import Reading

HOUR_MS = 3_600_000


class Eventful(LakeWriter):
    """A writer to whom something happens before or after its first commits."""

    def __init__(
        self,
        lake: Lake,
        *,
        before: Iterable[Callable[[], object]] = (),
        after: Iterable[Callable[[], object]] = (),
    ) -> None:
        super().__init__(lake.table(), sleep=lambda _: None)
        self._before = list(before)
        self._after = list(after)

    def _append(self, plan: _Plan) -> None:
        if self._before:
            self._before.pop(0)()
        super()._append(plan)
        if self._after:
            self._after.pop(0)()


def in_doubt() -> None:
    raise CommitStateUnknownException("500 Internal Server Error")


def keys(*readings: Reading) -> list[RowKey]:
    rows = Rows.of(readings)
    return sorted(rows.key(row) for row in range(len(rows)))


def test_a_batch_is_added_once_by_whoever_gets_it(lake: Lake) -> None:
    batches = [lake_batch(reading(i), reading(i, metric="humidity")) for i in range(5)]
    first = lake.writer()
    outcome = first.commit(batches[:3])
    assert (outcome.rows, outcome.files, outcome.skipped_batches) == (6, 1, 0)
    assert outcome.bytes > 0
    assert first.commit(batches[:3]) == Committed(skipped_batches=3)
    assert lake.writer().commit(batches[2:]).skipped_batches == 1
    assert lake.writer().commit([*batches, *batches]) == Committed(skipped_batches=5)
    assert lake.stored() == keys(*(reading(i, metric=m) for i in range(5) for m in ("temperature", "humidity")))


async def test_athena_reads_what_was_written(lake: Lake) -> None:
    one = reading(0.5, -18.25, unit="K")._replace(received_at=T0 + 700)
    lake.writer().commit([lake_batch(one, reading(1, 0.1 + 0.2))])
    rows = await ask(
        lake.stack,
        "SELECT tenant, device, metric, value, unit, ts_source, to_unixtime(ts) * 1000, to_unixtime(received_at) * 1000"
        " FROM readings ORDER BY ts",
    )
    assert rows[0][:6] == ["acme", "truck-1", "temperature", "-18.25", "K", "device"]
    assert [round(float(ms or 0)) for ms in rows[0][6:]] == [T0 + 500, T0 + 700]
    assert float(rows[1][3] or 0) == 0.1 + 0.2


def test_an_answer_that_was_lost_doubles_nothing(lake: Lake) -> None:
    batches = [lake_batch(reading(i)) for i in range(3)]
    outcome = Eventful(lake, after=[in_doubt]).commit(batches)
    assert outcome == Committed(skipped_batches=3)
    assert lake.stored() == keys(*(reading(i) for i in range(3)))


def test_a_commit_that_did_not_take_place_is_made_again(lake: Lake) -> None:
    batches = [lake_batch(reading(i)) for i in range(3)]
    assert Eventful(lake, before=[in_doubt, in_doubt]).commit(batches).rows == 3
    assert lake.stored() == keys(*(reading(i) for i in range(3)))
    assert data_files(lake) == 1


def test_a_batch_that_another_adds_meanwhile_is_left_to_it(lake: Lake) -> None:
    shared, own = lake_batch(reading(0)), lake_batch(reading(1))
    other = lake.writer()
    outcome = Eventful(lake, before=[lambda: other.commit([shared])]).commit([shared, own])
    assert (outcome.rows, outcome.conflicts, outcome.skipped_batches) == (1, 1, 1)
    assert lake.stored() == keys(reading(0), reading(1))
    assert data_files(lake) == 2


def test_a_conflict_over_other_batches_uploads_nothing_twice(lake: Lake) -> None:
    other = lake.writer()
    writer = Eventful(lake, before=[lambda: other.commit([lake_batch(reading(9))])])
    assert writer.commit([lake_batch(reading(0))]).conflicts == 1
    assert lake.stored() == keys(reading(0), reading(9))
    assert data_files(lake) == 2


def test_writers_at_once_add_everything_once(lake: Lake) -> None:
    rounds = [[lake_batch(*(reading(100 * r + i) for i in range(20))) for _ in range(3)] for r in range(6)]
    outcomes: list[Committed] = []

    def write(writer: LakeWriter, order: list[list[LakeBatch]]) -> None:
        outcomes.extend(writer.commit(batches) for batches in order)

    writers = [LakeWriter(lake.table()) for _ in range(3)]  # with real waits, or they never let each other pass
    orders = [rounds, rounds[::-1], rounds]
    threads = [threading.Thread(target=write, args=pair) for pair in zip(writers, orders, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sum(outcome.rows for outcome in outcomes) == 6 * 3 * 20
    assert len(lake.stored()) == 6 * 3 * 20
    assert sum(outcome.skipped_batches for outcome in outcomes) == 2 * 6 * 3


def test_a_marked_copy_after_its_original_adds_no_row(lake: Lake) -> None:
    original = [reading(i) for i in range(5)]
    lake.writer().commit([lake_batch(*original)])
    outcome = lake.writer().commit([lake_batch(*marked(original), *marked([reading(9)]))])
    assert (outcome.rows, outcome.duplicate_rows) == (1, 5)
    assert lake.stored() == keys(*original, reading(9))


def test_a_marked_copy_before_its_original_adds_no_row(lake: Lake) -> None:
    original = [reading(i) for i in range(5)]
    lake.writer().commit([lake_batch(*marked(original[1:3]))])
    outcome = lake.writer().commit([lake_batch(*original)])
    assert (outcome.rows, outcome.duplicate_rows) == (3, 2)
    assert lake.stored() == keys(*original)


def test_a_marked_copy_beside_its_original_adds_no_row(lake: Lake) -> None:
    original = [reading(i) for i in range(5)]
    outcome = lake.writer().commit([lake_batch(*marked(original)), lake_batch(*original)])
    assert (outcome.rows, outcome.duplicate_rows) == (5, 5)
    assert lake.stored() == keys(*original)


@pytest.mark.parametrize("marked_first", [True, False])
def test_a_marked_copy_committed_by_another_at_the_same_moment_adds_no_row(lake: Lake, marked_first: bool) -> None:
    original = [reading(i) for i in range(5)]
    pair = [lake_batch(*marked(original)), lake_batch(*original)]
    first, second = pair if marked_first else pair[::-1]
    other = lake.writer()
    outcome = Eventful(lake, before=[lambda: other.commit([first])]).commit([second])
    assert outcome == Committed(duplicate_rows=5, conflicts=1)
    assert lake.stored() == keys(*original)


def test_marked_readings_that_were_never_seen_are_added(lake: Lake) -> None:
    lake.writer().commit([lake_batch(reading(1), reading(2, device="truck-2"))])
    lake.writer().commit([lake_batch(*marked([reading(1, 9.0), reading(2)]))])
    assert len(lake.stored()) == 4


def test_many_batches_are_remembered_without_swelling_the_metadata(lake: Lake) -> None:
    batches = [lake_batch(reading(i)) for i in range(500)]
    lake.writer().commit(batches)
    lake.writer().commit([lake_batch(reading(1000))])
    table = open_table(lake.stack, "readings")
    summaries = [snapshot.summary for snapshot in table.snapshots() if snapshot.summary is not None]
    assert [FILE_KEY in summary.additional_properties for summary in summaries] == [True, False]
    assert [INLINE_KEY in summary.additional_properties for summary in summaries] == [False, True]
    assert all(len(summary.model_dump_json()) < 1500 for summary in summaries)
    assert lake.writer().commit(batches) == Committed(skipped_batches=500)


def test_old_receipts_are_not_fetched_for_new_batches(lake: Lake) -> None:
    now = system_clock()
    old = [lake_batch(reading(i), created_at=now) for i in range(100)]
    lake.writer().commit(old)
    (snapshot,) = open_table(lake.stack, "readings").snapshots()
    assert snapshot.summary is not None
    path = snapshot.summary[FILE_KEY] or ""
    table = lake.table()
    table.io.delete(path)
    in_an_hour = LakeWriter(table, clock=lambda: now + HOUR_MS)
    assert in_an_hour.commit([lake_batch(reading(500), created_at=now + HOUR_MS)]).rows == 1
    with pytest.raises(OSError, match="batches-"):
        LakeWriter(table, clock=lambda: now + HOUR_MS).commit(old)  # to go on without it could double them


def test_late_readings_land_in_their_own_day(lake: Lake) -> None:
    outcome = lake.writer().commit([lake_batch(reading(0), reading(-86_400 * 30), reading(1))])
    assert outcome.files == 2
    partitions = open_table(lake.stack, "readings").inspect.partitions().to_pylist()
    found = {part["partition"]["ts_day"]: part["record_count"] for part in partitions}
    assert found == {date(2099, 12, 2): 1, date(2100, 1, 1): 2}


def test_files_are_sorted_packed_and_compressed(lake: Lake) -> None:
    lake.writer().commit(
        [lake_batch(*(reading(i, i % 7 / 10, device=f"truck-{d}") for i in range(50, 0, -1) for d in (2, 1)))]
    )
    table = lake.table()
    (task,) = table.scan().plan_files()
    with table.io.new_input(task.file.file_path).open() as source:
        file = pq.ParquetFile(source)
        group = file.metadata.row_group(0)
        columns = {group.column(i).path_in_schema: group.column(i) for i in range(group.num_columns)}
        rows = file.read().to_pylist()
    assert {column.compression for column in columns.values()} == {"ZSTD"}
    assert "DELTA_BINARY_PACKED" in columns["ts"].encodings
    assert "RLE_DICTIONARY" in columns["value"].encodings
    order = [(row["device"], row["ts"]) for row in rows]
    assert order == sorted(order)
    assert len(order) == 100


def test_a_column_added_later_is_null_before_and_does_not_stop_the_archiver(lake: Lake) -> None:
    lake.writer().commit([lake_batch(reading(0))])
    with lake.table().update_schema() as schema:
        schema.add_column("site", StringType())
    lake.writer().commit([lake_batch(reading(1))])
    assert len(lake.stored()) == 2
    assert open_table(lake.stack, "readings").scan().to_arrow().column("site").to_pylist() == [None, None]


def data_files(lake: Lake) -> int:
    """Data files in the bucket, whether a snapshot refers to them or not."""
    import pyarrow.fs as fs

    table = lake.table()
    location = table.location().removeprefix("s3://")
    filesystem = table.io.fs_by_scheme("s3", location.split("/")[0])  # type: ignore[attr-defined]
    found = filesystem.get_file_info(fs.FileSelector(location, recursive=True))
    return sum(1 for info in found if info.path.endswith(".parquet"))
