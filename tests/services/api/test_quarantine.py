"""The quarantine: ingest's messages are understood, shown to their tenant alone, sent again as they were."""

import base64

import pytest
from tests.services.api.fakes import NOW, World

from sensorcast_api.quarantine.keep import read
from sensorcast_common.errors import Poison
from sensorcast_common.mqtt import MqttMessage
from sensorcast_common.quarantine import NOBODY, Quarantined
from sensorcast_common.tables.api_keys import Role
from sensorcast_ingest.quarantine import quarantined

TOPIC = "dt/acme/truck-1/readings"


def set_aside(payload: bytes, *, topic: str = TOPIC, at: int = NOW) -> Quarantined:
    """A message as ingest puts it into the queue and the API takes it out."""
    message = MqttMessage(topic, payload, redelivered=False, received_at=at)
    return read(quarantined(message, reason="not_json", detail="payload: why").encode())


async def keep(world: World, *messages: Quarantined) -> list[str]:
    for message in messages:
        await world.quarantine.put(message, now=NOW)
    return [message.message_id for message in messages]


def test_a_message_keeps_its_bytes_and_its_name_however_often_it_comes() -> None:
    message = set_aside(b"\x00\xff{")
    assert message.payload == b"\x00\xff{"
    assert message.message_id == set_aside(b"\x00\xff{").message_id
    assert message.message_id != set_aside(b"\x00\xff{", topic="dt/acme/truck-2/readings").message_id
    assert message.message_id < set_aside(b"", at=NOW + 1).message_id


@pytest.mark.parametrize("topic", ["", "dt", "dt/#/x/readings", "alerts/acme/truck-1", "dt//x/readings"])
def test_a_topic_without_a_tenant_is_nobodys(topic: str) -> None:
    assert set_aside(b"", topic=topic).tenant == NOBODY


@pytest.mark.parametrize("body", [b"", b"[]", b'{"reason": "x"}', b'{"payload": "\xc3\xa4"}'])
def test_what_is_no_message_of_ingest_is_poison_and_says_why(body: bytes) -> None:
    with pytest.raises(Poison, match="quarantine: "):
        read(body)


async def test_messages_are_listed_newest_first_and_shown_with_their_bytes(world: World) -> None:
    ids = await keep(world, set_aside(b"{"), set_aside(b"\xff", at=NOW + 1000))
    async with world.client(role=Role.OPERATOR) as client:
        first = (await client.get("/v1/quarantine", params={"limit": 1})).json()
        rest = (await client.get("/v1/quarantine", params={"limit": 1, "cursor": first["next_cursor"]})).json()
        text, binary = [(await client.get(f"/v1/quarantine/{each}")).json() for each in ids]
    assert [each["message_id"] for each in first["items"] + rest["items"]] == ids[::-1]
    assert (text["device"], text["reason"], text["text"]) == ("truck-1", "not_json", "{")
    assert "payload" not in first["items"][0]
    assert (binary["text"], base64.b64decode(binary["payload"])) == (None, b"\xff")


async def test_a_retry_publishes_the_bytes_and_empties_the_place(world: World) -> None:
    ids = await keep(world, set_aside(b'{"a": 1}'))
    async with world.client(role=Role.OPERATOR) as client:
        world.resend.away = True
        away = await client.post(f"/v1/quarantine/{ids[0]}/retry")
        assert (away.status_code, away.headers["retry-after"]) == (503, "5")
        world.resend.away = False
        answer = await client.post(f"/v1/quarantine/{ids[0]}/retry")
        assert answer.status_code == 202
        assert (await client.post(f"/v1/quarantine/{ids[0]}/retry")).status_code == 404
    assert world.resend.sent == [(TOPIC, b'{"a": 1}')]


async def test_what_is_incomplete_or_would_be_refused_again_is_not_sent(world: World) -> None:
    ids = await keep(world, set_aside(b"0" * 200_000), set_aside(b"{}", topic="dt/acme/-/readings"))
    async with world.client(role=Role.OPERATOR) as client:
        kinds = [(await client.post(f"/v1/quarantine/{each}/retry")).json()["type"] for each in ids]
        assert (await client.delete(f"/v1/quarantine/{ids[0]}")).status_code == 204
        assert (await client.delete(f"/v1/quarantine/{ids[0]}")).status_code == 404
    assert kinds == ["urn:sensorcast:problem:truncated", "urn:sensorcast:problem:bad-topic"]
    assert world.resend.sent == []
