"""Ask Athena something and wait for the answer."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tests.servers.aws import DeployedStack

if TYPE_CHECKING:
    from types_aiobotocore_athena import AthenaClient
    from types_aiobotocore_athena.type_defs import StartQueryExecutionInputTypeDef

Rows = list[list[str | None]]


class QueryFailed(Exception):  # noqa: N818 - carries Athena's reason
    """A query ended in another state than SUCCEEDED."""


async def ask(stack: DeployedStack, sql: str, parameters: Sequence[str] = ()) -> Rows:
    """The rows of a query over the lake, header excluded, all values as text and NULL as `None`.

    Args:
        stack: Whose lake.
        sql: With `?` for each parameter; `readings` and `forecasts` need no qualification.
        parameters: SQL literals: `"'truck-1'"`, `"4.2"`.

    Raises:
        QueryFailed: With Athena's reason.
    """
    async with stack.aws.client("athena") as athena:
        query_id = await start(athena, stack, sql, parameters)
        await finished(athena, query_id)
        rows: Rows = []
        token = ""
        while True:
            page = await (
                athena.get_query_results(QueryExecutionId=query_id, NextToken=token)
                if token
                else athena.get_query_results(QueryExecutionId=query_id)
            )
            rows += [[datum.get("VarCharValue") for datum in row["Data"]] for row in page["ResultSet"]["Rows"]]
            token = page.get("NextToken", "")
            if not token:
                return rows[1:]


async def start(athena: "AthenaClient", stack: DeployedStack, sql: str, parameters: Sequence[str] = ()) -> str:
    """Start a query and return its id."""
    request: StartQueryExecutionInputTypeDef = {
        "QueryString": sql,
        "WorkGroup": stack.names.athena_workgroup,
        "QueryExecutionContext": {"Catalog": stack.names.athena_catalog, "Database": stack.names.lake_namespace},
    }
    if parameters:
        request["ExecutionParameters"] = list(parameters)
    started = await athena.start_query_execution(**request)
    return started["QueryExecutionId"]


async def finished(athena: "AthenaClient", query_id: str) -> None:
    """Wait until a query has succeeded.

    Raises:
        QueryFailed: It ended otherwise.
    """
    await reached(athena, query_id, "SUCCEEDED")


async def reached(athena: "AthenaClient", query_id: str, state: str, *, within: float = 30.0) -> None:
    """Wait until a query is in `state`.

    Raises:
        QueryFailed: It ended in another.
    """
    async with asyncio.timeout(within):
        while True:
            status = (await athena.get_query_execution(QueryExecutionId=query_id))["QueryExecution"]["Status"]
            if status["State"] == state:
                return
            if status["State"] in ("SUCCEEDED", "FAILED", "CANCELLED"):
                raise QueryFailed(f"{status['State']}: {status.get('StateChangeReason', '')}")
            await asyncio.sleep(0.02)
