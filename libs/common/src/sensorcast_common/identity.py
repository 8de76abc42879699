"""Time-ordered identifiers (UUID version 7, RFC 9562)."""

import hashlib
from typing import Final
from uuid import UUID

import uuid_utils

_RANDOM_BITS: Final = (1 << 80) - 1
_VERSION: Final = 0x7 << 76
_VARIANT: Final = 0b10 << 62
_KEPT: Final = _RANDOM_BITS ^ (0xF << 76) ^ (0b11 << 62)


def new_id() -> str:
    """A new identifier that sorts by the time it was made."""
    return str(uuid_utils.uuid7())


def id_about(millis: int, *what: str) -> str:
    """An identifier that sorts by a time and is the same whoever makes it, in place of a random one.

    Args:
        millis: Milliseconds since 1970 UTC.
        what: What it identifies, besides the time.
    """
    digest = hashlib.sha256("\x00".join(what).encode()).digest()
    low = int.from_bytes(digest[:10], "big") & _KEPT
    return str(UUID(int=(millis << 80) | low | _VERSION | _VARIANT))


def first_id_at(millis: int) -> str:
    """Not after any identifier that was made at or after a time, in milliseconds since 1970 UTC."""
    return str(UUID(int=(max(0, millis) << 80) | _VERSION | _VARIANT))
