"""The way in: bytes from `dt/{tenant}/{device}/readings` to readings."""

from typing import Final, TypeVar

from sensorcast_common.names import ReadingsTopic
from sensorcast_common.payload.decode import decode_cbor, decode_json, is_cbor
from sensorcast_common.payload.plain import read_plain
from sensorcast_common.payload.rejected import PayloadRejected, Reason, shown
from sensorcast_common.payload.senml import is_pack, read_pack, with_text_labels
from sensorcast_common.reading import Reading

_Item = TypeVar("_Item")

MAX_PAYLOAD_BYTES: Final = 128 * 1024
"""What AWS IoT Core takes, and so what a device may count on."""

MAX_READINGS: Final = 8192
"""Readings of one payload; a device with more to say sends it in parts."""


def parse(payload: bytes, topic: ReadingsTopic, *, received_at: int, redelivered: bool) -> list[Reading]:
    """Read what a device sent: all of it, or none.

    The form is told by the bytes: an array or map of CBOR is a SenML pack, so is a JSON array in which a record has a
    name (`n` or `bn`); every other JSON object or array of objects is plain. Numbers in `ts` are seconds below 1e11 and
    milliseconds from there on. In SenML, times below 2**28 s count from the receipt (RFC 8428, section 4.5.3); such
    readings, and those without a time, have `ts_source` server.

    Args:
        payload: As received.
        topic: Where it was received; says whose the readings are.
        received_at: When it was received, in milliseconds since 1970 UTC.
        redelivered: Whether the broker marked the message as sent before.

    Returns:
        At least one reading, in the order of the payload.

    Raises:
        PayloadRejected: Nothing else is ever raised for what a payload holds.
    """
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise PayloadRejected(
            Reason.TOO_LARGE, f"payload: {len(payload)} bytes, at most {MAX_PAYLOAD_BYTES} are allowed"
        )
    if not payload or payload.isspace():
        raise PayloadRejected(Reason.EMPTY, "payload: no bytes in it" if not payload else "payload: nothing but space")
    readings: list[Reading] = []
    if is_cbor(payload):
        records = with_text_labels(_bounded(decode_cbor(payload)))
        read_pack(records, topic, received_at=received_at, redelivered=redelivered, into=readings)
    else:
        documents = _bounded(decode_json(payload))
        if is_pack(documents):
            read_pack(documents, topic, received_at=received_at, redelivered=redelivered, into=readings)
        else:
            for document in documents:
                if type(document) is not dict:
                    raise PayloadRejected(Reason.BAD_SHAPE, f"element: {shown(document)} is not an object")
                before = len(readings)
                read_plain(document, topic, received_at=received_at, redelivered=redelivered, into=readings)
                if len(readings) == before:
                    raise PayloadRejected(Reason.EMPTY, "object: no metric in it")
    if not readings:
        raise PayloadRejected(Reason.EMPTY, "payload: no reading in it")
    return _bounded(readings)


def _bounded(items: list[_Item]) -> list[_Item]:
    if len(items) > MAX_READINGS:
        raise PayloadRejected(
            Reason.TOO_MANY_READINGS, f"payload: {len(items)} items, at most {MAX_READINGS} are allowed"
        )
    return items
