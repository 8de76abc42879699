"""Another tenant's things do not exist, on every route."""

import httpx
import pytest
from tests.services.api.fakes import NOW, World

from sensorcast_common.tables.api_keys import Role

INCIDENT = "019a0c2e-5f2b-7c3d-9e4f-0123456789ab"

ANOTHERS = [
    ("GET", "/v1/devices/truck-9"),
    ("GET", "/v1/devices/truck-9/readings?metric=temperature"),
    ("GET", "/v1/devices/truck-9/forecasts?metric=temperature"),
    ("GET", f"/v1/incidents/{INCIDENT}"),
    ("GET", f"/v1/incidents/{INCIDENT}/history"),
    ("GET", "/v1/rules/theirs"),
    ("GET", "/v1/rules/theirs/versions"),
    ("POST", f"/v1/incidents/{INCIDENT}/acknowledge"),
    ("DELETE", "/v1/rules/theirs"),
    ("GET", "/v1/events?device=truck-9"),
    ("GET", "/v1/events?device=truck-1&device=truck-9"),
]


async def fill(world: World) -> None:
    world.readings.put("other", "truck-9", NOW - 1000, 1.0)
    world.forecasts.put("other", "truck-9", NOW)
    world.incidents.put("other", INCIDENT, device="truck-9")
    async with world.client(role=Role.OPERATOR, tenant="other") as other:
        created = await other.put("/v1/rules/theirs", json={"name": "r", "condition": {"above": 8}})
        assert created.status_code == 201


@pytest.mark.parametrize(("method", "path"), ANOTHERS)
async def test_anothers_thing_is_404_as_if_it_were_not_there(world: World, method: str, path: str) -> None:
    await fill(world)
    async with world.client(role=Role.ADMIN) as mine:
        theirs = await mine.request(method, path)
        nobodys = await mine.request(method, path.replace("truck-9", "truck-0").replace("theirs", "nobodys"))
    assert theirs.status_code == 404
    ours, others = theirs.json(), nobodys.json()
    del ours["correlation_id"], others["correlation_id"]
    if "truck" not in path or "detail" in ours:
        assert ours == others


@pytest.mark.parametrize(("method", "path"), ANOTHERS[:7])
async def test_its_owner_sees_it(world: World, method: str, path: str) -> None:
    await fill(world)
    async with world.client(role=Role.ADMIN, tenant="other") as owner:
        assert (await owner.request(method, path)).status_code == 200


async def test_lists_hold_only_ones_own(world: World) -> None:
    await fill(world)
    async with world.client() as mine:
        for path in ("/v1/incidents", "/v1/rules"):
            assert (await mine.get(path)).json()["items"] == []
        devices = (await mine.get("/v1/devices")).json()["items"]
    assert {each["tenant"] for each in devices} == {"acme"}


async def test_a_rule_is_written_to_ones_own_tenant_whatever_anothers_is_called(world: World) -> None:
    await fill(world)
    async with world.client(role=Role.OPERATOR) as mine:
        answer = await mine.put("/v1/rules/theirs", json={"name": "mine", "condition": {"above": 1}})
    assert answer.status_code == 201
    assert world.rules.items["other", "theirs"].name == "r"
    assert world.rules.items["acme", "theirs"].name == "mine"


async def test_anothers_cursor_leads_into_ones_own_list(world: World) -> None:
    for number in range(5):
        world.devices.put("other", f"z-{number}")
    async with world.client(tenant="other") as other, world.client() as mine:
        cursor = (await other.get("/v1/devices?limit=2")).json()["next_cursor"]
        answer = await mine.get("/v1/devices", params={"cursor": cursor})
    assert answer.status_code == 200
    assert {each["tenant"] for each in answer.json()["items"]} <= {"acme"}


async def test_every_route_under_v1_needs_a_key(world: World) -> None:
    """Also those that are added later."""
    document = world.app.openapi()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(world.app), base_url="http://api") as nobody:
        for path, methods in document["paths"].items():
            for method in methods:
                assert path.startswith("/v1/")
                answer = await nobody.request(
                    method, path.replace("{incident_id}", INCIDENT).replace("{", "").replace("}", "")
                )
                assert answer.status_code == 401, (method, path)
