"""What is kept of a message that could not be accepted: enough to see why, and to send it again once corrected."""

import base64
import hashlib
import json
from typing import Final

from sensorcast_common.clock import from_millis, rfc3339
from sensorcast_common.mqtt.message import MqttMessage

KEPT_BYTES: Final = 180_000
"""Bytes of the payload that are kept: 128 KiB whole, and as base64 below 256 KiB, which every SQS queue takes."""

KEPT_TOPIC: Final = 2048
"""Characters of the topic that are kept."""


def quarantined(message: MqttMessage, *, reason: str, detail: str) -> str:
    """The text of a message to the quarantine.

    A JSON object: `reason` (a stable code), `detail` (for people), `topic`, `received_at` (RFC 3339), `payload`
    (base64), `size` and `sha256` of the whole payload, and `truncated`, which says whether bytes are missing.
    """
    return json.dumps(
        {
            "reason": reason,
            "detail": detail,
            "topic": message.topic[:KEPT_TOPIC],
            "received_at": rfc3339(from_millis(message.received_at)),
            "redelivered": message.redelivered,
            "payload": base64.b64encode(message.payload[:KEPT_BYTES]).decode("ascii"),
            "size": len(message.payload),
            "sha256": hashlib.sha256(message.payload).hexdigest(),
            "truncated": len(message.payload) > KEPT_BYTES or len(message.topic) > KEPT_TOPIC,
        }
    )
