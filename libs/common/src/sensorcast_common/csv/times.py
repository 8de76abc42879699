"""Times as they stand in CSV files: RFC 3339 and its relatives, day first with dots, epoch seconds or milliseconds."""

from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sensorcast_common.clock import to_millis
from sensorcast_common.csv.fault import CsvFault

MILLIS_FROM: Final = 1e11
"""Numbers from here on are milliseconds, as in MQTT payloads."""

DAY_FIRST: Final = ("%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S.%f")

ParseTime = Callable[[str], int]
"""Milliseconds since 1970 UTC for a cell; raises ValueError."""


def zone(name: str) -> tzinfo:
    """The time zone of times that name none.

    Raises:
        CsvFault: There is no such zone.
    """
    if name.upper() == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise CsvFault(f"--time-zone: {name!r} is not a zone such as UTC or Europe/Berlin") from error


def time_parser(local: tzinfo, *, form: str | None = None) -> ParseTime:
    """How to read a cell.

    Args:
        local: Zone of times that name none.
        form: A format of `strptime`; `None` takes all of the forms above.
    """

    def in_form(text: str) -> int:
        return _millis(datetime.strptime(text.strip(), form or ""), local)  # noqa: DTZ007 - `_millis` adds the zone

    def in_any_form(text: str) -> int:
        text = text.strip()
        try:
            number = float(text)
        except ValueError:
            return _millis(_written(text), local)
        if not 0 <= number < 1e15:
            raise ValueError(f"{text!r} is not a time")
        return round(number if number >= MILLIS_FROM else number * 1000)

    return in_form if form else in_any_form


def _written(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    for form in DAY_FIRST:
        try:
            return datetime.strptime(text, form)  # noqa: DTZ007 - `_millis` adds the zone
        except ValueError:
            continue
    raise ValueError(f"{text!r} is not a time")


def _millis(moment: datetime, local: tzinfo) -> int:
    return to_millis(moment if moment.tzinfo is not None else moment.replace(tzinfo=local))
