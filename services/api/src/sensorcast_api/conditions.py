"""Versions as strong ETags: which version a write is meant for (RFC 9110, section 13.1.1)."""

import re
from typing import Final

from sensorcast_api.problems import ProblemError, invalid

_ETAG: Final = re.compile(r'"(0|[1-9][0-9]{0,8})"')


IF_MATCH_PATTERN: Final = r'^\s*(\*|"(0|[1-9][0-9]{0,8})")\s*$'
"""What `version_of` understands, for the OpenAPI document."""


def etag(version: int) -> str:
    """The ETag of a version."""
    return f'"{version}"'


def version_of(if_match: str | None) -> int | None:
    """The version that a write is meant for, `None` where it may be any.

    Raises:
        ProblemError: 422 where the header is no ETag of ours.
    """
    if if_match is None or if_match.strip() == "*":
        return None
    matched = _ETAG.fullmatch(if_match.strip())
    if matched is None:
        raise invalid("header", "If-Match", 'one ETag of this resource, such as "3", in quotation marks')
    return int(matched[1])


def conflict(what: str, version: int) -> ProblemError:
    """The problem of a write that is meant for another version than the one in force."""
    return ProblemError(
        412, f"The {what} is at version {version}.", kind="version-conflict", headers={"ETag": etag(version)}
    )
