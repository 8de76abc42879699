"""Cursors: opaque to clients, checked when they come back.

A cursor is base64url of JSON: which list it belongs to and the position in it. It is not signed, because it holds no
authority: the tenant comes from the credential, and a position is only ever looked up inside that tenant's items.
"""

import base64
import binascii
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Final, Generic, TypeVar

from fastapi import Query
from pydantic import BaseModel, Field, ValidationError

from sensorcast_api.problems import invalid

_MAX_LENGTH: Final = 1024
_VERSION: Final = 1

ItemT = TypeVar("ItemT")

Cursor = Annotated[
    str | None, Query(max_length=_MAX_LENGTH, description="`next_cursor` of the page before, or nothing for the first.")
]
PageLimit = Annotated[int, Query(ge=1, le=200, description="Items a page holds at most.")]


class Page(BaseModel, Generic[ItemT]):
    """One page of a list.

    Attributes:
        items: In the order of the list.
        next_cursor: Asks for the next page; null on the last one.
    """

    items: Sequence[ItemT]
    next_cursor: str | None = Field(default=None)


@contextmanager
def refusing_cursor(position: str | None) -> Iterator[None]:
    """Turn a store's complaint about a position that a client sent into a problem; other failures stay ours."""
    try:
        yield
    except ValueError as error:
        if position is None or isinstance(error, ValidationError):
            raise
        raise invalid("query", "cursor", "not a cursor of this list") from error


def encode(listing: str, position: str) -> str:
    """A cursor for `position` in the list that is called `listing`."""
    raw = json.dumps({"v": _VERSION, "of": listing, "at": position}, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def decode(listing: str, cursor: str | None) -> str | None:
    """The position in a cursor, `None` for the first page.

    Raises:
        ProblemError: It is not a cursor, or one of another list.
    """
    if cursor is None:
        return None
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        loaded: object = json.loads(raw)
    except (binascii.Error, ValueError, RecursionError) as error:
        raise invalid("query", "cursor", "not a cursor of this list") from error
    if not isinstance(loaded, dict) or loaded.get("v") != _VERSION or loaded.get("of") != listing:
        raise invalid("query", "cursor", "not a cursor of this list")
    position = loaded.get("at")
    if not isinstance(position, str) or not position:
        raise invalid("query", "cursor", "not a cursor of this list")
    return position
