"""Why a payload was not accepted."""

from enum import StrEnum
from typing import Final

_SHOWN: Final = 80


class Reason(StrEnum):
    """Stable codes: they are metric labels and what people search the quarantine for."""

    BAD_TOPIC = "bad_topic"
    EMPTY = "empty"
    TOO_LARGE = "too_large"
    TOO_MANY_READINGS = "too_many_readings"
    NOT_UTF8 = "not_utf8"
    NOT_JSON = "not_json"
    NOT_CBOR = "not_cbor"
    BAD_SHAPE = "bad_shape"
    DUPLICATE_FIELD = "duplicate_field"
    UNKNOWN_FIELD = "unknown_field"
    MISSING_FIELD = "missing_field"
    FOREIGN_DEVICE = "foreign_device"
    BAD_NAME = "bad_name"
    NOT_A_NUMBER = "not_a_number"
    NOT_FINITE = "not_finite"
    UNSUPPORTED_VALUE = "unsupported_value"
    UNSUPPORTED_VERSION = "unsupported_version"
    MISSING_UNIT = "missing_unit"
    UNKNOWN_UNIT = "unknown_unit"
    BAD_TIME = "bad_time"
    FUTURE_TIME = "future_time"
    BEFORE_2000 = "before_2000"


class PayloadRejected(Exception):  # noqa: N818 - a verdict on the payload, not a fault
    """The payload holds no set of readings that could be stored.

    Args:
        reason_code: Which rule it broke.
        detail: The field and what was wrong with it, for a person; bounded in length.
    """

    def __init__(self, reason_code: Reason, detail: str) -> None:
        super().__init__(f"{reason_code}: {detail}")
        self.reason_code = reason_code
        self.detail = detail


def shown(value: object) -> str:
    """A value as it appears in a detail: never longer than a line."""
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > 256:
        return f"an integer of {value.bit_length()} bits"
    text = repr(value[:_SHOWN]) if isinstance(value, str | bytes) else repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
