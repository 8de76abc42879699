"""DuckDB over the lake: one query at a time, in a thread of its own, bounded in memory."""

import threading
from collections import OrderedDict
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

import duckdb

from sensorcast_local.command import LOOPBACK
from sensorcast_local.emulator.athena_sql import FUNCTIONS, text, type_name

EXTENSIONS = ("avro", "httpfs", "iceberg")
MEMORY_LIMIT = "256MB"
KEPT_CONNECTIONS = 4

Table = tuple[str, str, str]
"""Catalog, database and name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What to run.

    Args:
        id: For `cancel`.
        sql: With parameters already bound.
        account: AWS account that asks; it is what S3 is read with.
        region: AWS Region.
        tables: Location of the current metadata of every lake table the query may name.
        catalog: Catalog of unqualified names; `None` for none.
        database: Database of unqualified names; `None` for none.
    """

    id: str
    sql: str
    account: str
    region: str
    tables: Mapping[Table, str]
    catalog: str | None = None
    database: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Columns and rows as Athena writes them; a NULL is `None`."""

    columns: list[str]
    types: list[str]
    rows: list[list[str | None]]


@dataclass(slots=True)
class _Session:
    connection: duckdb.DuckDBPyConnection
    views: dict[Table, str] = field(default_factory=dict)


class Engine:
    """Runs queries one after the other.

    Args:
        port: Port of the emulator itself, where the lake's files are.
    """

    def __init__(self, *, port: int) -> None:
        self._port = port
        self._sessions: OrderedDict[tuple[str, str], _Session] = OrderedDict()
        self._lock = threading.Lock()
        self._running: tuple[str, duckdb.DuckDBPyConnection] | None = None
        self.executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="athena")

    def run(self, query: Query) -> Result:
        """Run a query; call it in `executor`.

        Raises:
            duckdb.Error: It failed, or was cancelled.
        """
        session = self._session(query)
        connection = session.connection
        with self._lock:
            self._running = (query.id, connection)
        try:
            _show(session, query)
            cursor = connection.execute(query.sql)
            description = cursor.description or []
            return Result(
                columns=[column[0] for column in description],
                types=[type_name(column[1]) for column in description],
                rows=[[text(value) for value in row] for row in cursor.fetchall()] if description else [],
            )
        finally:
            with self._lock:
                self._running = None

    def cancel(self, query_id: str) -> None:
        """Interrupt a query if it is the one that runs."""
        with self._lock:
            if self._running is not None and self._running[0] == query_id:
                self._running[1].interrupt()

    def _session(self, query: Query) -> _Session:
        key = (query.account, query.region)
        session = self._sessions.pop(key, None) or _Session(self._connect(query))
        self._sessions[key] = session
        if len(self._sessions) > KEPT_CONNECTIONS:
            _, oldest = self._sessions.popitem(last=False)
            oldest.connection.close()
        return session

    def _connect(self, query: Query) -> duckdb.DuckDBPyConnection:
        connection = duckdb.connect(
            ":memory:",
            config={
                "threads": 1,
                "memory_limit": MEMORY_LIMIT,
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
            },
        )
        for extension in EXTENSIONS:
            connection.load_extension(str(_extension_file(extension)))
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET integer_division = true")
        connection.execute(
            f"CREATE SECRET (TYPE s3, KEY_ID '{query.account}', SECRET 'local', REGION '{query.region}',"
            f" ENDPOINT '{LOOPBACK}:{self._port}', URL_STYLE 'path', USE_SSL false)"
        )
        for function in FUNCTIONS:
            connection.execute(f"CREATE TEMP MACRO {function}")
        connection.execute("SET disabled_filesystems = 'LocalFileSystem'")
        return connection


def _extension_file(name: str) -> Path:
    """Where the package duckdb-extension-{name} has put its one file."""
    package = import_module(f"duckdb_extension_{name}")
    version = duckdb.__version__
    return Path(package.__path__[0]) / "extensions" / f"v{version}" / f"{name}.duckdb_extension"


def _show(session: _Session, query: Query) -> None:
    """Let each table's view stand for its current snapshot, and names without a catalog mean what they should."""
    connection = session.connection
    for table, location in query.tables.items():
        if session.views.get(table) == location:
            continue
        catalog, database, name = (_identifier(part) for part in table)
        connection.execute(f"ATTACH IF NOT EXISTS ':memory:' AS {catalog}")
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {catalog}.{database}")
        connection.execute(
            f"CREATE OR REPLACE VIEW {catalog}.{database}.{name} AS SELECT * FROM iceberg_scan('{location}')"  # noqa: S608 - a view takes no parameters
        )
        session.views[table] = location
    if query.catalog is not None:
        path = [query.catalog, *([query.database] if query.database else [])]
        connection.execute(f"USE {'.'.join(_identifier(part) for part in path)}")
    else:
        connection.execute("USE memory")


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
