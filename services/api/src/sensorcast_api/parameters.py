"""What may stand in a path and a query, checked in one place."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Final

from fastapi import Path, Query
from pydantic import AfterValidator, BeforeValidator, StringConstraints

from sensorcast_api.problems import invalid
from sensorcast_common.clock import UtcDatetime
from sensorcast_common.names import is_name

_RFC3339: Final = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})")
_EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(2100, 1, 1, tzinfo=UTC)

NAME_PATTERN: Final = "^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$"
"""The same rule as `names.is_name`, for the OpenAPI document."""


def _name(text: str) -> str:
    if not is_name(text):
        raise ValueError("1 to 64 letters, digits, '_', '.', ':' or '-', the first a letter or digit")
    return text


def _only_rfc3339(value: object) -> object:
    if isinstance(value, str) and not _RFC3339.fullmatch(value):
        raise ValueError("an RFC 3339 time such as 2026-01-31T08:15:00Z (write '+' in an offset as %2B)")
    return value


def _in_our_time(moment: datetime) -> datetime:
    if not _EARLIEST <= moment < _LATEST:
        raise ValueError("a time from 2000 to 2099")
    return moment


Name = Annotated[str, AfterValidator(_name)]
"""A device or metric name."""

Time = Annotated[UtcDatetime, BeforeValidator(_only_rfc3339), AfterValidator(_in_our_time)]
"""An RFC 3339 time in any offset, used in UTC."""

DevicePath = Annotated[
    Name, Path(description="The device's name.", examples=["truck-7"], json_schema_extra={"pattern": NAME_PATTERN})
]
MetricQuery = Annotated[
    Name, Query(description="The metric's name.", examples=["temperature"], json_schema_extra={"pattern": NAME_PATTERN})
]

LabelQuery = Annotated[
    list[Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,31}:[^\x00-\x1f\x7f]{1,64}$")]],
    Query(
        max_length=8,
        description="Only devices with this label, written `name:value`; several must all be there.",
        examples=[["site:north"]],
    ),
]


def wanted_labels(texts: Sequence[str]) -> dict[str, str]:
    """The labels of a query, by name.

    Raises:
        ProblemError: 422 where one name has two values, which no device has.
    """
    labels: dict[str, str] = {}
    for text in texts:
        name, _, value = text.partition(":")
        if labels.setdefault(name, value) != value:
            raise invalid("query", "label", f"{name}: two values; a device has one")
    return labels
