"""The place in a trace as text, the way it travels and is stored: W3C Trace Context, the header `traceparent`.

`00-{32 hex digits of the trace}-{16 of the span}-{flags}`; the lowest bit of the flags says that the trace is recorded.
"""

import re
from typing import Final

TRACEPARENT: Final = "traceparent"
"""Name of the message attribute, and of the user property of an MQTT message."""

_FORM: Final = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_PACKED_BYTES: Final = 24
_SAMPLED: Final = 1


def is_sampled(text: object) -> bool:
    """Whether this is a traceparent, and its trace is recorded."""
    return isinstance(text, str) and _FORM.fullmatch(text) is not None and bool(int(text[-2:], 16) & _SAMPLED)


def packed(text: str) -> bytes:
    """Trace and span of a recorded trace in 24 bytes, for where bytes are the bill.

    Raises:
        ValueError: It is no traceparent.
    """
    if _FORM.fullmatch(text) is None:
        raise ValueError(f"traceparent: {text[:64]!r} is none")
    return bytes.fromhex(text[3:35] + text[36:52])


def unpacked(data: bytes) -> str | None:
    """The traceparent of what `packed` gave; `None` where the bytes are something else."""
    if len(data) != _PACKED_BYTES:
        return None
    text = f"00-{data[:16].hex()}-{data[16:].hex()}-01"
    return text if _FORM.fullmatch(text) else None
