"""The outer form of every message between services: a readable header and a compressed body.

A message is JSON text, because SQS and SNS carry text, with the body as base64 of zstd. The header tells kind and
version without unpacking, so that a consumer sets aside what it does not know instead of guessing.
"""

import base64
import binascii
from typing import Final

import zstandard
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sensorcast_common.errors import Poison
from sensorcast_common.invalid import first_problem

MAX_UNPACKED: Final = 8 * 1024 * 1024
"""Bytes a body may unpack to; a well-formed 64 KiB message stays far below, a decompression bomb does not."""

_compressor = zstandard.ZstdCompressor(level=3)


class Envelope(BaseModel):
    """Header and packed body.

    Attributes:
        kind: What the body holds: `readings` or `forecasts`.
        schema_version: The body's version; each kind counts its own.
        batch_id: A time-ordered UUID (RFC 9562, version 7): the identity under which stores drop repeats.
        created_at: When the producer made it, in milliseconds since 1970 UTC.
        count: How many items the body holds.
        body: base64 of zstd of the bytes that `kind` and `schema_version` describe.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str = Field(max_length=32)
    schema_version: int = Field(ge=1)
    batch_id: str = Field(min_length=1, max_length=64)
    created_at: int = Field(ge=0)
    count: int = Field(ge=0)
    body: str

    @classmethod
    def parse(cls, text: str | bytes) -> "Envelope":
        """Read the header.

        Raises:
            Poison: The text is not an envelope; the reason names the field.
        """
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            raise Poison(first_problem(error)) from error

    def text(self) -> str:
        """The message as it is sent."""
        return self.model_dump_json()

    def expect(self, kind: str, *versions: int) -> None:
        """Check kind and version before the body is read.

        Raises:
            Poison: The message is of another kind, or of a version that this code does not know.
        """
        if self.kind != kind:
            raise Poison(f"kind: expected {kind!r}, got {self.kind!r}")
        if self.schema_version not in versions:
            raise Poison(f"schema_version: {self.schema_version} of {kind!r} is unknown here, known: {versions}")

    def unpacked(self) -> bytes:
        """The body's bytes.

        Raises:
            Poison: The body is not base64 of zstd, or unpacks to more than `MAX_UNPACKED` bytes.
        """
        try:
            packed = base64.b64decode(self.body, validate=True)
            size = zstandard.frame_content_size(packed)
            if not 0 <= size <= MAX_UNPACKED:
                raise Poison(f"body: unpacks to {size} bytes, at most {MAX_UNPACKED} are allowed")
            return zstandard.ZstdDecompressor().decompress(packed)
        except (binascii.Error, zstandard.ZstdError) as error:
            raise Poison(f"body: {error}") from error


def pack(body: bytes) -> str:
    """Compress and encode a body for `Envelope.body`."""
    return base64.b64encode(_compressor.compress(body)).decode("ascii")
