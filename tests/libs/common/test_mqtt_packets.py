"""Messages are taken out of the stream whole, in order and whatever the pieces it arrives in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensorcast_common.mqtt.packets import MalformedPacket, Publish, pubacks, split

PINGRESP = b"\xd0\x00"


def variable(value: int) -> bytes:
    out = bytearray()
    while True:
        value, byte = divmod(value, 128)
        out.append(byte | 128 if value else byte)
        if not value:
            return bytes(out)


def encode(message: Publish, *, is_mqtt5: bool, properties: bytes = b"") -> bytes:
    body = len(message.topic).to_bytes(2, "big") + message.topic
    if message.qos:
        body += message.mid.to_bytes(2, "big")
    if is_mqtt5:
        body += variable(len(properties)) + properties
    body += message.payload
    return bytes([0x30 | message.qos << 1 | (8 if message.repeated else 0)]) + variable(len(body)) + body


messages = st.builds(
    Publish,
    st.binary(max_size=40),
    st.binary(max_size=300) | st.binary(min_size=1, max_size=3).map(lambda seed: seed * 7000),
    st.just(1),
    st.integers(min_value=1, max_value=65535),
    st.booleans(),
) | st.builds(Publish, st.binary(max_size=40), st.binary(max_size=9), st.just(0), st.just(0), st.booleans())


@given(st.lists(messages | st.just(PINGRESP), max_size=6), st.booleans(), st.binary(max_size=200), st.data())
def test_stream_in_pieces_gives_every_packet_once(
    packets: list[Publish | bytes], is_mqtt5: bool, properties: bytes, data: st.DataObject
) -> None:
    stream = b"".join(
        each if isinstance(each, bytes) else encode(each, is_mqtt5=is_mqtt5, properties=properties) for each in packets
    )
    found: list[Publish] = []
    others = b""
    buffer, wanted = b"", 2
    at = 0
    while at < len(stream):
        step = data.draw(st.integers(min_value=1, max_value=len(stream)))
        buffer += stream[at : at + step]
        at += step
        if len(buffer) < wanted:
            continue
        result = split(buffer, is_mqtt5=is_mqtt5)
        found += result.messages
        others += result.others
        buffer, wanted = buffer[result.used :], result.wanted
        assert wanted > len(buffer)
    assert not buffer
    kept = properties if is_mqtt5 else b""
    assert found == [each._replace(properties=kept) for each in packets if isinstance(each, Publish)]
    assert others == b"".join(each for each in packets if isinstance(each, bytes))


@given(st.binary(max_size=64), st.booleans())
def test_any_bytes_are_split_or_malformed(data: bytes, is_mqtt5: bool) -> None:
    try:
        result = split(data, is_mqtt5=is_mqtt5)
    except MalformedPacket:
        return
    assert result.used <= len(data) < result.used + result.wanted


@pytest.mark.parametrize(
    "data",
    [
        b"\x32\xff\xff\xff\xff\x01",
        b"\x34\x05\x00\x01t\x00\x01",  # QoS 2
        b"\x32\x03\x00\x01t",  # no packet identifier
        b"\x32\x05\x00\x01t\x00\x00",  # packet identifier 0
        b"\x32\x05\x00\x09t\x00\x01",  # topic longer than the packet
        b"\x30\x01\x00",
    ],
)
def test_broken_packet_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedPacket):
        split(data, is_mqtt5=False)


def test_pubacks_keep_their_order() -> None:
    assert pubacks([1, 258]) == b"\x40\x02\x00\x01\x40\x02\x01\x02"
