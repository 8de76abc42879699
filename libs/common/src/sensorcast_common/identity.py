"""Time-ordered identifiers (UUID version 7, RFC 9562)."""

import uuid_utils


def new_id() -> str:
    """A new identifier that sorts by the time it was made."""
    return str(uuid_utils.uuid7())
