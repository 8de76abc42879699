"""A payload that could not be accepted, as ingest sets it aside and the API shows it."""

import base64
import binascii
import hashlib
from typing import Annotated, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

from sensorcast_common.clock import UtcDatetime, to_millis
from sensorcast_common.names import ReadingsTopic, is_name

NOBODY: Final = "-"
"""Stands for the tenant where the topic names none; no tenant is called so."""

_MILLIS_DIGITS: Final = 13
_HASH_DIGITS: Final = 16


def _decoded(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return base64.b64decode(value, validate=True)
    except binascii.Error as error:
        raise ValueError("not base64") from error


def _encoded(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")


class Quarantined(BaseModel):
    """One message that could not be accepted.

    Attributes:
        reason: A stable code, see `payload.rejected.Reason`.
        detail: What is wrong, for people.
        topic: Where it was published.
        received_at: When it was received.
        redelivered: Whether the broker marked it as sent before.
        payload: Its bytes; only the first of them where `truncated`.
        size: Of the whole payload.
        sha256: Of the whole payload, in hexadecimal digits.
        truncated: Whether bytes, or characters of the topic, are missing.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    reason: str
    detail: str
    topic: str
    received_at: UtcDatetime
    redelivered: bool = False
    payload: Annotated[bytes, BeforeValidator(_decoded), PlainSerializer(_encoded, when_used="json")]
    size: int = Field(ge=0)
    sha256: str
    truncated: bool = False

    @property
    def message_id(self) -> str:
        """The same for the same message, however often a queue delivers it; sorts by time of receipt."""
        digest = hashlib.sha256(f"{self.topic}\n{self.sha256}".encode()).hexdigest()
        return f"{to_millis(self.received_at):0{_MILLIS_DIGITS}d}-{digest[:_HASH_DIGITS]}"

    @property
    def tenant(self) -> str:
        """Whose message, as far as the topic tells; else `NOBODY`."""
        parts = self.topic.split("/")
        return parts[1] if len(parts) > 1 and parts[0] == "dt" and is_name(parts[1]) else NOBODY

    @property
    def source(self) -> ReadingsTopic | None:
        """Tenant and device of a topic that carries readings; `None` for any other topic."""
        try:
            return ReadingsTopic.parse(self.topic)
        except ValueError:
            return None
