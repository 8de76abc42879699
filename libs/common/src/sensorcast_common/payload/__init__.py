"""What devices send, turned into readings: plain JSON and SenML (RFC 8428) in JSON or CBOR.

A payload is taken whole or not at all: one bad value in a pack rejects the pack, so that a device that sends it again
after a correction does not store half of it twice.
"""

from sensorcast_common.payload.parse import MAX_PAYLOAD_BYTES, MAX_READINGS, parse
from sensorcast_common.payload.rejected import PayloadRejected, Reason

__all__ = ["MAX_PAYLOAD_BYTES", "MAX_READINGS", "PayloadRejected", "Reason", "parse"]
