"""Athena's SQL, as far as DuckDB does not speak it already: bound parameters, functions, and how values are written.

Sources: Athena's StartQueryExecution (`ExecutionParameters` are SQL literals, put in the place of each `?`), Trino's
functions (https://trino.io/docs/current/functions.html), DuckDB's macros.
"""

import datetime
import math
import re
from collections.abc import Sequence

FUNCTIONS = (
    "approx_distinct(x) AS approx_count_distinct(x)",
    "approx_percentile(x, p) AS approx_quantile(x, p)",
    "bitwise_and(x, y) AS x & y",
    "bitwise_or(x, y) AS x | y",
    "cardinality(x) AS len(x)",
    "date_add(unit, n, x) AS x + n * CAST('1 ' || unit AS INTERVAL)",
    "date_diff(unit, x, y) AS date_sub(unit, x, y)",  # Trino counts whole units, DuckDB's date_diff borders crossed
    "date_format(x, f) AS strftime(x, replace(replace(replace(f, '%M', '%B'), '%i', '%M'), '%s', '%S'))",
    "from_iso8601_timestamp(x) AS CAST(x AS TIMESTAMPTZ)",
    "from_unixtime(x) AS to_timestamp(x)",
    "infinity() AS CAST('Infinity' AS DOUBLE)",
    "is_finite(x) AS isfinite(x)",
    "is_infinite(x) AS isinf(x)",
    "is_nan(x) AS isnan(x)",
    "nan() AS CAST('NaN' AS DOUBLE)",
    "regexp_like(x, p) AS regexp_matches(x, p)",
    "to_iso8601(x) AS strftime(x, '%Y-%m-%dT%H:%M:%S.%gZ')",
    "to_unixtime(x) AS epoch(x)",
    "with_timezone(x, zone) AS timezone(zone, x)",
)
"""Trino's functions that DuckDB lacks or means differently, as DuckDB macros."""

_TOKEN = re.compile(
    r"""(?P<kept> '(?:[^']|'')*' | "(?:[^"]|"")*" | --[^\n]* | /\*.*?\*/ )|(?P<parameter>\?)""", re.VERBOSE | re.DOTALL
)
_LITERAL = re.compile(
    r"""\s*(?: (?:(?:DATE|TIME|TIMESTAMP|DECIMAL)\s*)? '(?:[^']|'')*'
          | [+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:E[+-]?\d+)?
          | TRUE | FALSE | NULL )\s*""",
    re.VERBOSE | re.IGNORECASE,
)
_TYPES = {
    "BIGINT": "bigint",
    "BLOB": "varbinary",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "DECIMAL": "decimal",
    "DOUBLE": "double",
    "FLOAT": "float",
    "HUGEINT": "bigint",
    "INTEGER": "integer",
    "SMALLINT": "smallint",
    "TIME": "time",
    "TIMESTAMP": "timestamp",
    "TIMESTAMP WITH TIME ZONE": "timestamp with time zone",
    "TINYINT": "tinyint",
}


def bind(sql: str, parameters: Sequence[str]) -> str:
    """Put each parameter's text in the place of the next `?` that stands for itself.

    Raises:
        ValueError: There are more or fewer of them than places, or one is not a literal.
    """
    for position, parameter in enumerate(parameters, start=1):
        if _LITERAL.fullmatch(parameter) is None:
            raise ValueError(f"SYNTAX_ERROR: execution parameter {position} is not a literal: {parameter!r}")
    places = sum(1 for match in _TOKEN.finditer(sql) if match["parameter"])
    if places != len(parameters):
        raise ValueError(
            f"INVALID_PARAMETER_USAGE: Incorrect number of parameters: expected {places} but found {len(parameters)}"
        )
    rest = iter(parameters)
    return _TOKEN.sub(lambda match: next(rest) if match["parameter"] else match[0], sql)


def type_name(duckdb_type: object) -> str:
    """Athena's name of a column's type."""
    text = str(duckdb_type).upper()
    if text.endswith("[]"):
        return "array"
    return _TYPES.get(text.split("(", maxsplit=1)[0], "varchar")


def text(value: object) -> str | None:
    """A value as Athena writes it in a result; `None` for NULL."""
    match value:
        case None:
            return None
        case bool():
            return str(value).lower()
        case float() if not math.isfinite(value):
            return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
        case datetime.datetime() if value.tzinfo is not None:
            return value.astimezone(datetime.UTC).strftime("%Y-%m-%d %H:%M:%S.%f UTC")
        case datetime.datetime():
            return value.strftime("%Y-%m-%d %H:%M:%S.%f")
        case bytes():
            return value.hex(" ")
    return str(value)
