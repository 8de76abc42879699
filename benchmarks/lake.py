"""What the lake and the hot store cost: bytes per reading, rows per second in and out, write units per 1,000 readings.

`python -m benchmarks.lake [--data DIR] [--trucks N] [--hours N]`

A simulated fleet reports four metrics every 10 s, at its own moments with milliseconds of jitter, and each message is
received some milliseconds later. Its readings are committed as archivers do, compacted as by `sensorcast lake compact`,
and read by `/v1/history/export`; DynamoDB's write units are those that the requests report. With `--data DIR` the files
`freezer/freezer_1min.csv` and `coldstore/values_15min.csv` in it are imported as well. Everything runs against the
emulator on this machine, in one process beside it.
"""

import argparse
import asyncio
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path

import pyarrow as pa
from aiobotocore.session import get_session
from benchmarks.lake_files import imported
from benchmarks.lake_fleet import flushes, sent
from prometheus_client import CollectorRegistry
from pyiceberg.table import Table

from sensorcast_api.history.athena import Athena
from sensorcast_api.history.export import encoded
from sensorcast_api.history.format import Format
from sensorcast_api.history.past import Past
from sensorcast_api.history.question import Question
from sensorcast_api.metrics import ApiMetrics
from sensorcast_archiver.accept import HotBatch
from sensorcast_archiver.hot import HotWriter
from sensorcast_archiver.lake.care.compact import compact
from sensorcast_archiver.lake.care.order import ordered
from sensorcast_archiver.lake.care.rewrite import days
from sensorcast_archiver.lake.catalog import open_table
from sensorcast_archiver.lake.opening import lake_properties
from sensorcast_archiver.lake.parquet import COMPACTED_LEVEL, packing_writer
from sensorcast_archiver.lake.rows import Rows
from sensorcast_archiver.lake.write import LakeBatch, LakeWriter
from sensorcast_archiver.metrics import ArchiverMetrics
from sensorcast_archiver.settings import ArchiverSettings
from sensorcast_archiver.sightings import SeenDevices
from sensorcast_common.aws import Aws
from sensorcast_common.clock import from_millis, system_clock
from sensorcast_common.identity import new_id
from sensorcast_common.names import Names
from sensorcast_common.reading import Reading
from sensorcast_common.tables.devices import DevicesTable
from sensorcast_common.tables.hot_store import HotStore
from sensorcast_common.tables.watermarks import WatermarksTable
from sensorcast_local import emulator
from sensorcast_local.command import answers, free_port
from sensorcast_local.stack import deploy_stack

REGION = "eu-central-1"
COMMIT_MS = 60_000
COST_MINUTES = 30


@dataclass(frozen=True, slots=True)
class Bench:
    """One account with an empty stack."""

    aws: Aws
    names: Names

    async def table(self) -> Table:
        """Its lake."""
        properties = await lake_properties(ArchiverSettings(), self.aws, self.names)
        return open_table(properties, namespace=self.names.lake_namespace, name=self.names.lake_readings)


class Accounts:
    """Accounts of the emulator, each with a stack of its own."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._made = 0

    async def make(self) -> Bench:
        """The next one."""
        self._made += 1
        account = f"{self._made:012d}"
        session = get_session()
        session.set_credentials(account, "secret")
        session.set_config_variable("region", REGION)
        # pyiceberg takes the credentials of S3 from the environment.
        os.environ |= {"AWS_ACCESS_KEY_ID": account, "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": REGION}  # noqa: TID251
        aws = Aws(session=session, region=REGION, endpoint_url=self._endpoint)
        async with aws.client("cloudformation") as cloudformation:
            await deploy_stack(cloudformation, stack=Names().stack, poll=0.1)
        return Bench(aws, Names())


def timed(work: Callable[[], object]) -> float:
    """Seconds on the clock."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def size(table: Table) -> tuple[int, int, int]:
    """Bytes, readings and files of the table."""
    found = days(table)
    return sum(day.bytes for day in found), sum(day.rows for day in found), sum(len(day.files) for day in found)


def commits(readings: Sequence[Reading]) -> Iterator[list[LakeBatch]]:
    """Readings as an archiver gathers them."""
    now = system_clock()
    for window in flushes(readings, COMMIT_MS):
        yield [LakeBatch(new_id(), now, Rows.of(window))]


async def fleet_in_the_lake(accounts: Accounts, readings: Sequence[Reading]) -> None:
    """A day of the fleet: sizes, and rows per second in and out."""
    bench = await accounts.make()
    table = await bench.table()
    writer = LakeWriter(table)
    # The first four hours minute by minute as they come, for the size before compaction; the rest in full commits.
    first = [one for one in readings if one.received_at < readings[0].received_at + 4 * 3_600_000]
    rest = readings[len(first) :]
    for batches in commits(first):
        writer.commit(batches)
    table.refresh()
    bytes_, rows, files = size(table)
    print(f"fleet, {files} commits of a minute: {bytes_ / rows:.2f} bytes per reading, {rows:,} readings")
    batch = [LakeBatch(new_id(), system_clock(), Rows.of(rest))]
    took = timed(lambda: writer.commit(batch))
    print(f"rows per second in (one commit of {len(rest):,} readings): {len(rest) / took:,.0f}")
    table.refresh()
    took = timed(lambda: compact(table, days(table)))
    bytes_, rows, files = size(table)
    print(f"rows per second compacted: {rows / took:,.0f}")
    print(f"fleet, compacted, {files} files: {bytes_ / rows:.2f} bytes per reading, {rows:,} readings")
    took = timed(lambda: table.scan().to_arrow())
    print(f"rows per second out (pyiceberg, whole table): {rows / took:,.0f}")
    for form in Format:
        began = time.perf_counter()
        sent_bytes = await export(bench, readings, form)
        took = time.perf_counter() - began
        print(f"rows per second out (/v1/history/export, {form.value}, {sent_bytes:,} bytes): {rows / took:,.0f}")


async def export(bench: Bench, readings: Sequence[Reading], form: Format) -> int:
    """Export everything; the bytes sent."""
    async with (
        bench.aws.client("athena") as athena,
        bench.aws.client("s3") as s3,
        bench.aws.client("dynamodb") as dynamodb,
    ):
        marks = WatermarksTable(dynamodb, bench.names)
        await marks.put("bench", upto=system_clock(), until=system_clock() + 3_600_000)
        past = Past(
            lake=Athena(athena, s3, bench.names, metrics=ApiMetrics(CollectorRegistry())),
            hot=HotStore(dynamodb, bench.names),
            watermarks=marks,
            clock=system_clock,
        )
        question = Question(
            tenant=readings[0].tenant,
            devices=tuple(sorted({one.device for one in readings})),
            metrics=tuple(sorted({one.metric for one in readings})),
            start=readings[0].ts - 3_600_000,
            end=readings[-1].ts + 3_600_000,
        )
        return sum([len(piece) async for piece in encoded(await past.stream(question), form)])


async def write_units(accounts: Accounts, readings: Sequence[Reading]) -> None:
    """What half an hour of the fleet costs in DynamoDB, table `devices` included."""
    start = readings[0].received_at
    some = [one for one in readings if one.received_at < start + COST_MINUTES * 60_000]
    for seconds, at_most in ((2, None), (10, 260), (30, None), (60, 50)):
        bench = await accounts.make()
        registry = CollectorRegistry()
        async with bench.aws.client("dynamodb") as dynamodb:
            writer = HotWriter(
                store=HotStore(dynamodb, bench.names),
                devices=DevicesTable(dynamodb, bench.names),
                seen=SeenDevices(capacity=10_000),
                metrics=ArchiverMetrics(registry),
            )
            for window in flushes(some, seconds * 1000):
                await writer.write([HotBatch(new_id(), Rows.of(window))])
        units = {
            table: registry.get_sample_value("sensorcast_archiver_write_units_total", {"table": table}) or 0.0
            for table in ("readings", "devices")
        }
        per_thousand = {table: 1000 * count / len(some) for table, count in units.items()}
        print(
            f"write units per 1,000 readings, flush {seconds:2d} s: {sum(per_thousand.values()):.1f} "
            f"(readings {per_thousand['readings']:.1f}, devices {per_thousand['devices']:.1f}"
            + (f", wanted at most {at_most})" if at_most else ")")
        )


async def file_in_the_lake(accounts: Accounts, path: Path, *, each_is: str | None) -> None:
    """A file imported and compacted: its size in a table that holds nothing else, and packed into one file.

    A day of one small site is a few kilobytes, most of it headers; the day of a fleet packs as the one file does.
    """
    bench = await accounts.make()
    table = await bench.table()
    writer = LakeWriter(table)
    rows = 0
    began = time.perf_counter()
    for batch in imported(path, each_is=each_is):
        rows += writer.commit([batch]).rows
    took = time.perf_counter() - began
    table.refresh()
    compact(table, days(table))
    bytes_, rows, files = size(table)
    every, _ = ordered(table.scan().to_arrow())
    sink = pa.BufferOutputStream()
    with packing_writer(sink, every.schema, level=COMPACTED_LEVEL) as packing:
        packing.write_table(every)
    print(
        f"{path.name}, {rows:,} readings: {sink.getvalue().size / rows:.2f} bytes per reading in one file, "
        f"{bytes_ / rows:.2f} alone in the table in {files} files of a day; "
        f"imported at {rows / took:,.0f} rows per second"
    )


async def measure(options: argparse.Namespace, endpoint: str) -> None:
    """Measure and print."""
    accounts = Accounts(endpoint)
    began = time.perf_counter()
    readings = sent(trucks=options.trucks, hours=options.hours)
    first, last = (
        from_millis(one.ts).astimezone(UTC).isoformat(timespec="minutes") for one in (readings[0], readings[-1])
    )
    print(f"fleet of {options.trucks} trucks, {first} to {last}, made in {time.perf_counter() - began:.0f} s")
    await write_units(accounts, readings)
    await fleet_in_the_lake(accounts, readings)
    if options.data:
        await file_in_the_lake(accounts, options.data / "freezer" / "freezer_1min.csv", each_is=None)
        await file_in_the_lake(accounts, options.data / "coldstore" / "values_15min.csv", each_is="temperature")


def main() -> None:
    """Start the emulator and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder with freezer/ and coldstore/")
    parser.add_argument("--trucks", type=int, default=12)
    parser.add_argument("--hours", type=int, default=24)
    options = parser.parse_args()
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        command = emulator.command(port=port, state_dir=Path(folder), save_every=600.0, iot_port=None)
        running = subprocess.Popen(
            command.argv,
            env=None if not command.env else {**command.env},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            while not answers(port):
                time.sleep(0.1)
            asyncio.run(measure(options, f"http://127.0.0.1:{port}"))
        finally:
            running.terminate()
            running.wait(10)


if __name__ == "__main__":
    main()
