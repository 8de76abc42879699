"""Athena answers over the lake as AWS does."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from botocore.exceptions import ClientError
from tests.servers.athena import QueryFailed, ask, finished, reached, start
from tests.servers.aws import DeployedStack, MinistackServer
from tests.servers.lake import open_table, reading_rows

from sensorcast_local.emulator.athena_sql import bind
from sensorcast_local.stack import deploy_stack


async def append(stack: DeployedStack, *, count: int, device: str = "truck-1") -> None:
    table = await asyncio.to_thread(open_table, stack, "readings")
    rows = reading_rows(table, count=count, device=device, start=datetime(2026, 3, 1, tzinfo=UTC))
    await asyncio.to_thread(table.append, rows)


async def test_parameters_are_bound(stack: DeployedStack) -> None:
    await append(stack, count=10, device="truck-1")
    await append(stack, count=5, device="it's")
    lake = f'"{stack.names.athena_catalog}"."sensorcast"."readings"'
    sql = f"SELECT count(*), '?' FROM {lake} WHERE device = ? AND value < ?"
    assert await ask(stack, sql, ["'truck-1'", "4"]) == [["4", "?"]]
    assert await ask(stack, sql, ["'it''s'", "4"]) == [["4", "?"]]


async def test_a_query_sees_what_was_committed_before_it(stack: DeployedStack) -> None:
    for expected in ("3", "6", "9"):
        await append(stack, count=3)
        assert await ask(stack, "SELECT count(*) FROM readings") == [[expected]]


async def test_values_are_written_as_athena_writes_them(stack: DeployedStack) -> None:
    await append(stack, count=1)
    rows = await ask(stack, "SELECT device, ts, value, value > 1, CAST(NULL AS varchar), nan() FROM readings")
    assert rows == [["truck-1", "2026-03-01 00:00:00.000000 UTC", "0.0", "false", None, "NaN"]]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("to_unixtime(min(ts))", "1772323200.0"),
        ("min(from_unixtime(1772323200.5))", "2026-03-01 00:00:00.500000 UTC"),
        ("approx_percentile(value, 0.5)", "4.5"),
        ("approx_distinct(device)", "1"),
        ("count_if(value >= 5)", "5"),
        ("min(date_trunc('hour', ts))", "2026-03-01 00:00:00.000000 UTC"),
        ("max(date_add('minute', 90, date_trunc('day', ts)))", "2026-03-01 01:30:00.000000 UTC"),
        ("date_diff('second', min(ts), max(ts))", "9"),
        ("date_diff('hour', min(ts), max(ts) + INTERVAL '59' MINUTE)", "0"),
        ("count(*) / 4", "2"),
        ("date_format(min(ts), '%Y-%m-%d %H:%i:%s')", "2026-03-01 00:00:00"),
        ("to_iso8601(min(ts))", "2026-03-01T00:00:00.000Z"),
        ("min(from_iso8601_timestamp('2026-03-01T02:00:00+02:00'))", "2026-03-01 00:00:00.000000 UTC"),
        ("count_if(regexp_like(device, '^tr.*1$'))", "10"),
        ("cardinality(array_agg(value))", "10"),
        ("count_if(ts >= timestamp '2026-03-01 00:00:05 UTC')", "5"),
        ("max_by(value, ts)", "9.0"),
        ("count_if(is_nan(value))", "0"),
    ],
)
async def test_trino_functions_mean_the_same(stack_with_ten: DeployedStack, expression: str, value: str) -> None:
    assert await ask(stack_with_ten, f"SELECT {expression} FROM readings") == [[value]]


@pytest.fixture(scope="module")
def stack_with_ten(ministack: MinistackServer) -> DeployedStack:
    """One stack for all expressions, since they only read."""
    from sensorcast_common.names import Names

    account = ministack.new_account()

    async def prepare() -> DeployedStack:
        async with account.aws.client("cloudformation") as cloudformation:
            stack = DeployedStack(account=account, names=Names(), outputs=await deploy_stack(cloudformation))
        await append(stack, count=10)
        return stack

    return asyncio.run(prepare())


async def test_a_long_result_comes_in_pages_with_one_header(stack: DeployedStack) -> None:
    await append(stack, count=2500)
    rows = await ask(stack, "SELECT value FROM readings ORDER BY ts")
    assert [row[0] for row in rows] == [str(float(number)) for number in range(2500)]


async def test_a_result_lies_in_the_workgroups_bucket_whatever_the_request_says(stack: DeployedStack) -> None:
    await append(stack, count=1)
    async with stack.aws.client("athena") as athena, stack.aws.client("s3") as s3:
        started = await athena.start_query_execution(
            QueryString=f'SELECT device, NULL AS nothing FROM "{stack.names.athena_catalog}".sensorcast.readings',
            WorkGroup=stack.names.athena_workgroup,
            ResultConfiguration={"OutputLocation": "s3://elsewhere/"},
        )
        query_id = started["QueryExecutionId"]
        await finished(athena, query_id)
        bucket = stack.names.results_bucket(stack.account.account_id, stack.account.region)
        found = await s3.get_object(Bucket=bucket, Key=f"athena/{query_id}.csv")
        assert await found["Body"].read() == b'"device","nothing"\n"truck-1",\n'


@pytest.mark.parametrize(
    ("sql", "parameters", "reason"),
    [
        ("SELECT nonsense FROM readings", [], "nonsense"),
        ("SELECT * FROM absent", [], "absent"),
        ("SELECT ? FROM readings", ["1", "2"], "expected 1 but found 2"),
        ("SELECT ? FROM readings", ["(SELECT 1)"], "not a literal"),
        ("SELECT * FROM read_text('/etc/hostname')", [], "LocalFileSystem"),
    ],
)
async def test_a_bad_query_fails_with_the_reason(
    stack_with_ten: DeployedStack, sql: str, parameters: Sequence[str], reason: str
) -> None:
    with pytest.raises(QueryFailed, match=reason):
        await ask(stack_with_ten, sql, parameters)


async def test_an_account_reads_its_own_lake_only(stack: DeployedStack, ministack: MinistackServer) -> None:
    await append(stack, count=1)
    stranger = ministack.new_account()
    async with stranger.aws.client("cloudformation") as cloudformation:
        outputs = await deploy_stack(cloudformation)
    theirs = DeployedStack(account=stranger, names=stack.names, outputs=outputs)
    assert await ask(stack, "SELECT count(*) FROM readings") == [["1"]]
    assert await ask(theirs, "SELECT count(*) FROM readings") == [["0"]]


async def test_a_stopped_query_ends(stack_with_ten: DeployedStack) -> None:
    stack = stack_with_ten
    endless = "SELECT count(*) FROM range(1000000000) a, range(1000000000) b"
    async with stack.aws.client("athena") as athena:
        running = await start(athena, stack, endless)
        waiting = await start(athena, stack, "SELECT 1")
        await reached(athena, running, "RUNNING")
        await athena.stop_query_execution(QueryExecutionId=running)
        with pytest.raises(QueryFailed, match="CANCELLED"):
            await finished(athena, running)
        await finished(athena, waiting)
        with pytest.raises(ClientError, match="CANCELLED"):
            await athena.get_query_results(QueryExecutionId=running)


def test_a_question_mark_in_text_names_or_comments_is_no_parameter() -> None:
    sql = """SELECT '?', "?", ? -- ?\n/* ? */ FROM t WHERE a = ?"""
    assert bind(sql, ["1", "'x'"]) == """SELECT '?', "?", 1 -- ?\n/* ? */ FROM t WHERE a = 'x'"""
