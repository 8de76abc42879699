"""What is set aside can be understood, and sent again as it was."""

import base64
import hashlib
import json
import re

import pytest

from sensorcast_common.mqtt import MqttMessage
from sensorcast_common.payload import MAX_PAYLOAD_BYTES
from sensorcast_ingest.quarantine import quarantined


def message(payload: bytes, topic: str = "dt/acme/truck-1/readings") -> MqttMessage:
    return MqttMessage(topic, payload, redelivered=False, received_at=1_764_000_000_250)


@pytest.mark.parametrize("payload", [b"", b"{", b"\x00\xff" * 40, b"x" * (MAX_PAYLOAD_BYTES + 1)], ids=len)
def test_payload_is_kept_whole(payload: bytes) -> None:
    kept = json.loads(quarantined(message(payload), reason="not_json", detail="payload: why"))
    assert base64.b64decode(kept["payload"]) == payload
    assert (kept["reason"], kept["detail"], kept["truncated"]) == ("not_json", "payload: why", False)
    assert (kept["topic"], kept["received_at"]) == ("dt/acme/truck-1/readings", "2025-11-24T16:00:00.250Z")


def test_payload_beyond_the_queue_is_cut_and_says_so() -> None:
    payload = b"0123456789" * 100_000
    text = quarantined(message(payload), reason="too_large", detail="payload: why")
    kept = json.loads(text)
    assert len(text) < 256 * 1024
    assert kept["truncated"] is True
    assert kept["size"] == len(payload)
    assert kept["sha256"] == hashlib.sha256(payload).hexdigest()
    assert payload.startswith(base64.b64decode(kept["payload"]))


def test_text_holds_only_what_a_queue_takes() -> None:
    text = quarantined(message(b"", topic="dt/\x01\ufffe\u00e4/" + "x" * 65_000), reason="bad_topic", detail="\x02")
    assert re.fullmatch(r"[\x20-\x7e]*", text)
    assert len(text) < 256 * 1024
    assert json.loads(text)["truncated"] is True
