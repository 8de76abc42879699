"""Runs statements in Athena: waits, reads results as they lie in S3, and stops what nobody waits for any more."""

import asyncio
import contextlib
import csv
import io
import time
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from sensorcast_api.history.sql import Statement
from sensorcast_api.metrics import ApiMetrics
from sensorcast_common import logs
from sensorcast_common.names import Names

if TYPE_CHECKING:
    from types_aiobotocore_athena import AthenaClient
    from types_aiobotocore_athena.type_defs import QueryExecutionTypeDef, StartQueryExecutionInputTypeDef
    from types_aiobotocore_s3 import S3Client

log = logs.logger(__name__)

_FIRST_WAIT: Final = 0.1
_LONGEST_WAIT: Final = 1.0
_PIECE: Final = 1024 * 1024
_BUSY: Final = frozenset({"TooManyRequestsException", "ThrottlingException"})


class LakeBusy(Exception):  # noqa: N818 - an answer, not a failure
    """Too many queries run, or this one took too long; later it may work."""


class ScansTooMuch(Exception):  # noqa: N818 - an answer, not a failure
    """The workgroup does not let a query scan so much."""


class LakeFailed(Exception):  # noqa: N818 - carries Athena's reason
    """Athena could not run a statement; the reason is for the log."""


class Athena:
    """Athena in the stack's workgroup.

    Args:
        athena: An open client.
        s3: An open client; results are read from where Athena leaves them.
        names: Names of the stack.
        metrics: Where queries are counted.
        at_once: Queries of this process that run at the same time; the others wait.
        seconds: How long a query may take.
    """

    def __init__(
        self,
        athena: "AthenaClient",
        s3: "S3Client",
        names: Names,
        *,
        metrics: ApiMetrics,
        at_once: int = 8,
        seconds: float = 120.0,
    ) -> None:
        self._athena = athena
        self._s3 = s3
        self._names = names
        self._metrics = metrics
        self._places = asyncio.Semaphore(at_once)
        self._seconds = seconds

    @property
    def table(self) -> str:
        """The qualified name of the readings' table."""
        names = self._names
        return f'"{names.athena_catalog}"."{names.lake_namespace}"."{names.lake_readings}"'

    async def run(self, statement: Statement, *, reuse_minutes: int = 0) -> str:
        """Run a statement to its end.

        Args:
            statement: What to run.
            reuse_minutes: A result of the same statement that is no older will do; 0 for none.

        Returns:
            Where the result lies, for `rows`.

        Raises:
            LakeBusy: Athena refuses, or takes too long.
            ScansTooMuch: The workgroup's limit.
            LakeFailed: Anything else.
        """
        async with self._places:
            query_id = await self._start(statement, reuse_minutes)
            ended = False
            try:
                async with asyncio.timeout(self._seconds):
                    execution = await self._wait(query_id)
                ended = True
            except TimeoutError as error:
                self._metrics.history_queries.labels("timeout").inc()
                raise LakeBusy(f"no answer within {self._seconds:g} s") from error
            except asyncio.CancelledError:
                self._metrics.history_queries.labels("cancelled").inc()
                raise
            finally:
                if not ended:
                    await self._stop(query_id)
        return self._location(query_id, execution)

    async def rows(self, location: str) -> AsyncIterator[list[list[str]]]:
        """The rows of a result, without its header, some thousands at a time; NULL is an empty text."""
        bucket, _, key = location.removeprefix("s3://").partition("/")
        answer = await self._s3.get_object(Bucket=bucket, Key=key)
        rest = b""
        is_header = True
        async with answer["Body"] as body:
            async for piece in body.iter_chunks(_PIECE):
                whole, newline, rest = (rest + piece).rpartition(b"\n")
                found = list(_parsed(whole + newline))
                if is_header and found:
                    found, is_header = found[1:], False
                if found:
                    yield found
        if rest:
            yield list(_parsed(rest))[1 if is_header else 0 :]

    async def _start(self, statement: Statement, reuse_minutes: int) -> str:
        request: StartQueryExecutionInputTypeDef = {
            "QueryString": statement.sql,
            "ExecutionParameters": list(statement.parameters),
            "WorkGroup": self._names.athena_workgroup,
        }
        if reuse_minutes:
            request["ResultReuseConfiguration"] = {
                "ResultReuseByAgeConfiguration": {"Enabled": True, "MaxAgeInMinutes": reuse_minutes}
            }
        # Once it is on its way it may start, and then its id is needed to stop it.
        starting = asyncio.ensure_future(self._athena.start_query_execution(**request))
        try:
            return (await asyncio.shield(starting))["QueryExecutionId"]
        except asyncio.CancelledError:
            with contextlib.suppress(ClientError):
                await self._stop((await starting)["QueryExecutionId"])
            raise
        except ClientError as error:
            code = error.response["Error"]["Code"]
            self._metrics.history_queries.labels("refused").inc()
            raise (LakeBusy if code in _BUSY else LakeFailed)(str(error)) from error

    async def _wait(self, query_id: str) -> "QueryExecutionTypeDef":
        wait = _FIRST_WAIT
        began = time.monotonic()
        while True:
            execution = (await self._athena.get_query_execution(QueryExecutionId=query_id))["QueryExecution"]
            if execution["Status"]["State"] not in ("QUEUED", "RUNNING"):
                log.info("history query", query_id=query_id, ms=round((time.monotonic() - began) * 1000))
                return execution
            await asyncio.sleep(wait)
            wait = min(_LONGEST_WAIT, wait * 1.5)

    def _location(self, query_id: str, execution: "QueryExecutionTypeDef") -> str:
        state = execution["Status"]["State"]
        self._metrics.history_queries.labels(state.lower()).inc()
        self._metrics.history_scanned.inc(execution.get("Statistics", {}).get("DataScannedInBytes", 0))
        if state == "SUCCEEDED":
            return execution["ResultConfiguration"]["OutputLocation"]
        reason = execution["Status"].get("StateChangeReason", "")
        if "scanned limit" in reason.lower():
            raise ScansTooMuch(reason)
        raise LakeFailed(f"query {query_id}: {state}: {reason}")

    async def _stop(self, query_id: str) -> None:
        try:
            await self._athena.stop_query_execution(QueryExecutionId=query_id)
        except ClientError as error:
            log.warning("a query that nobody waits for could not be stopped", query_id=query_id, error=str(error))


def _parsed(text: bytes) -> Iterator[list[str]]:
    return csv.reader(io.StringIO(text.decode(), newline=""))
