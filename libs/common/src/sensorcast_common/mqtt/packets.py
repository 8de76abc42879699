"""Splits what the broker sends into messages and packets of any other kind (MQTT 5.0 and 3.1.1, sections 2.1 and 3.3).

paho decodes one packet at a time, with three reads and a dozen objects for each; a PUBLISH is simple enough to be read
in place, which takes a fifth of the time.
"""

from typing import Final, NamedTuple

_PUBLISH: Final = 0x30
_DUP: Final = 0x08
_RETAIN: Final = 0x01
_MAX_LENGTH_BYTES: Final = 4

# What a PUBLISH may have (section 3.3.2.3): a byte, an integer of four or two, texts and binary data with a length.
_USER_PROPERTY: Final = 0x26
_SUBSCRIPTION_IDENTIFIER: Final = 0x0B
_TEXTS: Final = frozenset({0x03, 0x08, 0x09})
_WIDTHS: Final = {0x01: 1, 0x02: 4, 0x23: 2}


class MalformedPacket(Exception):  # noqa: N818 - names what it is about
    """The broker broke the protocol; the connection is of no more use."""


class Publish(NamedTuple):
    """A PUBLISH packet.

    Attributes:
        topic: As sent: UTF-8, not checked.
        payload: As sent.
        qos: 0 or 1.
        mid: Packet identifier; 0 with QoS 0.
        repeated: Whether it may have been delivered before: DUP is set, or it is a retained message.
        properties: Those of MQTT 5 as sent, without their length.
    """

    topic: bytes
    payload: bytes
    qos: int
    mid: int
    repeated: bool
    properties: bytes = b""


class Split(NamedTuple):
    """What was found.

    Attributes:
        messages: PUBLISH packets, in order.
        others: The bytes of all other complete packets.
        used: How many bytes of the buffer were complete packets.
        wanted: How many bytes the buffer needs, counted from `used`, before the next packet can be complete.
    """

    messages: list[Publish]
    others: bytes
    used: int
    wanted: int


def split(data: bytes, *, is_mqtt5: bool) -> Split:
    """Take apart all complete packets at the start of `data`.

    Raises:
        MalformedPacket: A length is wrong, or the QoS is one that was not subscribed with.
    """
    messages: list[Publish] = []
    others: list[bytes] = []
    at, end, wanted = 0, len(data), 2
    while end - at >= 2:
        start, length = at + 2, data[at + 1]
        if length > 127:
            decoded = _variable_length(data, at + 1, end)
            if decoded is None:
                wanted = end - at + 1
                break
            length, start = decoded
        stop = start + length
        if stop > end:
            wanted = stop - at
            break
        first = data[at]
        if first & 0xF0 == _PUBLISH:
            messages.append(_publish(data, first, start, stop, is_mqtt5=is_mqtt5))
        else:
            others.append(data[at:stop])
        at = stop
    return Split(messages, b"".join(others), at, wanted)


def _publish(data: bytes, first: int, start: int, stop: int, *, is_mqtt5: bool) -> Publish:
    qos = first >> 1 & 3
    if qos > 1 or stop - start < 2:
        raise MalformedPacket(f"PUBLISH with QoS {qos} and {stop - start} bytes")
    topic_at = start + 2
    at = topic_at + (data[start] << 8 | data[start + 1])
    topic = data[topic_at:at]
    mid = 0
    if qos:
        if at + 2 > stop:
            raise MalformedPacket("PUBLISH ends before its packet identifier")
        mid = data[at] << 8 | data[at + 1]
        at += 2
    properties = b""
    if is_mqtt5:
        if at < stop and data[at] == 0:
            at += 1
        else:
            decoded = _variable_length(data, at, stop)
            if decoded is None:
                raise MalformedPacket("PUBLISH ends before its properties")
            begin, at = decoded[1], decoded[1] + decoded[0]
            properties = data[begin:at]
    if at > stop or (qos and not mid):
        raise MalformedPacket("PUBLISH is shorter than what it holds, or has packet identifier 0")
    return Publish(topic, data[at:stop], qos, mid, bool(first & (_DUP | _RETAIN)), properties)


def user_property(properties: bytes, name: str) -> str | None:
    """The first value of a user property of a PUBLISH (section 2.2.2).

    Args:
        properties: As in `Publish`.
        name: Of the property.

    Returns:
        The value; `None` where there is none, or where the properties are not what they should be.
    """
    at, wanted = 0, name.encode()
    try:
        while at < len(properties):
            kind = properties[at]
            at += 1
            if kind == _USER_PROPERTY:
                key, at = _bytes(properties, at)
                value, at = _bytes(properties, at)
                if key == wanted:
                    return value.decode()
            elif kind in _TEXTS:
                _, at = _bytes(properties, at)
            elif kind == _SUBSCRIPTION_IDENTIFIER:
                decoded = _variable_length(properties, at, len(properties))
                if decoded is None:
                    return None
                at = decoded[1]
            else:
                at += _WIDTHS[kind]
    except (IndexError, KeyError, UnicodeDecodeError, MalformedPacket):
        return None
    return None


def _bytes(data: bytes, at: int) -> tuple[bytes, int]:
    """Bytes after their length (sections 1.5.4 and 1.5.6), and where they end."""
    end = at + 2 + (data[at] << 8 | data[at + 1])
    if end > len(data):
        raise IndexError(end)
    return data[at + 2 : end], end


def _variable_length(data: bytes, at: int, end: int) -> tuple[int, int] | None:
    """A variable byte integer (section 1.5.5) and where it ends; nothing if it is not complete."""
    value = 0
    for position in range(_MAX_LENGTH_BYTES):
        if at + position >= end:
            return None
        byte = data[at + position]
        value |= (byte & 127) << 7 * position
        if byte < 128:
            return value, at + position + 1
    raise MalformedPacket("a length of more than four bytes")


def pubacks(mids: list[int]) -> bytes:
    """PUBACK packets (section 3.4) for `mids`, in their order; in MQTT 5 this form means success."""
    return b"".join(b"\x40\x02" + mid.to_bytes(2, "big") for mid in mids)
