"""Times: milliseconds since 1970 UTC inside, RFC 3339 in UTC outside."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, PlainSerializer

Clock = Callable[[], int]
"""Returns the present as milliseconds since 1970 UTC; passed in wherever a decision depends on the time."""


def system_clock() -> int:
    """The machine's time in milliseconds since 1970 UTC."""
    return int(datetime.now(UTC).timestamp() * 1000)


def from_millis(millis: int) -> datetime:
    """An aware UTC datetime for milliseconds since 1970."""
    return datetime.fromtimestamp(millis / 1000, UTC)


def to_millis(moment: datetime) -> int:
    """Milliseconds since 1970 for an aware datetime."""
    return round(moment.timestamp() * 1000)


def rfc3339(moment: datetime) -> str:
    """RFC 3339 in UTC with milliseconds and `Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


UtcDatetime = Annotated[
    AwareDatetime,
    AfterValidator(lambda moment: moment.astimezone(UTC)),
    PlainSerializer(rfc3339, return_type=str, when_used="json"),
]
"""A pydantic field type: any RFC 3339 time with an offset, kept in UTC, written with `Z`."""
