"""Files come into the lake once and whole: wide or long, CSV or Parquet, interrupted or broken in places."""

import asyncio
import csv
import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.services.archiver.conftest import Lake
from typer.testing import CliRunner

from sensorcast_archiver.importing.bring import Bringing
from sensorcast_archiver.importing.journal import Journal
from sensorcast_archiver.importing.long_form import LongReader
from sensorcast_archiver.importing.source import find_out
from sensorcast_archiver.lake.write import Committed, LakeBatch, LakeWriter
from sensorcast_common.cli import build
from sensorcast_common.clock import system_clock
from sensorcast_common.csv.fault import CsvFault
from sensorcast_common.csv.rejects import Rejects
from sensorcast_common.csv.times import time_parser
from sensorcast_common.tables.devices import DevicesTable

START = datetime(2026, 3, 1, tzinfo=UTC)


async def sensorcast(lake: Lake, *arguments: str | Path, code: int = 0) -> str:
    command = build(only="import")
    done = await asyncio.to_thread(CliRunner().invoke, command, ["import", *map(str, arguments)], env=lake.stack.env)
    assert done.exit_code == code, done.output
    return done.output


async def test_a_csv_file_with_broken_rows_is_imported_but_for_these(lake: Lake, tmp_path: Path) -> None:
    file = tmp_path / "store.csv"
    lines = [f"{(START + timedelta(minutes=i)).isoformat()},{i / 10},{50 + i}" for i in range(20)]
    lines[3] = "not a time,1,2"
    lines[5] = "2026-03-01T00:05:00Z,warm,55"
    lines[7] = "2026-03-01T00:07:00Z,1"
    lines[9] = "2199-03-01T00:07:00Z,1,2"
    file.write_bytes("\n".join(["time,temperature,humidity", *lines]).encode() + b"\n2026-03-01T01:00:00Z,\xff1,2\n")
    said = await sensorcast(lake, file, "--tenant", "acme")
    assert "rows 21, readings in the lake 33, not taken 5" in said
    with (tmp_path / "store.rejected.csv").open(newline="") as rejected:
        found = {int(row["row"]): row["reason"] for row in csv.DictReader(rejected)}
    assert list(found) == [5, 7, 9, 11, 22]
    assert "not UTF-8" in found[22]
    assert "more than 5 minutes ahead" in found[11]
    assert len(lake.stored()) == 33
    assert "already" in await sensorcast(lake, file, "--tenant", "acme")
    assert "other options" in await sensorcast(lake, file, "--tenant", "other", code=1)
    assert len(lake.stored()) == 33
    async with lake.stack.aws.client("dynamodb") as dynamodb:
        device = await DevicesTable(dynamodb, lake.stack.names).get("acme", "store")
    assert device is not None
    assert sorted(device.metrics) == ["humidity", "temperature"]
    assert device.last_seen == START + timedelta(minutes=19)


async def test_parquet_comes_in_wide_and_long(lake: Lake, tmp_path: Path) -> None:
    times = [START + timedelta(minutes=i) for i in range(10)]
    wide = tmp_path / "wide.parquet"
    pq.write_table(pa.table({"ts": times, "a": [1.5] * 9 + [None], "b": [2.5] * 10}), wide)
    said = await sensorcast(lake, wide, "--tenant", "acme", "--each-is", "temperature")
    assert "readings in the lake 19, not taken 0" in said
    long = tmp_path / "long.parquet"
    columns = {"device": ["x", "x y", "x"], "metric": ["t", "t", "t"], "ts": times[:3], "value": [1.0, 2.0, 3.0]}
    pq.write_table(pa.table({**columns, "unit": ["Cel", "Cel", "bananas"]}), long)
    said = await sensorcast(lake, long, "--tenant", "acme")
    assert "readings in the lake 1, not taken 2" in said
    assert {(key.series.device, key.series.metric) for key in lake.stored()} == {
        ("a", "temperature"),
        ("b", "temperature"),
        ("x", "t"),
    }
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(long.read_bytes()[:-100])
    assert "broken.parquet" in await sensorcast(lake, broken, "--tenant", "acme", code=1)


class Dying:
    """A lake that takes so many pieces, the last without saying so."""

    def __init__(self, lake: LakeWriter, *, pieces: int) -> None:
        self._lake = lake
        self._left = pieces

    def commit(self, batches: list[LakeBatch]) -> Committed:
        done = self._lake.commit(batches)
        self._left -= 1
        if not self._left:
            raise KeyboardInterrupt
        return done


def test_an_import_that_dies_after_a_commit_goes_on_without_a_double(lake: Lake, tmp_path: Path) -> None:
    file = tmp_path / "long.csv"
    rows = [f"truck,t,{(START + timedelta(seconds=i)).isoformat()},{i},Cel" for i in range(1000)]
    rows[::100] = ["truck,t,never,1,Cel"] * 10
    file.write_text("\n".join(["device,metric,ts,value,unit", *rows]))
    source = find_out(file, time_column=None, delimiter=None, decimal=None)
    reader = LongReader.of(
        source.header, time_column=source.time_column, device="", parse_time=time_parser(UTC), decimal_comma=False
    )
    assert reader is not None
    path = tmp_path / "journal.json"

    def attempt(writer: "LakeWriter | Dying") -> Bringing:
        journal = Journal.load(path, "mark") or Journal.begin("mark", now=system_clock())
        rejects = Rejects(
            tmp_path / "rejected.csv", report=lambda _: None, kept=journal.rejects_bytes, count=journal.rejected
        )
        bringing = Bringing(
            writer, tenant="acme", reader=reader, rejects=rejects, journal=journal, journal_path=path, piece=150
        )
        try:
            bringing.run(source.rows())
        finally:
            rejects.close()
        return bringing

    for pieces in (1, 3):
        with pytest.raises(KeyboardInterrupt):
            attempt(Dying(lake.writer(), pieces=pieces))
    done = attempt(lake.writer()).journal
    assert (done.rows, done.readings, done.rejected, done.done) == (1000, 990, 10, True)
    assert len(lake.stored()) == 990
    assert len((tmp_path / "rejected.csv").read_text().splitlines()) == 11
    with pytest.raises(CsvFault, match="other options"):
        Journal.load(path, "another mark")
    path.write_text(json.dumps({"version": 2}))
    with pytest.raises(CsvFault, match="not the journal"):
        Journal.load(path, "mark")


class Counting:
    """A lake that keeps nothing but the largest piece it saw."""

    def __init__(self) -> None:
        self.pieces: list[int] = []

    def commit(self, batches: list[LakeBatch]) -> Committed:
        self.pieces.append(sum(len(one.rows) for one in batches))
        return Committed()


def test_no_more_than_a_piece_is_held(tmp_path: Path) -> None:
    file = tmp_path / "long.csv"
    began = time.time() - 10_000
    file.write_text("metric,ts,value\n" + "".join(f"t,{began + i / 10},{i}\n" for i in range(5000)))
    source = find_out(file, time_column=None, delimiter=None, decimal=None)
    reader = LongReader.of(
        source.header, time_column=source.time_column, device="x", parse_time=time_parser(UTC), decimal_comma=False
    )
    assert reader is not None
    lake = Counting()
    bringing = Bringing(
        lake,
        tenant="acme",
        reader=reader,
        rejects=Rejects(tmp_path / "r.csv", report=lambda _: None),
        journal=Journal.begin("m", now=system_clock()),
        journal_path=tmp_path / "j.json",
        piece=1000,
    )
    bringing.run(source.rows())
    assert lake.pieces == [1000] * 5
    assert not (tmp_path / "r.csv").exists()
