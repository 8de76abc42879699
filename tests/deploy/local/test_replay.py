"""A CSV file arrives as readings with the times, names and units it has, and what cannot be sent is said."""

import asyncio
import csv
import json
import time
from datetime import UTC
from pathlib import Path

import pytest
from tests.servers.broker import MosquittoServer
from typer.testing import CliRunner

from sensorcast_common.cli import build
from sensorcast_common.csv.columns import Column, plan
from sensorcast_common.csv.csv_file import CsvFile, Row, inspect
from sensorcast_common.csv.fault import CsvFault
from sensorcast_common.csv.readings import RowReader
from sensorcast_common.csv.rejects import Rejects
from sensorcast_common.csv.times import time_parser, zone
from sensorcast_local.broker import Broker, BrokerError
from sensorcast_local.fleet.drive import Sender
from sensorcast_local.publisher import Publisher
from sensorcast_local.replay.sending import Replay

NOW = 1_764_000_000_000


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def columns(file: CsvFile, *, wanted: list[str] | None = None, units: dict[str, str] | None = None) -> list[Column]:
    return plan(
        file.header,
        time_column=file.time_column,
        device="fridge",
        each_is_device=None,
        wanted=wanted or [],
        units=units or {},
    )


def reader(file: CsvFile) -> RowReader:
    return RowReader(
        width=len(file.header),
        time_column=file.time_column,
        columns=columns(file),
        parse_time=time_parser(UTC),
        decimal_comma=file.decimal_comma,
    )


class Recorder(Sender):
    """Keeps what is sent."""

    def __init__(self) -> None:
        self.payloads: list[tuple[str, bytes]] = []

    async def send(self, topic: str, payload: bytes, *, readings: int) -> None:
        self.payloads.append((topic, payload))

    async def drain(self) -> None:
        pass


@pytest.mark.parametrize(
    ("text", "delimiter", "comma"),
    [
        ("time,a\n2024-01-01T00:00:00Z,4.2\n", ",", False),
        ("time;a\n01.01.2024 00:00;4,2\n", ";", True),
        ("time\ta\n1704067200\t4,2\n", "\t", True),
        ('time,a\n1704067200000,"4,2"\n', ",", True),
    ],
)
def test_form_of_a_file_is_found_out(tmp_path: Path, text: str, delimiter: str, comma: bool) -> None:
    file = inspect(write(tmp_path / "a.csv", text))
    assert (file.delimiter, file.decimal_comma) == (delimiter, comma)
    (row,) = file.rows()
    (reading,) = reader(file).read(row, now=NOW).readings
    assert (reading.ts, reading.value) == (1_704_067_200_000, 4.2)


@pytest.mark.parametrize(
    ("text", "millis"),
    [
        ("2020-05-05T09:17:51+0200", 1_588_663_071_000),
        ("2022-07-07T12:00:00.000Z", 1_657_195_200_000),
        ("2021-06-24 16:45:00", 1_624_553_100_000),
        ("24.06.2021 16:45", 1_624_553_100_000),
        ("1624553100", 1_624_553_100_000),
        ("1624553100.5", 1_624_553_100_500),
        ("1624553100000", 1_624_553_100_000),
    ],
)
def test_times_are_read_in_every_form(text: str, millis: int) -> None:
    assert time_parser(UTC)(text) == millis


def test_times_without_a_zone_are_in_the_zone_that_is_named() -> None:
    assert time_parser(zone("Europe/Berlin"))("2021-06-24 16:45:00") == 1_624_545_900_000
    assert time_parser(zone("Europe/Berlin"))("2021-06-24 16:45:00Z") == 1_624_553_100_000
    assert time_parser(UTC, form="%m/%d/%Y %H:%M")("06/24/2021 16:45") == 1_624_553_100_000
    with pytest.raises(CsvFault, match="--time-zone"):
        zone("Mars/Olympus")


def test_columns_become_names_and_units(tmp_path: Path) -> None:
    header = "timestamp,Temp [°C],humidity,acceleration x,movement counter,pressure,cabin_temperature,Feuchte (%RH)"
    file = inspect(write(tmp_path / "a.csv", header + "\n2024-01-01,1,2,3,4,5,6,7\n"))
    found = {column.metric: (column.unit, column.unit_known) for column in columns(file)}
    assert found == {
        "temp": ("Cel", True),
        "humidity": ("%RH", True),
        "acceleration_x": ("/", False),
        "movement_counter": ("count", True),
        "pressure": ("hPa", True),
        "cabin_temperature": ("Cel", True),
        "feuchte": ("%RH", True),
    }
    (one,) = columns(file, wanted=["pressure"], units={"pressure": "Pa"})
    assert one.unit == "Pa"
    with pytest.raises(CsvFault, match="no column 'presure'"):
        columns(file, wanted=["presure"])
    with pytest.raises(CsvFault, match="not a SenML unit"):
        columns(file, units={"pressure": "bar"})


def test_columns_that_make_one_series_are_refused(tmp_path: Path) -> None:
    file = inspect(write(tmp_path / "a.csv", "time,box temp,box_temp\n2024-01-01,1,2\n"))
    with pytest.raises(CsvFault, match="both make"):
        columns(file)


async def test_what_cannot_be_sent_is_kept_with_row_and_reason(tmp_path: Path) -> None:
    text = (
        "time,a,b\n"
        "2024-01-01T00:00:00Z,1,x\n"  # 2: one cell
        "yesterday,1,2\n"  # 3: the time
        "2024-01-01T00:00:02Z,1\n"  # 4: too short
        "2099-01-01T00:00:00Z,1,2\n"  # 5: from the future
        "1999-01-01T00:00:00Z,1,2\n"  # 6: before 2000
        "2024-01-01T00:00:05Z,,NaN\n"  # 7: nothing there
        "2024-01-01T00:00:06Z,inf,1_000\n"  # 8: both
        "2024-01-01T00:00:07Z,1e1,-.5\n"
    )
    file = inspect(write(tmp_path / "a.csv", text))
    said: list[str] = []
    rejects = Rejects(tmp_path / "a.rejected.csv", report=said.append)
    recorder = Recorder()
    replay = Replay(reader=reader(file), tenant="demo", sender=recorder, rejects=rejects, clock=lambda: NOW, speed=0)
    await replay.run(file.rows())
    rejects.close()
    ((topic, payload),) = recorder.payloads
    assert topic == "dt/demo/fridge/readings"
    assert [each["value"] for each in json.loads(payload)] == [1.0, 10.0, -0.5]
    assert (replay.tally.rows, replay.tally.sent, replay.tally.empty, replay.tally.rejected) == (8, 3, 2, 7)
    with rejects.path.open(newline="") as kept:
        rows = list(csv.DictReader(kept))
    assert [(row["row"], row["column"]) for row in rows] == [
        ("2", "b"), ("3", ""), ("4", ""), ("5", ""), ("6", ""), ("8", "a"), ("8", "b"),
    ]  # fmt: skip
    assert "2 cells, the header has 3" in rows[2]["reason"]
    assert any("row 3" in line for line in said)


async def test_speed_keeps_the_distances(tmp_path: Path) -> None:
    rows = [Row(number, [f"2024-01-01T00:00:0{number}Z", "1"]) for number in range(4)]
    file = inspect(write(tmp_path / "a.csv", "time,a\n2024-01-01,1\n"))
    began = time.monotonic()
    replay = Replay(
        reader=reader(file),
        tenant="demo",
        sender=Recorder(),
        rejects=Rejects(tmp_path / "no.csv", report=print),
        clock=lambda: int(time.time() * 1000),
        speed=10,
    )
    await replay.run(rows)
    assert 0.27 < time.monotonic() - began < 2


async def test_broker_that_comes_back_gets_everything(tmp_path: Path) -> None:

    with MosquittoServer(state_dir=tmp_path) as server:
        async with Publisher(Broker.parse(server.url), in_flight=4) as publisher:
            await publisher.send("dt/demo/a/readings", b"1", readings=1)
            await publisher.drain()
            await asyncio.to_thread(server.kill)
            for _ in range(4):
                await publisher.send("dt/demo/a/readings", b"1", readings=1)
            assert publisher.acknowledged == 1
            await asyncio.to_thread(server.start)
            async with asyncio.timeout(60):
                await publisher.drain()
            assert publisher.acknowledged == 5


async def test_message_whose_puback_was_lost_is_sent_again() -> None:
    """A broker that takes the first PUBLISH with the connection, and acknowledges the second."""
    published: list[int] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def packet() -> tuple[int, bytes]:
            kind, length = await reader.readexactly(2)  # all of them are shorter than 128 bytes
            return kind >> 4, await reader.readexactly(length)

        try:
            while True:
                kind, body = await packet()
                if kind == 1:
                    writer.write(bytes([0x20, 3, 0, 0, 0]))
                elif kind == 3:
                    published.append(body[-1])
                    if len(published) == 1:
                        break
                    topic_length = int.from_bytes(body[:2], "big")
                    writer.write(bytes([0x40, 2]) + body[2 + topic_length : 4 + topic_length])
        except asyncio.IncompleteReadError:
            pass
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, asyncio.timeout(40), Publisher(Broker.parse(f"mqtt://127.0.0.1:{port}")) as publisher:
        await publisher.send("dt/demo/a/readings", b"\x07", readings=1)
        await publisher.drain()
        assert publisher.acknowledged == 1
    assert published == [7, 7]


async def test_broker_that_is_not_there_is_said() -> None:
    with pytest.raises(BrokerError, match=r"no broker at mqtt://127\.0\.0\.1:1"):
        async with Publisher(Broker.parse("mqtt://127.0.0.1:1")):
            pass


@pytest.mark.parametrize("url", ["http://a", "mqtt://", "mqtt://a:x", "broker:1883"])
def test_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(BrokerError, match="broker"):
        Broker.parse(url)


def test_address_shows_no_password() -> None:
    broker = Broker.parse("mqtt://me:se%40cret@host")
    assert (broker.username, broker.password, broker.port, broker.url) == ("me", "se@cret", 1883, "mqtt://host:1883")
    with pytest.raises(BrokerError) as refused:
        Broker.parse("mqt://me:secret@host")
    assert "secret" not in str(refused.value)


def test_file_that_nobody_hears_ends_with_an_error(tmp_path: Path, mosquitto: MosquittoServer) -> None:
    file = write(tmp_path / "fridge.csv", "time,temperature\n2024-01-01T00:00:00Z,4.2\n2024-01-01T00:01:00Z,bad\n")
    result = CliRunner().invoke(build(), ["replay", str(file), "--broker", mosquitto.url])
    assert result.exit_code == 1
    assert "readings acknowledged 1" in result.stdout
    assert "row 3, temperature: 'bad' is not a number" in result.stderr
    assert "nobody was subscribed" in result.stderr


def test_missing_file_is_named(tmp_path: Path) -> None:
    result = CliRunner().invoke(build(), ["replay", str(tmp_path / "nix.csv"), "--broker", "mqtt://127.0.0.1:1"])
    assert result.exit_code == 1
    assert "nix.csv: No such file" in result.stderr
