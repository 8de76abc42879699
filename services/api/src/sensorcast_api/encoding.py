"""Packed answers: which coding a client takes best (RFC 9110, section 12.5.3), and the packing. No I/O."""

import zlib
from collections.abc import Callable
from typing import Final, Protocol

import zstandard

MIN_BYTES: Final = 1024
"""Shorter bodies fit one packet anyway."""

_ZSTD_LEVEL: Final = 3
_GZIP_LEVEL: Final = 4
_GZIP_WINDOW: Final = 31

PACKABLE: Final = (
    "application/json",
    "application/problem+json",
    "text/csv",
    "text/html",
    "text/plain",
    "text/css",
    "text/javascript",
)


class Packer(Protocol):
    """Packs a stream piece by piece."""

    def compress(self, data: bytes, /) -> bytes:
        """What can be written of it so far."""
        ...

    def flush(self) -> bytes:
        """The rest."""
        ...


def _zstd() -> Packer:
    return zstandard.ZstdCompressor(level=_ZSTD_LEVEL).compressobj()


def _gzip() -> Packer:
    return zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, _GZIP_WINDOW)


PACKERS: Final[dict[str, Callable[[], Packer]]] = {"zstd": _zstd, "gzip": _gzip}
"""Codings we offer, the best first."""


def choose(accept_encoding: str) -> str | None:
    """The coding that a client weighs highest, of equal ones our best; `None` where it takes none of ours.

    Args:
        accept_encoding: The header, empty where it was not sent.
    """
    weights = qualities(accept_encoding)
    best, best_weight = None, 0.0
    for coding in PACKERS:
        weight = weights.get(coding, weights.get("*", 0.0))
        if weight > best_weight:
            best, best_weight = coding, weight
    return best


def pack(coding: str, body: bytes) -> bytes:
    """A whole body."""
    packer = PACKERS[coding]()
    return packer.compress(body) + packer.flush()


def qualities(header: str) -> dict[str, float]:
    """Weights of a header such as `gzip;q=0.5, zstd`, by lower-case name; what cannot be read weighs nothing."""
    weights: dict[str, float] = {}
    for part in header.split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        if not name:
            continue
        weight = 1.0
        for parameter in parameters:
            key, _, value = parameter.partition("=")
            if key.strip().lower() == "q":
                try:
                    weight = min(max(float(value), 0.0), 1.0)
                except ValueError:
                    weight = 0.0
        weights[name.lower()] = weight
    return weights
