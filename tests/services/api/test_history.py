"""History: bad input names its field, nothing of it reaches SQL, files hold what was asked for."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.servers.waiting import until
from tests.services.api.fakes import NOW, World, served

from sensorcast_api.asgi import make_app
from sensorcast_api.history.athena import LakeBusy, LakeFailed, ScansTooMuch
from sensorcast_api.history.past import Past
from sensorcast_api.history.question import Bounds, Bucket, Question, Row, RowKey
from sensorcast_api.history.seam import seam
from sensorcast_api.history.sql import Statement, aggregates, rows, text_literal
from sensorcast_api.history.sums import mean_kinetic, summed
from sensorcast_common.clock import from_millis, rfc3339

HOUR = 3_600_000
SERIES = {"device": "truck-1", "metric": "temperature"}


class FakeLake:
    """Answers every statement with the same rows, or not at all."""

    table = "readings"

    def __init__(self) -> None:
        self.answer: list[list[str]] = []
        self.trouble: Exception | None = None
        self.endless = False
        self.asked: list[Statement] = []
        self.stopped = 0

    async def run(self, statement: Statement, *, reuse_minutes: int = 0) -> str:
        del reuse_minutes
        self.asked.append(statement)
        if self.trouble is not None:
            raise self.trouble
        if self.endless:
            try:
                await asyncio.Event().wait()
            finally:
                self.stopped += 1
        return "result"

    async def rows(self, location: str) -> AsyncIterator[list[list[str]]]:
        assert location == "result"
        for at in range(0, len(self.answer), 3):
            yield self.answer[at : at + 3]


class FakeWatermarks:
    async def lowest(self, *, now: int) -> int | None:
        return now - HOUR


class HistoryWorld(World):
    """A world with a lake."""

    def __post_init__(self) -> None:
        World.__post_init__(self)
        self.lake = FakeLake()
        past = Past(lake=self.lake, hot=self.readings, watermarks=FakeWatermarks(), clock=lambda: self.now)
        self.services = replace(self.services, past=past)
        self.app = make_app(self.services)


@pytest.fixture
def world() -> HistoryWorld:
    return HistoryWorld()


def at(ms: int) -> str:
    return rfc3339(from_millis(ms))


@pytest.mark.parametrize(
    ("path", "params", "field"),
    [
        ("readings", {**SERIES, "start": at(NOW), "end": at(NOW - 1)}, "end"),
        ("readings", {**SERIES, "start": "yesterday"}, "start"),
        ("readings", {"metric": "temperature"}, "device"),
        ("readings", {"device": "truck-1"}, "metric"),
        ("readings", {**SERIES, "device": "x' OR '1'='1"}, "device.0"),
        ("readings", {**SERIES, "metric": "t); DROP TABLE readings; --"}, "metric.0"),
        ("readings", {**SERIES, "device": [f"d{number}" for number in range(1000)]}, "device"),
        ("readings", {**SERIES, "limit": 10**6}, "limit"),
        ("readings", {**SERIES, "cursor": "eyJ2IjoxfQ"}, "cursor"),
        ("aggregates", {**SERIES, "bucket": "fortnight"}, "bucket"),
        ("aggregates", {**SERIES, "bucket": "minute", "start": "2001-01-01T00:00:00Z"}, "bucket"),
        ("aggregates", {**SERIES, "low": 8, "high": 2}, "high"),
        ("aggregates", {**SERIES, "low": "NaN"}, "low"),
        ("export", {**SERIES, "format": "xls"}, "format"),
    ],
)
async def test_bad_input_names_its_field_and_asks_nothing(
    world: HistoryWorld, path: str, params: dict[str, str | int | list[str]], field: str
) -> None:
    async with world.client() as client:
        answer = await client.get(f"/v1/history/{path}", params=params)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert world.lake.asked == []


def test_what_a_caller_sends_is_bound_and_never_part_of_the_sql() -> None:
    question = Question(tenant="acme", devices=("truck-1", "a-b"), metrics=("t:x",), start=NOW, end=NOW + 5)
    after = RowKey("truck-1", "t:x", NOW, "Cel")
    for statement in (
        rows(question, table="readings", after=after, limit=5),
        aggregates(question, table="readings", bucket=Bucket.HOUR, bounds=Bounds(2.0, 8.0)),
    ):
        assert not any(name in statement.sql for name in ("acme", "truck-1", "a-b", "t:x", "2026"))
        assert statement.sql.count("?") == len(statement.parameters)
        assert statement.parameters[:4] == ("'acme'", "'truck-1'", "'a-b'", "'t:x'")
        # Athena takes parameters in the WHERE clause only.
        assert "?" not in statement.sql.partition("WHERE")[0]
    with pytest.raises(ValueError, match="is not a name"):
        text_literal("it's")


async def test_pages_go_on_where_they_ended_across_lake_and_hot_store(world: HistoryWorld) -> None:
    world.lake.answer = [["truck-1", "temperature", str(NOW - 5 * HOUR + at), "Cel", "1.0"] for at in range(4)]
    world.readings.put("acme", "truck-1", NOW - HOUR // 2, 2.0)
    world.readings.put("acme", "truck-1", NOW - 5 * HOUR, 9.0)  # before the seam: the lake's business
    async with world.client() as client:
        first = (await client.get("/v1/history/readings", params={**SERIES, "limit": 4})).json()
        world.lake.answer = []
        rest = (await client.get("/v1/history/readings", params={**SERIES, "cursor": first["next_cursor"]})).json()
    assert [point["value"] for point in first["series"][0]["readings"]] == [1.0] * 4
    assert first["lake_until"] == at(NOW - HOUR)
    assert rest["series"][0]["readings"] == [{"ts": at(NOW - HOUR // 2), "value": 2.0}]
    assert rest["next_cursor"] is None
    assert "'truck-1'" in world.lake.asked[1].parameters
    assert "ts > ?" in world.lake.asked[1].sql


async def test_series_and_their_aggregates_are_tables_too(world: HistoryWorld) -> None:
    for device in ("truck-1", "truck-2"):
        for number in range(2):
            world.readings.put("acme", device, NOW - 120_000 + number * 1000, number + 0.5)
    asked = f"device=truck-1&device=truck-2&metric=temperature&start={at(NOW - 300_000)}"
    async with world.client() as client:
        answers = [
            await client.get(f"/v1/history/{path}&{asked}", headers={"Accept": "text/csv"})
            for path in ("readings?limit=3", "aggregates?bucket=hour")
        ]
    readings, sums = [list(csv.DictReader(io.StringIO(answer.text))) for answer in answers]
    assert [(row["device"], row["unit"], row["value"]) for row in readings] == [
        ("truck-1", "Cel", "0.5"),
        ("truck-1", "Cel", "1.5"),
        ("truck-2", "Cel", "0.5"),
    ]
    assert 'rel="next"' in answers[0].headers["link"]
    assert "device=truck-2" in answers[0].headers["link"]
    assert [(row["device"], row["count"], row["mean"]) for row in sums] == [
        ("truck-1", "2", "1.0"),
        ("truck-2", "2", "1.0"),
    ]


@pytest.mark.parametrize("form", ["csv", "parquet", "arrow"])
async def test_a_file_holds_every_row_once_and_sorted(world: HistoryWorld, form: str) -> None:
    start = NOW - 2 * HOUR
    world.lake.answer = [
        [device, "temperature", str(start + 60_000 * at), "Cel", repr(at / 10)]
        for device in ("truck-1", "truck-2")
        for at in range(70)  # the last ten of them lie after the seam
    ]
    for device in ("truck-1", "truck-2"):
        for minute in range(60, 120):
            world.readings.put("acme", device, start + 60_000 * minute, minute / 10)
    params = {"device": ["truck-2", "truck-1"], "metric": "temperature", "format": form}
    async with world.client() as client:
        answer = await client.get("/v1/history/export", params=params)
    assert answer.status_code == 200
    assert f'.{form}"' in answer.headers["content-disposition"]
    if form == "csv":
        assert f"\ntruck-1,temperature,{at(start)},0,Cel\n" in answer.text
    found = read(answer.content, form)
    wanted = [(device, start + 60_000 * at, at / 10) for device in ("truck-1", "truck-2") for at in range(120)]
    assert found == wanted


def read(content: bytes, form: str) -> list[tuple[str, int, float]]:
    if form == "csv":
        import pyarrow.csv as pc

        table = pc.read_csv(io.BytesIO(content))
    else:
        table = pq.read_table(io.BytesIO(content)) if form == "parquet" else pa.ipc.open_stream(content).read_all()
    return [(row["device"], round(row["ts"].timestamp() * 1000), row["value"]) for row in table.to_pylist()]


async def test_a_query_is_stopped_when_the_caller_hangs_up(world: HistoryWorld) -> None:
    world.lake.endless = True
    async with served(world) as address:
        for path in ("readings", "aggregates", "export"):
            before = world.lake.stopped
            headers = {"X-API-Key": world.keys.make("acme")}
            async with httpx.AsyncClient(base_url=address, headers=headers) as client:
                asking = asyncio.create_task(client.get(f"/v1/history/{path}", params=SERIES))
                asked = len(world.lake.asked)
                await until(lambda asked=asked: len(world.lake.asked) > asked, within=10)  # type: ignore[misc]
                asking.cancel()
            await until(lambda before=before: world.lake.stopped > before, within=10)  # type: ignore[misc]


@pytest.mark.parametrize(
    ("trouble", "status"), [(LakeBusy("full"), 503), (ScansTooMuch("limit"), 422), (LakeFailed("secret reason"), 502)]
)
async def test_what_the_lake_cannot_do_is_said_without_internals(
    world: HistoryWorld, trouble: Exception, status: int
) -> None:
    world.lake.trouble = trouble
    async with world.client() as client:
        answer = await client.get("/v1/history/readings", params=SERIES)
    assert answer.status_code == status
    assert "secret" not in answer.text
    assert ("retry-after" in answer.headers) == (status == 503)


def test_the_seam_is_what_the_lake_surely_has() -> None:
    assert seam(NOW - HOUR, now=NOW) == NOW - HOUR
    assert seam(NOW - HOUR, now=NOW, bucket=Bucket.DAY) % Bucket.DAY.millis == 0
    assert seam(None, now=NOW) < NOW - 6 * 24 * HOUR  # nobody knows: ask the hot store for all it has


def points(*values: tuple[int, float], unit: str = "Cel") -> Sequence[Row]:
    return [Row(RowKey("d", "m", ts, unit), value) for ts, value in values]


def test_share_of_time_inside_weighs_by_how_long_a_value_stands() -> None:
    minute = 60_000
    (found,) = summed(
        points((0, 5.0), (10 * minute, 9.0), (20 * minute, 5.0)), bucket=Bucket.HOUR, bounds=Bounds(2.0, 8.0)
    )
    # 10 of 10 minutes inside, 10 outside, then 15 at most inside.
    assert found.inside == pytest.approx(25 / 35)
    assert (found.readings, found.min, found.max, found.p50) == (3, 5.0, 9.0, 5.0)
    assert summed(points((0, 5.0)), bucket=Bucket.HOUR, bounds=Bounds())[0].inside is None


def test_mean_kinetic_temperature_leans_to_the_warm_side() -> None:
    assert mean_kinetic([25.0, 25.0], "Cel") == pytest.approx(25.0)
    # By hand: (e^(-33.5402) + e^(-32.4517)) / 2 = 5.378e-15, -ln of it 32.856, and 10,000 K / 32.856 = 304.36 K.
    assert mean_kinetic([25.0, 35.0], "Cel") == pytest.approx(31.22, abs=0.02)
    assert mean_kinetic([298.15, 308.15], "K") == pytest.approx(31.22 + 273.15, abs=0.02)
    assert mean_kinetic([61.0], "%RH") is None
