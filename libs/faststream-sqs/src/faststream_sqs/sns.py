"""Reads the JSON envelope in which SNS wraps a message unless raw delivery is on."""

from __future__ import annotations

import base64
import binascii
import json
from typing import NamedTuple


class Envelope(NamedTuple):
    """What the publisher gave to SNS.

    Attributes:
        body: The message.
        headers: Its attributes; Binary ones as bytes.
        topic_arn: The topic it came through.
        message_id: The id SNS gave it.
    """

    body: str
    headers: dict[str, str | bytes]
    topic_arn: str
    message_id: str


def open_envelope(body: str) -> Envelope | None:
    """The content of an SNS notification, or `None` if `body` is something else."""
    if '"Notification"' not in body:
        return None
    try:
        notification = json.loads(body)
    except json.JSONDecodeError:
        return None
    if not isinstance(notification, dict) or notification.get("Type") != "Notification":
        return None
    message = notification.get("Message")
    if not isinstance(message, str):
        return None
    attributes = notification.get("MessageAttributes")
    return Envelope(
        body=message,
        headers=_headers(attributes) if isinstance(attributes, dict) else {},
        topic_arn=str(notification.get("TopicArn", "")),
        message_id=str(notification.get("MessageId", "")),
    )


def _headers(attributes: dict[str, dict[str, str]]) -> dict[str, str | bytes]:
    headers: dict[str, str | bytes] = {}
    for name, attribute in attributes.items():
        value = str(attribute.get("Value", ""))
        if attribute.get("Type") == "Binary":
            try:
                headers[name] = base64.b64decode(value, validate=True)
                continue
            except binascii.Error:
                pass  # as text it is at least visible
        headers[name] = value
    return headers
