"""Athena over the lake.

MiniStack 1.4.21 runs a query in an empty DuckDB that knows no Iceberg table; ignores the catalog of the context and the
parameters; cannot cancel; repeats the header on every page of a result and shows NULL as an empty text; keeps every
result in memory, where a timestamp in one keeps the state from being saved; lets a query leave the workgroup's output
location; and doubles the query's id in the name of the result's file.

Here the S3 Tables of the requester's account are the catalogs `s3tablescatalog/{bucket}`, read-only, each query seeing
the snapshot that was current when it started. Tables of the Glue Data Catalog are not read.

Source: the Athena API reference (StartQueryExecution, GetQueryResults, StopQueryExecution).
"""

import asyncio
import time
from collections import OrderedDict
from typing import Any

import duckdb

from sensorcast_local.emulator import lake_tables
from sensorcast_local.emulator.athena_engine import Engine, Query, Result, Table
from sensorcast_local.emulator.athena_sql import bind
from sensorcast_local.emulator.reach import ministack

CATALOG_PREFIX = "s3tablescatalog/"
KEPT_RESULTS = 32
KEPT_EXECUTIONS = 500
MAX_PAGE = 1000

Response = tuple[int, dict[str, str], bytes]

_results: OrderedDict[str, Result] = OrderedDict()
_tasks: set[asyncio.Task[None]] = set()


def install() -> None:
    """Take over how queries start, run, stop and answer."""
    athena = ministack("services.athena")
    engine = Engine(port=int(ministack("app")._resolve_port()))
    stop = athena._stop_query_execution

    def start_query(data: dict[str, Any]) -> Response:
        return _start(engine, data)

    def stop_query(data: dict[str, Any]) -> Response:
        response: Response = stop(data)
        engine.cancel(data.get("QueryExecutionId", ""))
        return response

    athena._start_query_execution = start_query
    athena._stop_query_execution = stop_query
    athena._get_query_results = _get_results


def _refuse(message: str) -> Response:
    response: Response = ministack("core.responses").error_response_json("InvalidRequestException", message, 400)
    return response


def _start(engine: Engine, data: dict[str, Any]) -> Response:
    athena = ministack("services.athena")
    responses = ministack("core.responses")
    workgroup = data.get("WorkGroup", "primary")
    if workgroup not in athena._workgroups:
        return _refuse(f"WorkGroup {workgroup} is not found.")
    configuration = athena._workgroups[workgroup].get("Configuration", {})
    of_workgroup = configuration.get("ResultConfiguration", {}).get("OutputLocation")
    of_request = data.get("ResultConfiguration", {}).get("OutputLocation")
    enforced = str(configuration.get("EnforceWorkGroupConfiguration", False)).lower() == "true"
    location = of_workgroup if enforced else of_request or of_workgroup
    if not location:
        return _refuse("No output location provided.")
    query_id = responses.new_uuid()
    context = data.get("QueryExecutionContext", {})
    parameters = data.get("ExecutionParameters", [])
    execution: dict[str, Any] = {
        "QueryExecutionId": query_id,
        "Query": data["QueryString"],
        "StatementType": athena._detect_statement_type(data["QueryString"]),
        "ResultConfiguration": {"OutputLocation": f"{location.rstrip('/')}/{query_id}.csv"},
        "QueryExecutionContext": context,
        "Status": {"State": "QUEUED", "SubmissionDateTime": time.time()},
        "Statistics": {"DataScannedInBytes": 0},
        "WorkGroup": workgroup,
        "EngineVersion": {
            "SelectedEngineVersion": "AUTO",
            "EffectiveEngineVersion": "Athena engine version 3",
        },
    }
    if parameters:
        execution["ExecutionParameters"] = parameters
    athena._executions[query_id] = execution
    for forgotten in athena._executions.keys()[:-KEPT_EXECUTIONS]:
        athena._executions.pop(forgotten)
    task = asyncio.create_task(_run(engine, execution, parameters), name=f"athena-{query_id}")
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)
    response: Response = responses.json_response({"QueryExecutionId": query_id})
    return response


async def _run(engine: Engine, execution: dict[str, Any], parameters: list[str]) -> None:
    status = execution["Status"]
    started = time.monotonic()
    try:
        query = _query(execution, parameters)
        result = await asyncio.get_running_loop().run_in_executor(engine.executor, _unless_done, engine, query, status)
        if result is None:
            return
        _write_csv(execution["ResultConfiguration"]["OutputLocation"], result)
        _results[query.id] = result
        if len(_results) > KEPT_RESULTS:
            _results.popitem(last=False)
        end, reason = "SUCCEEDED", None
    except (duckdb.Error, ValueError) as error:
        end, reason = "FAILED", str(error)
    if status["State"] == "CANCELLED":
        return
    milliseconds = int((time.monotonic() - started) * 1000)
    execution["Statistics"] |= {
        "EngineExecutionTimeInMillis": milliseconds,
        "TotalExecutionTimeInMillis": milliseconds,
    }
    status |= {"State": end, "CompletionDateTime": time.time()}
    if reason is not None:
        status["StateChangeReason"] = reason


def _unless_done(engine: Engine, query: Query, status: dict[str, Any]) -> Result | None:
    """Run a query unless it was cancelled while it waited."""
    if status["State"] == "CANCELLED":
        return None
    status["State"] = "RUNNING"
    return engine.run(query)


def _query(execution: dict[str, Any], parameters: list[str]) -> Query:
    responses = ministack("core.responses")
    context = execution["QueryExecutionContext"]
    sql = bind(execution["Query"], parameters)
    catalog = context.get("Catalog")
    tables = _tables(sql, catalog)
    if catalog is not None and catalog.startswith(CATALOG_PREFIX):
        if catalog not in {table[0] for table in tables}:
            raise ValueError(f"CATALOG_NOT_FOUND: no table in catalog {catalog!r}, or no such catalog")
    else:
        catalog = None
    return Query(
        id=execution["QueryExecutionId"],
        sql=sql,
        account=responses.get_account_id(),
        region=responses.get_region(),
        tables=tables,
        catalog=catalog,
        database=context.get("Database") if catalog else None,
    )


def _tables(sql: str, catalog: str | None) -> dict[Table, str]:
    """The current metadata of each lake table that the query may mean."""
    found = {}
    for record in ministack("services.s3tables")._tables.values():
        name = CATALOG_PREFIX + record["tableBucketARN"].rsplit("/", 1)[-1]
        if name == catalog or name in sql:
            lake_tables.current(record)
            found[name, record["namespace"][0], record["name"]] = record["metadataLocation"]
    return found


def _write_csv(location: str, result: Result) -> None:
    """Write a result as Athena does: every value quoted, a NULL left empty."""
    lines = [_line(row) for row in _with_header(result)]
    bucket, _, key = location.removeprefix("s3://").partition("/")
    status, _, body = ministack("services.s3")._put_object(
        bucket, key, "".join(lines).encode(), {"content-type": "text/csv"}
    )
    if status != 200:
        raise ValueError(f"Unable to write the result to {location}: {body.decode()}")


def _line(row: list[str | None]) -> str:
    return ",".join("" if value is None else '"' + value.replace('"', '""') + '"' for value in row) + "\n"


def _with_header(result: Result) -> list[list[str | None]]:
    return [[*result.columns], *result.rows]


def _get_results(data: dict[str, Any]) -> Response:
    query_id = data.get("QueryExecutionId", "")
    execution = ministack("services.athena")._executions.get(query_id)
    if execution is None:
        return _refuse(f"QueryExecution {query_id} was not found")
    state = execution["Status"]["State"]
    if state != "SUCCEEDED":
        reason = execution["Status"].get("StateChangeReason", "")
        return _refuse(f"Query did not finish successfully. Final query state: {state}. {reason}".strip())
    result = _results.get(query_id)
    if result is None:
        return _refuse(f"The result of {query_id} is no longer kept; read {execution['ResultConfiguration']}")
    size = int(data.get("MaxResults", MAX_PAGE))
    if not 1 <= size <= MAX_PAGE:
        return _refuse(f"MaxResults: expected 1 to {MAX_PAGE}, got {size}")
    start = int(data.get("NextToken", "0"))
    rows = _with_header(result)
    content: dict[str, Any] = {
        "UpdateCount": 0,
        "ResultSet": {
            "Rows": [{"Data": [_datum(value) for value in row]} for row in rows[start : start + size]],
            "ResultSetMetadata": {
                "ColumnInfo": [_column(name, kind) for name, kind in zip(result.columns, result.types, strict=True)]
            },
        },
    }
    if start + size < len(rows):
        content["NextToken"] = str(start + size)
    response: Response = ministack("core.responses").json_response(content)
    return response


def _datum(value: str | None) -> dict[str, str]:
    return {} if value is None else {"VarCharValue": value}


def _column(name: str, kind: str) -> dict[str, object]:
    precision, scale = ministack("services.athena")._type_precision_scale(kind)
    return {
        "CatalogName": "hive",
        "SchemaName": "",
        "TableName": "",
        "Name": name,
        "Label": name,
        "Type": kind,
        "Precision": precision,
        "Scale": scale,
        "Nullable": "UNKNOWN",
        "CaseSensitive": kind == "varchar",
    }
