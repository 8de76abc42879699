"""The past to learn from: of the hot store while it reaches back far enough, else of the lake through Athena."""

import asyncio
import csv
from array import array
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from sensorcast_common.clock import from_millis, rfc3339
from sensorcast_common.errors import Retryable
from sensorcast_common.names import Names
from sensorcast_common.reading import SeriesKey
from sensorcast_common.tables.at_once import at_once
from sensorcast_forecaster.history import HotReader
from sensorcast_forecaster.older import RareHistory
from sensorcast_forecaster.regularize import RawSeries

if TYPE_CHECKING:
    from types_aiobotocore_athena import AthenaClient
    from types_aiobotocore_s3 import S3Client

_READS_AT_ONCE: Final = 4
_POLL_SECONDS: Final = 1.0
_CHUNK: Final = 1 << 20

# Minute means: what is learnt from is no finer, and a lake of readings per second would not fit.
_SQL: Final = """
SELECT device, unit, to_unixtime(max(ts)), avg(value)
FROM "{catalog}"."{namespace}"."{table}"
WHERE tenant = ? AND metric = ? AND ts >= from_iso8601_timestamp(?) AND ts < from_iso8601_timestamp(?)
GROUP BY device, unit, date_trunc('minute', ts)
"""

# Devices that report rarely, of which there is little; those that report often would be most of the answer.
_SQL_RARE: Final = """
WITH found AS (
    SELECT device, unit, ts, value, count(*) OVER (PARTITION BY device) AS readings
    FROM "{catalog}"."{namespace}"."{table}"
    WHERE tenant = ? AND metric = ? AND ts >= from_iso8601_timestamp(?) AND ts < from_iso8601_timestamp(?)
)
SELECT device, unit, to_unixtime(max(ts)), avg(value)
FROM found
WHERE readings <= {most:d}
GROUP BY device, unit, date_trunc('minute', ts)
"""


class TrainingHistory(Protocol):
    """The port to the past of many devices."""

    async def read(self, tenant: str, metric: str, devices: Sequence[str], *, start: int, end: int) -> list[RawSeries]:
        """One series for each device that has readings in a range.

        Args:
            tenant: Whose.
            metric: Which.
            devices: Which.
            start: In milliseconds since 1970 UTC.
            end: Exclusive.

        Raises:
            Retryable: It cannot be read now.
        """
        ...


class HotHistory(TrainingHistory):
    """Reads the hot store, device by device.

    Args:
        store: The hot store.
    """

    def __init__(self, store: HotReader) -> None:
        self._store = store

    async def read(self, tenant: str, metric: str, devices: Sequence[str], *, start: int, end: int) -> list[RawSeries]:
        """One series for each device that has readings; see `TrainingHistory`."""

        async def one(device: str) -> RawSeries | None:
            columns = (await self._store.read(tenant, device, start=start, end=end, metrics=[metric])).get(metric)
            if columns is None:
                return None
            ts, values = np.array(columns.ts, dtype=np.int64), np.array(columns.value, dtype=np.float64)
            return RawSeries(series=SeriesKey(tenant, device, metric), unit=columns.unit, ts=ts, values=values)

        found = await at_once(one, devices, limit=_READS_AT_ONCE)
        return [raw for raw in found if raw is not None]


class LakeHistory(TrainingHistory, RareHistory):
    """Asks Athena for minute means and reads its result file, whose rows are too many for the API's pages.

    Args:
        athena: An open client.
        s3: An open client, allowed to read the results.
        names: Names of the stack.
    """

    def __init__(self, athena: "AthenaClient", s3: "S3Client", names: Names) -> None:
        self._athena = athena
        self._s3 = s3
        self._names = names

    async def read(self, tenant: str, metric: str, devices: Sequence[str], *, start: int, end: int) -> list[RawSeries]:
        """One series for each device that has readings; see `TrainingHistory`."""
        return await self._ask(_SQL, tenant, metric, _Table(frozenset(devices)), start=start, end=end)

    async def read_rare(self, tenant: str, metric: str, *, start: int, end: int, most: int) -> list[RawSeries]:
        """The series with at most so many readings; see `RareHistory`."""
        return await self._ask(_SQL_RARE, tenant, metric, _Table(None), start=start, end=end, most=most)

    async def _ask(
        self, sql: str, tenant: str, metric: str, table: "_Table", *, start: int, end: int, **numbers: int
    ) -> list[RawSeries]:
        names = self._names
        query = await self._athena.start_query_execution(
            QueryString=sql.format(
                catalog=names.athena_catalog, namespace=names.lake_namespace, table=names.lake_readings, **numbers
            ),
            ExecutionParameters=[
                _literal(text) for text in (tenant, metric, rfc3339(from_millis(start)), rfc3339(from_millis(end)))
            ],
            WorkGroup=names.athena_workgroup,
        )
        location = await self._finished(query["QueryExecutionId"])
        bucket, _, key = location.removeprefix("s3://").partition("/")
        answer = await self._s3.get_object(Bucket=bucket, Key=key)
        rest = b""
        async with answer["Body"] as stream:
            async for chunk in stream.iter_chunks(_CHUNK):
                block, _, rest = (rest + chunk).rpartition(b"\n")
                await asyncio.to_thread(table.add, block)
        table.add(rest)
        return table.series(tenant, metric)

    async def _finished(self, query_id: str) -> str:
        while True:
            execution = (await self._athena.get_query_execution(QueryExecutionId=query_id))["QueryExecution"]
            state = execution["Status"]["State"]
            if state == "SUCCEEDED":
                return execution["ResultConfiguration"]["OutputLocation"]
            if state in {"FAILED", "CANCELLED"}:
                reason = execution["Status"].get("StateChangeReason", "no reason given")
                raise Retryable(f"athena: {state.lower()}: {reason}", after=60)
            await asyncio.sleep(_POLL_SECONDS)


class _Table:
    """Rows of a result file, by device, of some devices or of all: packed, since there may be tens of millions."""

    def __init__(self, devices: frozenset[str] | None) -> None:
        self._devices = devices
        self._columns: dict[tuple[str, str], tuple[array[int], array[float]]] = {}
        self._in_header = True

    def add(self, block: bytes) -> None:
        rows = csv.reader(block.decode().splitlines())
        for row in rows:
            if self._in_header:
                self._in_header = False
            elif row and (self._devices is None or row[0] in self._devices):
                ts, values = self._columns.setdefault((row[0], row[1]), (array("q"), array("d")))
                ts.append(round(float(row[2]) * 1000))
                values.append(float(row[3]))

    def series(self, tenant: str, metric: str) -> list[RawSeries]:
        """A device that changed its unit gives what it has most of."""
        longest: dict[str, tuple[str, array[int], array[float]]] = {}
        for (device, unit), (ts, values) in self._columns.items():
            if device not in longest or len(ts) > len(longest[device][1]):
                longest[device] = (unit, ts, values)
        return [_sorted(SeriesKey(tenant, device, metric), *columns) for device, columns in sorted(longest.items())]


def _sorted(series: SeriesKey, unit: str, ts: "array[int]", values: "array[float]") -> RawSeries:
    times = np.array(ts, dtype=np.int64)
    order = np.argsort(times, kind="stable")
    return RawSeries(series=series, unit=unit, ts=times[order], values=np.array(values, dtype=np.float64)[order])


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
