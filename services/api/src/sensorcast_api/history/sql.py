"""Questions as Athena's SQL: what a caller sent is bound as parameters, and the range of `ts` prunes partitions.

Athena takes parameters in the WHERE clause only; what stands elsewhere are words and numbers of our own.

A reading that came twice counts once: of one series and time the value received last stays, as in the hot store.

Mean kinetic temperature: T = (dH/R) / -ln(mean(exp(-dH / (R Ti)))), Ti in kelvin, with the customary activation energy
of 83.144 kJ/mol, so that dH/R is 10,000 K (J. D. Haynes, J. Pharm. Sci. 60 (1971) 927; USP <1079.2>).

Sources: Athena's "Use parameterized queries", Trino's aggregate and window functions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sensorcast_api.history.question import STANDS_MS, Bounds, Bucket, Question, RowKey
from sensorcast_common.names import is_name

ACTIVATION_K: Final = 10_000.0
"""Activation energy over the gas constant."""

ZERO_CELSIUS_K: Final = 273.15

_ONCE: Final = """once AS (
  SELECT device, metric, unit, ts, max_by(value, received_at) AS value
  FROM {table}
  WHERE {where}
  GROUP BY device, metric, unit, ts
)"""
_MILLIS: Final = "CAST(round(to_unixtime({}) * 1000) AS bigint)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What is sent to Athena.

    Attributes:
        sql: With a `?` for each parameter.
        parameters: SQL literals.
    """

    sql: str
    parameters: tuple[str, ...]


def text_literal(text: str) -> str:
    """A name as a SQL literal.

    Raises:
        ValueError: It is not a name; nothing else is ever sent.
    """
    if not is_name(text):
        raise ValueError(f"{text[:64]!r} is not a name")
    return f"'{text}'"


def time_literal(ts: int) -> str:
    """A time (ms) as a SQL literal."""
    moment = datetime.fromtimestamp(ts / 1000, UTC)
    return f"TIMESTAMP '{moment:%Y-%m-%d %H:%M:%S}.{ts % 1000:03d} UTC'"


def rows(question: Question, *, table: str, after: RowKey | None = None, limit: int | None = None) -> Statement:
    """Every reading once, by device, metric, time and unit.

    Columns: device, metric, ms, unit, value.

    Args:
        question: What is asked.
        table: The qualified table.
        after: Only what comes after this row.
        limit: At most so many rows.
    """
    where, parameters = _where(question)
    beyond = ""
    if after is not None:
        beyond = (
            "WHERE device > ? OR (device = ? AND (metric > ? OR (metric = ? AND (ts > ? OR (ts = ? AND unit > ?)))))\n"
        )
        device, metric, ts = text_literal(after.device), text_literal(after.metric), time_literal(after.ts)
        # A unit is one of SenML's, which have no quote; doubling it holds for any.
        unit = "'" + after.unit.replace("'", "''") + "'"
        parameters += [device, device, metric, metric, ts, ts, unit]
    sql = (
        f"WITH {_ONCE.format(table=table, where=where)}\n"
        f"SELECT device, metric, {_MILLIS.format('ts')} AS ms, unit, value FROM once\n"
        f"{beyond}ORDER BY device, metric, ts, unit"
    )
    return Statement(sql=sql + (f"\nLIMIT {limit:d}" if limit is not None else ""), parameters=tuple(parameters))


def aggregates(question: Question, *, table: str, bucket: Bucket, bounds: Bounds) -> Statement:
    """One row per series and bucket.

    Columns: device, metric, ms, unit, count, min, max, mean, p05, p50, p95, inside, mkt.

    A reading stands until the next one of its series, for `STANDS_MS` and to the end of its bucket at most; `inside`
    weighs by that, so that a bucket's figures depend on nothing outside of it.
    """
    where, parameters = _where(question)
    begin = f"date_trunc('{bucket.value}', ts)"
    inside = "CAST(NULL AS double)"
    if bounds != Bounds():
        tests = [f"value >= {_number(bounds.low)}"] if bounds.low is not None else []
        tests += [f"value <= {_number(bounds.high)}"] if bounds.high is not None else []
        inside = f"CAST(sum(CASE WHEN {' AND '.join(tests)} THEN stands ELSE 0 END) AS double) / nullif(sum(stands), 0)"
    sql = f"""WITH {_ONCE.format(table=table, where=where)},
timed AS (
  SELECT device, metric, unit, value, ts, {_MILLIS.format(begin)} AS ms FROM once
),
standing AS (
  SELECT device, metric, unit, value, ms, least(
    coalesce({_MILLIS.format("lead(ts) OVER (PARTITION BY device, metric, unit, ms ORDER BY ts)")},
      ms + {bucket.millis:d}) - {_MILLIS.format("ts")}, {STANDS_MS:d}) AS stands,
    CASE unit WHEN 'Cel' THEN value + {ZERO_CELSIUS_K} WHEN 'K' THEN value END AS kelvin
  FROM timed
)
SELECT device, metric, ms, unit, count(*), min(value), max(value), avg(value),
  approx_percentile(value, 0.05), approx_percentile(value, 0.5), approx_percentile(value, 0.95),
  {inside},
  {ACTIVATION_K} / -ln(avg(CASE WHEN kelvin > 0 THEN exp(-{ACTIVATION_K} / kelvin) END))
    - CASE unit WHEN 'Cel' THEN {ZERO_CELSIUS_K} ELSE 0 END
FROM standing
GROUP BY device, metric, ms, unit
ORDER BY device, metric, ms, unit"""  # noqa: S608 - no caller's text
    return Statement(sql=sql, parameters=tuple(parameters))


def _where(question: Question) -> tuple[str, list[str]]:
    where = (
        f"tenant = ? AND device IN ({_places(question.devices)}) AND metric IN ({_places(question.metrics)})"
        " AND ts >= ? AND ts < ?"
    )
    names = [question.tenant, *question.devices, *question.metrics]
    parameters = [text_literal(name) for name in names] + [time_literal(question.start), time_literal(question.end)]
    return where, parameters


def _places(names: Sequence[str]) -> str:
    return ", ".join("?" for _ in names)


def _number(value: float) -> str:
    """A float as a literal of type double."""
    return f"{value:.17e}"
