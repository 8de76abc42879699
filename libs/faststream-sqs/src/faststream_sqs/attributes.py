"""Message attributes on the wire, headers in Python."""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING, TypedDict

from faststream_sqs.errors import InvalidMessageError
from faststream_sqs.limits import MAX_ATTRIBUTES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from types_aiobotocore_sqs.type_defs import MessageAttributeValueOutputTypeDef

CONTENT_TYPE = "content-type"
CORRELATION_ID = "correlation_id"
REPLY_TO = "reply_to"

DEAD_LETTER_REASON = "dead-letter-reason"
DEAD_LETTER_SOURCE = "dead-letter-source"
MOVED_ATTRIBUTES = "moved-attributes"

_NAME = re.compile(r"(?!(?i:aws\.|amazon\.))[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")
# What SQS calls "XML, JSON, and unformatted text": the characters of XML 1.0
_NOT_TEXT = re.compile(r"[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]")


class AttributeValue(TypedDict, total=False):
    """A message attribute as SendMessage and Publish take it."""

    DataType: str
    StringValue: str
    BinaryValue: bytes


def encode_body(body: bytes) -> str:
    """The text SQS and SNS can carry for `body`.

    Raises:
        InvalidMessageError: `body` is empty, not UTF-8, or holds a character that SQS does not accept.
    """
    if not body:
        raise InvalidMessageError("body: empty; SQS and SNS need at least one character")
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise InvalidMessageError(
            f"body: byte {error.start} is not UTF-8; SQS and SNS carry text, so encode bytes (base64) first"
        ) from error
    if bad := _NOT_TEXT.search(text):
        raise InvalidMessageError(
            f"body: character {bad.start()} ({bad.group()!r}) is not one SQS accepts; encode it (base64) first"
        )
    return text


def encode_headers(headers: Mapping[str, object]) -> dict[str, AttributeValue]:
    """Message attributes for `headers`: bytes become Binary, everything else String; `None` is left out.

    Raises:
        InvalidMessageError: More than ten headers, or a name or value that is no message attribute.
    """
    present = {name: value for name, value in headers.items() if value is not None}
    if len(present) > MAX_ATTRIBUTES:
        raise InvalidMessageError(
            f"headers: SQS and SNS carry {MAX_ATTRIBUTES} message attributes, got {len(present)}: {sorted(present)}"
        )
    return {name: _encode_header(name, value) for name, value in present.items()}


def _encode_header(name: str, value: object) -> AttributeValue:
    if len(name) > 256 or not _NAME.fullmatch(name):
        raise InvalidMessageError(f"headers: {name!r} cannot name a message attribute")
    if isinstance(value, bytes):
        if not value:
            raise InvalidMessageError(f"headers: {name!r} is empty, which SQS does not accept")
        return {"DataType": "Binary", "BinaryValue": value}
    text = str(value)
    if not text or _NOT_TEXT.search(text):
        raise InvalidMessageError(f"headers: {name!r} is {'not text' if text else 'empty'}, SQS does not accept it")
    return {"DataType": "String", "StringValue": text}


def decode_headers(attributes: Mapping[str, MessageAttributeValueOutputTypeDef]) -> dict[str, str | bytes]:
    """Headers for message attributes: text of String and Number, bytes of Binary."""
    return {
        name: value["BinaryValue"] if "BinaryValue" in value else value.get("StringValue", "")
        for name, value in attributes.items()
    }


def attributes_size(attributes: Mapping[str, AttributeValue]) -> int:
    """Bytes that count toward the size of a message: names, data types and values."""
    return sum(
        len(name.encode())
        + len(value["DataType"].encode())
        + len(value.get("StringValue", "").encode())
        + len(value.get("BinaryValue", b""))
        for name, value in attributes.items()
    )


def with_reason(
    attributes: Mapping[str, MessageAttributeValueOutputTypeDef], *, reason: str, source: str
) -> dict[str, AttributeValue]:
    """The attributes of a dead letter: the original ones, the reason and the queue it comes from.

    A message that fills its ten attributes already keeps all of them: those that no longer fit move into one
    JSON attribute, `moved-attributes`, with Binary values in base64.
    """
    added: dict[str, AttributeValue] = {
        DEAD_LETTER_REASON: {"DataType": "String", "StringValue": _NOT_TEXT.sub("\ufffd", reason) or "unknown"},
        DEAD_LETTER_SOURCE: {"DataType": "String", "StringValue": source},
    }
    kept = {name: _resend(value) for name, value in attributes.items() if name not in added}
    if len(kept) + len(added) <= MAX_ATTRIBUTES:
        return {**kept, **added}
    names = sorted(kept)
    stay = MAX_ATTRIBUTES - len(added) - 1
    moved = {name: _as_json(kept[name]) for name in names[stay:]}
    added[MOVED_ATTRIBUTES] = {"DataType": "String", "StringValue": json.dumps(moved)}
    return {**{name: kept[name] for name in names[:stay]}, **added}


def _resend(value: MessageAttributeValueOutputTypeDef) -> AttributeValue:
    if "BinaryValue" in value:
        return {"DataType": value["DataType"], "BinaryValue": value["BinaryValue"]}
    return {"DataType": value["DataType"], "StringValue": value.get("StringValue", "")}


def _as_json(value: AttributeValue) -> dict[str, str]:
    if "BinaryValue" in value:
        return {"DataType": value["DataType"], "BinaryValue": base64.b64encode(value["BinaryValue"]).decode()}
    return {"DataType": value["DataType"], "StringValue": value.get("StringValue", "")}
