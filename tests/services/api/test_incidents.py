"""Incidents are acknowledged and commented on by who may, and everybody who watches sees it."""

import asyncio

import pytest
from tests.services.api.fakes import NOW, World

from sensorcast_api.stream.hub import Kind, LiveEvent, Subscriber
from sensorcast_common.tables.api_keys import Role

ID = "019a0c2e-5f2b-7c3d-9e4f-0123456789ab"
PATH = f"/v1/incidents/{ID}"


async def test_an_acknowledgement_is_shown_kept_and_told_to_who_watches(world: World) -> None:
    world.incidents.put("acme", ID)
    watcher = Subscriber(tenant="acme", devices=None, kinds=frozenset({Kind.INCIDENT}), limit=10)
    world.services.hub.add(watcher)
    async with world.client(role=Role.OPERATOR) as client:
        answer = await client.post(f"{PATH}/acknowledge", json={"note": "On my way"})
        assert answer.status_code == 200
        assert (answer.json()["state"], answer.json()["note"]) == ("acknowledged", "On my way")
        assert answer.json()["acknowledged_at"].startswith("2026-")
        assert (await client.get(PATH)).json() == answer.json()
        assert (await client.post(f"{PATH}/acknowledge")).json()["note"] == "On my way"
        listed = await client.get("/v1/incidents?state=open&state=acknowledged")
        assert [each["state"] for each in listed.json()["items"]] == ["acknowledged"]
        said = await client.post(f"{PATH}/comments", json={"note": "Door was open"})
        assert said.status_code == 201
        history = (await client.get(f"{PATH}/history")).json()["items"]
    assert [(each["transition"], each["note"]) for each in history] == [
        ("acknowledged", "On my way"),
        ("commented", "Door was open"),
    ]
    async with asyncio.timeout(5):
        event = await watcher.next(heartbeat_seconds=5)
    assert isinstance(event, LiveEvent)
    assert b'"event":"acknowledged"' in event.frame
    assert event.at == NOW


@pytest.mark.parametrize("state", ["resolved", "pending"])
async def test_only_what_is_open_can_be_acknowledged(world: World, state: str) -> None:
    world.incidents.put("acme", ID, state=state)
    async with world.client(role=Role.OPERATOR) as client:
        answer = await client.post(f"{PATH}/acknowledge")
    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:sensorcast:problem:not-open"


async def test_a_viewer_may_read_and_not_write(world: World) -> None:
    world.incidents.put("acme", ID)
    async with world.client() as client:
        assert (await client.get(f"{PATH}/history")).status_code == 200
        for path, body in (("acknowledge", {}), ("comments", {"note": "x"})):
            assert (await client.post(f"{PATH}/{path}", json=body)).status_code == 403


async def test_a_comment_says_something(world: World) -> None:
    world.incidents.put("acme", ID)
    async with world.client(role=Role.OPERATOR) as client:
        answer = await client.post(f"{PATH}/comments", json={"note": "  "})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "note")
