"""History from a real lake through Athena, beside a real hot store."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from prometheus_client import CollectorRegistry
from tests.servers.aws import DeployedStack, MinistackServer
from tests.servers.lake import open_table, reading_rows
from tests.servers.waiting import until
from tests.services.api.fakes import FakeForecasts

from sensorcast_api import examples
from sensorcast_api.history.athena import Athena, LakeFailed
from sensorcast_api.history.past import Past
from sensorcast_api.history.question import Bounds, Bucket, Question, Row, RowKey
from sensorcast_api.history.sql import Statement
from sensorcast_api.history.sums import summed
from sensorcast_api.metrics import ApiMetrics
from sensorcast_api.rehearsal import Range, Replay
from sensorcast_common.clock import from_millis, to_millis
from sensorcast_common.condition import LimitCondition
from sensorcast_common.device import MetricState
from sensorcast_common.names import Names
from sensorcast_common.reading import Reading
from sensorcast_common.rule import Rule
from sensorcast_common.tables.hot_chunk import pack
from sensorcast_common.tables.hot_store import HotStore
from sensorcast_common.tables.watermarks import WatermarksTable
from sensorcast_local.stack import deploy_stack

T0 = 4_102_444_800_000  # 2100-01-01, so that nothing expires
MINUTE = 60_000
IN_LAKE = 150
"""Minutes that the lake holds; the hot store holds the hour from minute 120 on, so that half an hour is in both."""


@pytest.fixture(scope="module")
def stack(ministack: MinistackServer) -> DeployedStack:
    """One stack for all questions, since they only read."""
    account = ministack.new_account()

    async def prepare() -> DeployedStack:
        async with account.aws.client("cloudformation") as cloudformation:
            stack = DeployedStack(account=account, names=Names(), outputs=await deploy_stack(cloudformation))
        table = await asyncio.to_thread(open_table, stack, "readings")
        start = datetime.fromtimestamp(T0 / 1000, UTC)
        for device in ("truck-1", "truck-2"):
            rows = reading_rows(table, count=IN_LAKE * 60, device=device, start=start)
            table.append(rows)
        # The same times again with older receipts: the values received last stay.
        stale = reading_rows(table, count=60, start=start).to_pylist()
        for row in stale:
            row |= {"value": -1.0, "received_at": start.replace(year=2099)}
        table.append(type(rows).from_pylist(stale, schema=rows.schema))
        async with stack.aws.client("dynamodb") as dynamodb:
            hot = HotStore(dynamodb, stack.names)
            for device in ("truck-1", "truck-2"):
                readings = [reading(device, second) for second in range(120 * 60, 180 * 60)]
                await hot.append(pack(readings))
            marks = WatermarksTable(dynamodb, stack.names)
            await marks.put("a", upto=T0 + 130 * MINUTE, until=T0 + 10**9)
            await marks.put("b", upto=T0 + 140 * MINUTE, until=T0 + 10**9)
            await marks.put("dead long ago", upto=T0, until=T0 + 1)
        return stack

    return asyncio.run(prepare())


def reading(device: str, second: int) -> Reading:
    ts = T0 + second * 1000
    return Reading("acme", device, "temperature", ts, float(second), "Cel", ts)


@asynccontextmanager
async def past(stack: DeployedStack) -> AsyncIterator[Past]:
    registry = CollectorRegistry()
    async with (
        stack.aws.client("athena") as athena,
        stack.aws.client("s3") as s3,
        stack.aws.client("dynamodb") as dynamodb,
    ):
        yield Past(
            lake=Athena(athena, s3, stack.names, metrics=ApiMetrics(registry)),
            hot=HotStore(dynamodb, stack.names),
            watermarks=WatermarksTable(dynamodb, stack.names),
            clock=lambda: T0 + 180 * MINUTE,
        )


def question(*devices: str, start: int = 0, end: int = 180) -> Question:
    """In minutes since T0."""
    return Question(
        tenant="acme", devices=devices, metrics=("temperature",), start=T0 + start * MINUTE, end=T0 + end * MINUTE
    )


async def test_a_range_across_both_stores_is_answered_once_without_a_seam(stack: DeployedStack) -> None:
    async with past(stack) as asked:
        answer = await asked.readings(question("truck-1", "truck-2"), after=None, limit=50_000)
        assert answer.seam == T0 + 130 * MINUTE  # the archiver that is furthest behind
        wanted = [
            Row(RowKey(device, "temperature", T0 + second * 1000, "Cel"), float(second))
            for device in ("truck-1", "truck-2")
            for second in range(180 * 60)
        ]
        assert answer.rows == wanted
        streamed = [row async for part in await asked.stream(question("truck-1", "truck-2")) for row in part]
        assert streamed == wanted
        first = await asked.readings(question("truck-1", "truck-2"), after=None, limit=10_000)
        second = await asked.readings(question("truck-1", "truck-2"), after=first.rows[-1].key, limit=50_000)
        assert first.rows + second.rows == wanted


@pytest.mark.parametrize("bucket", [Bucket.MINUTE, Bucket.HOUR])
async def test_the_lake_sums_up_as_the_hot_side_does(stack: DeployedStack, bucket: Bucket) -> None:
    bounds = Bounds(low=100.0, high=7000.5)
    every = [Row(RowKey("truck-1", "temperature", T0 + second * 1000, "Cel"), float(second)) for second in range(10800)]
    async with past(stack) as asked:
        found, seam = await asked.aggregates(question("truck-1"), bucket=bucket, bounds=bounds)
        empty, _ = await asked.aggregates(question("truck-9"), bucket=bucket, bounds=Bounds())
    assert empty == []
    assert T0 < seam <= T0 + 130 * MINUTE
    assert seam % bucket.millis == 0
    wanted = summed(every, bucket=bucket, bounds=bounds)
    assert [each.key for each in found] == [each.key for each in wanted]
    for got, want in zip(found, wanted, strict=True):
        exact = (got.readings, got.min, got.max)
        assert exact == (want.readings, want.min, want.max)
        assert got.inside == pytest.approx(want.inside)
        assert (got.mean, got.mkt) == pytest.approx((want.mean, want.mkt))
        # Percentiles are approximate in the lake.
        assert (got.p05, got.p50, got.p95) == pytest.approx((want.p05, want.p50, want.p95), abs=0.02 * want.readings)


async def test_a_rule_is_tried_on_lake_and_hot_store(stack: DeployedStack) -> None:
    state = MetricState(unit="Cel", last_ts=from_millis(T0), last_value=0.0)
    sent = {"metrics": {"temperature": state}, "tenant": "acme"}
    devices = [examples.DEVICE.model_copy(update=sent | {"device": name}) for name in ("truck-1", "van-1")]
    condition = LimitCondition(above=8000.5)
    rule = Rule(tenant="acme", rule_id="test", name="Full", device="truck-*", condition=condition)
    async with past(stack) as asked:
        replay = Replay(past=asked, forecasts=FakeForecasts(), most=50_000, points=100, most_drawn=1)
        found = await replay.of(rule, devices, Range(T0 + 120 * MINUTE, T0 + 160 * MINUTE, until=T0 + 160 * MINUTE))
    assert [to_millis(each.opened_at) for each in found.rehearsal.incidents] == [T0 + 8_001_000]
    assert found.rehearsal.readings == 40 * 60
    (drawn,) = found.drawn
    assert (drawn.series.device, len(drawn.ts) <= 100, drawn.value[-1]) == ("truck-1", True, 160 * 60 - 1)


async def test_another_tenants_question_finds_nothing(stack: DeployedStack) -> None:
    async with past(stack) as asked:
        theirs = question("truck-1")
        answer = await asked.readings(
            Question(tenant="other", devices=("truck-1",), metrics=theirs.metrics, start=theirs.start, end=theirs.end),
            after=None,
            limit=10,
        )
    assert answer.rows == []


async def test_a_query_nobody_waits_for_is_stopped_in_athena(stack: DeployedStack) -> None:
    endless = Statement(
        sql="SELECT count(*) FROM range(1000000000) a, range(1000000000) b WHERE ? = 1", parameters=("1",)
    )
    async with stack.aws.client("athena") as client, stack.aws.client("s3") as s3:
        registry = CollectorRegistry()
        athena = Athena(client, s3, stack.names, metrics=ApiMetrics(registry))
        running = asyncio.create_task(athena.run(endless))

        async def state() -> str:
            for found in (await client.list_query_executions(WorkGroup=stack.names.athena_workgroup))[
                "QueryExecutionIds"
            ]:
                execution = (await client.get_query_execution(QueryExecutionId=found))["QueryExecution"]
                if execution["Query"] == endless.sql:
                    return execution["Status"]["State"]
            return ""

        async def is_running() -> bool:
            return await state() == "RUNNING"

        async def is_cancelled() -> bool:
            return await state() == "CANCELLED"

        await until(is_running, within=30)
        running.cancel()
        await until(is_cancelled, within=30)
        assert registry.get_sample_value("sensorcast_api_history_queries_total", {"state": "cancelled"}) == 1
        with pytest.raises(LakeFailed, match="nonsense"):
            await athena.run(Statement(sql="SELECT nonsense FROM range(2) WHERE ? = 1", parameters=("1",)))
