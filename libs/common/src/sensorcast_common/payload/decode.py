"""Bytes to objects: JSON or CBOR, without repeated fields."""

import io
import json
from typing import Final

import cbor2
from pydantic_core import from_json

from sensorcast_common.payload.rejected import PayloadRejected, Reason, shown

_CBOR_SELF_DESCRIBED: Final = b"\xd9\xd9\xf7"
_CBOR_FIRST_BYTES: Final = range(0x80, 0xC0)
_UTF8_BOM: Final = b"\xef\xbb\xbf"

_REFUSED_TAGS: Final = (0, 1, 2, 3, 5, 25, 28, 29, 30, 35, 36, 37, 100, 256, 258, 260, 261, 1004, 43000)
"""CBOR tags with a meaning that no SenML field has; RFC 8428 uses tag 4 (decimal fractions) alone."""


def is_cbor(payload: bytes) -> bool:
    """Tell CBOR from JSON: a CBOR array or map starts with a byte that cannot start a JSON text."""
    return payload[0] in _CBOR_FIRST_BYTES or payload.startswith(_CBOR_SELF_DESCRIBED)


def decode_json(payload: bytes) -> list[object]:
    """The objects of a JSON text: the elements of an array, or the one object.

    Raises:
        PayloadRejected: `not_json`, `not_utf8`, `bad_shape` or `duplicate_field`.
    """
    try:
        loaded: object = from_json(payload, cache_strings="keys")
    except ValueError as error:
        raise _not_json(payload, error) from error
    if type(loaded) is dict:
        documents: list[object] = [loaded]
    elif type(loaded) is list:
        documents = loaded
    else:
        raise PayloadRejected(Reason.BAD_SHAPE, f"payload: {shown(loaded)} is neither an object nor an array")
    if payload.count(b'"') != _expected_quotes(documents) or b"\\" in payload:
        _refuse_duplicates(payload)
    return documents


def decode_cbor(payload: bytes) -> list[object]:
    """The elements of a CBOR array.

    Raises:
        PayloadRejected: `not_cbor`, `bad_shape` or `duplicate_field`.
    """
    stream = io.BytesIO(payload.removeprefix(_CBOR_SELF_DESCRIBED))
    decoder = cbor2.CBORDecoder(
        stream,
        semantic_decoders=dict.fromkeys(_REFUSED_TAGS, _refuse_tag),
        max_depth=8,
        allow_duplicate_keys=False,
    )
    try:
        loaded: object = decoder.decode()
    except (cbor2.CBORDecodeError, ValueError, OverflowError, TypeError) as error:
        reason = Reason.DUPLICATE_FIELD if "duplicate" in str(error).lower() else Reason.NOT_CBOR
        raise PayloadRejected(reason, f"payload: {str(error)[:160]}") from error
    if stream.tell() != len(stream.getbuffer()):
        raise PayloadRejected(Reason.NOT_CBOR, f"payload: goes on after its end at byte {stream.tell()}")
    if not isinstance(loaded, list):
        raise PayloadRejected(Reason.BAD_SHAPE, "payload: CBOR must be a SenML pack, which is an array")
    return loaded


def _expected_quotes(documents: list[object]) -> int:
    """How many quotation marks the text holds if no field was repeated and none is escaped.

    A repeated field is gone after parsing, its quotes are not. A nested value holds quotes that are not counted here,
    which only sends the text to the slower check.
    """
    strings = 0
    for document in documents:
        if type(document) is dict:
            strings += len(document)
            for value in document.values():
                if type(value) is str:
                    strings += 1
        elif type(document) is str:
            strings += 1
    return 2 * strings


def _refuse_duplicates(payload: bytes) -> None:
    try:
        json.loads(payload, object_pairs_hook=_without_duplicates, parse_int=float)
    except (ValueError, RecursionError) as error:
        raise _not_json(payload, error) from error


def _without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        raise PayloadRejected(Reason.DUPLICATE_FIELD, f"{shown(repeated)}: appears more than once")
    return fields


def _not_json(payload: bytes, error: Exception) -> PayloadRejected:
    try:
        payload.decode("utf-8")
    except UnicodeDecodeError as broken:
        return PayloadRejected(Reason.NOT_UTF8, f"payload: byte {broken.start}: {broken.reason}")
    if payload.startswith(_UTF8_BOM):
        return PayloadRejected(Reason.NOT_JSON, "payload: starts with a byte order mark")
    return PayloadRejected(Reason.NOT_JSON, f"payload: {str(error)[:160]}")


def _refuse_tag(_decoder: cbor2.CBORDecoder, _immutable: bool = False) -> object:
    raise ValueError("a CBOR tag that SenML does not use")
