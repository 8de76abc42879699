"""When a reading was taken: RFC 3339, seconds or milliseconds since 1970, or SenML's relative times."""

import re
from datetime import UTC, datetime
from typing import Final

from sensorcast_common.payload.rejected import PayloadRejected, Reason, shown

AHEAD_MS: Final = 5 * 60 * 1000
"""How far a device's clock may run ahead of ours."""

YEAR_2000: Final = 946_684_800_000
"""2000-01-01T00:00:00Z in milliseconds: earlier times are those of a clock that was never set."""

_MILLIS_FROM: Final = 1e11
"""Numbers from here on are milliseconds: as milliseconds this is 1973, as seconds it is the year 5138."""

_RELATIVE_BELOW: Final = 2**28
"""SenML times below this many seconds are relative to now (RFC 8428, section 4.5.3)."""

_RFC_3339: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:)(\d\d)(\.\d{1,12})?([Zz]|[+-]\d\d:\d\d)",
    re.ASCII,
)


def plausible(millis: int, received_at: int) -> int:
    """Check a time against the receipt.

    Raises:
        PayloadRejected: `future_time` or `before_2000`.
    """
    if millis > received_at + AHEAD_MS:
        raise PayloadRejected(Reason.FUTURE_TIME, f"ts: {_readable(millis)} is more than 5 minutes ahead")
    if millis < YEAR_2000:
        raise PayloadRejected(Reason.BEFORE_2000, f"ts: {_readable(millis)} is before 2000")
    return millis


def plain_time(sent: object, received_at: int) -> int:
    """Milliseconds for the `ts` of a plain payload.

    Raises:
        PayloadRejected: `bad_time`, `not_finite`, `future_time` or `before_2000`.
    """
    if type(sent) is int or type(sent) is float:
        if not -1e18 < sent < 1e18:
            raise PayloadRejected(Reason.BAD_TIME, f"ts: {shown(sent)} is not a time")
        millis = round(sent) if abs(sent) >= _MILLIS_FROM else round(sent * 1000)
    elif type(sent) is str:
        millis = _from_rfc3339(sent)
    else:
        raise PayloadRejected(Reason.BAD_TIME, f"ts: {shown(sent)} is neither RFC 3339 text nor a number")
    return plausible(millis, received_at)


def senml_time(seconds: float, received_at: int) -> tuple[int, bool]:
    """Milliseconds for a resolved SenML time, and whether it is relative to the receipt.

    Raises:
        PayloadRejected: `future_time` or `before_2000`.
    """
    if not -1e18 < seconds < 1e18:
        raise PayloadRejected(Reason.BAD_TIME, f"t: {shown(seconds)} is not a time")
    relative = seconds < _RELATIVE_BELOW
    millis = round(seconds * 1000)
    return plausible(received_at + millis if relative else millis, received_at), relative


def _from_rfc3339(text: str) -> int:
    found = _RFC_3339.fullmatch(text)
    if found is None:
        raise PayloadRejected(Reason.BAD_TIME, f"ts: {shown(text)} is not RFC 3339 with an offset")
    day, clock, second, fraction, offset = found.groups()
    leap = second == "60"
    moment = f"{day}T{clock}{'59' if leap else second}{(fraction or '')[:7]}{offset.upper()}"
    try:
        millis = round(datetime.fromisoformat(moment).timestamp() * 1000)
    except (ValueError, OverflowError) as error:
        raise PayloadRejected(Reason.BAD_TIME, f"ts: {shown(text)}: {error}") from error
    return millis + 1000 if leap else millis


def _readable(millis: int) -> str:
    try:
        return datetime.fromtimestamp(millis / 1000, UTC).isoformat(timespec="seconds")
    except (ValueError, OverflowError, OSError):
        return f"{millis} ms"
