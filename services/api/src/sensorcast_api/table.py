"""A list, or several series, as CSV (RFC 4180), for those who ask for `text/csv`. No I/O."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Final

from sensorcast_api.encoding import qualities

MEDIA_TYPE: Final = "text/csv"
ROWS: Final = ("items", "readings", "metrics")
"""Where an answer holds its rows."""

PARTS: Final = ("readings", "buckets")
"""Where each of several series holds them."""

_SERIES: Final = ("device", "metric", "unit")
"""Said once for a series, and in each row of a table."""

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def wanted(accept: str) -> bool:
    """Tell whether a client would rather have a table than JSON."""
    if MEDIA_TYPE not in accept.lower():
        return False
    weights = qualities(accept)
    other = max(weights.get(name, 0.0) for name in ("application/json", "application/*", "*/*"))
    table = weights.get(MEDIA_TYPE, 0.0)
    # A browser's */* at the same weight is not a wish for JSON.
    return table > 0 and (table >= other if "application/json" not in weights else table > other)


def as_csv(page: object) -> tuple[str, str | None] | None:
    """The rows of a page and its next cursor; `None` where it has none.

    Nested fields become columns with dots in their names, lists are written as JSON. A text that a spreadsheet would
    take for a formula gets an apostrophe before it (CWE-1236).
    """
    if not isinstance(page, Mapping):
        return None
    every = page.get("series")
    found = [_rows(each, PARTS) for each in every] if isinstance(every, list) else [_rows(page, ROWS)]
    if None in found:
        return None
    rows = [row for part in found for row in part or ()]
    columns = list(dict.fromkeys(column for row in rows for column in row)) or _shared(page)
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, restval="")
    writer.writeheader()
    writer.writerows({column: _cell(value) for column, value in row.items()} for row in rows)
    cursor = page.get("next_cursor")
    return out.getvalue(), cursor if isinstance(cursor, str) else None


def _rows(part: Mapping[str, object], names: Sequence[str]) -> list[dict[str, object]] | None:
    """The rows of a page or of one series, each with what is said of all."""
    rows = next((rows for name in names if isinstance(rows := part.get(name), list)), None)
    if rows is None:
        return None
    shared: dict[str, object] = {key: part[key] for key in _shared(part)}
    return [shared | _flat(row) for row in rows if isinstance(row, Mapping)]


def _shared(part: Mapping[str, object]) -> list[str]:
    return [key for key in _SERIES if isinstance(part.get(key), str)]


def _flat(row: Mapping[str, object], prefix: str = "") -> dict[str, object]:
    flat: dict[str, object] = {}
    for key, value in row.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = value
    return flat


def _cell(value: object) -> object:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
