"""Keys: who gets in, who does not, and what is remembered of them."""

import pytest
from tests.services.api.fakes import DAY, NOW, World

from sensorcast_common.tables.api_keys import Role


async def test_both_headers_carry_the_key(world: World) -> None:
    key = world.keys.make("acme")
    async with world.client(key="") as client:
        assert (await client.get("/v1/devices", headers={"Authorization": f"Bearer {key}"})).status_code == 200
        assert (await client.get("/v1/devices", headers={"X-API-Key": key})).status_code == 200


@pytest.mark.parametrize("path", ["/v1/devices", "/v1/incidents", "/v1/rules", "/v1/events", "/v1/devices/truck-1"])
async def test_no_key_is_401_with_a_challenge(world: World, path: str) -> None:
    async with world.client(key="") as client:
        answer = await client.get(path)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer realm=")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == 401


async def test_malformed_unknown_expired_and_revoked_keys_get_the_same_401(world: World) -> None:
    expired = world.keys.make("acme", expires_at=NOW)
    revoked = world.keys.make("acme")
    world.keys.take_back(revoked)
    unknown = "sc_" + "A" * 43
    details = set()
    for key in ("sc_short", "x" * 5000, "sc_" + "é" * 43, unknown, expired, revoked):
        async with world.client(key="") as client:
            answer = await client.get("/v1/devices", headers={b"X-API-Key": key.encode("latin-1")})
        assert answer.status_code == 401, key[:20]
        assert 'error="invalid_token"' in answer.headers["www-authenticate"]
        details.add(answer.json()["detail"])
    assert len(details) == 1


async def test_malformed_keys_never_reach_the_table(world: World) -> None:
    async with world.client(key="sc_short") as client:
        assert (await client.get("/v1/devices")).status_code == 401
    assert world.keys.finds == 0


async def test_an_answer_is_remembered_and_then_asked_again(world: World) -> None:
    key = world.keys.make("acme")
    async with world.client(key=key) as client:
        for _ in range(3):
            assert (await client.get("/v1/devices")).status_code == 200
        assert world.keys.finds == 1
        world.keys.take_back(key)
        world.monotonic += 31
        assert (await client.get("/v1/devices")).status_code == 401
    assert world.keys.finds == 2


async def test_expiry_counts_although_the_key_is_remembered(world: World) -> None:
    key = world.keys.make("acme", expires_at=NOW + 1000)
    async with world.client(key=key) as client:
        assert (await client.get("/v1/devices")).status_code == 200
        world.now += 1000
        assert (await client.get("/v1/devices")).status_code == 401
    assert world.keys.finds == 1


async def test_guessing_crowds_out_nobody_and_stays_bounded(world: World) -> None:
    ring = world.services.credentials.keys
    good = world.keys.make("acme")
    assert await ring.check(good)
    for number in range(1_500):
        assert await ring.check(f"sc_{number:043d}") is None
    finds = world.keys.finds
    assert await ring.check(good)
    assert world.keys.finds == finds
    assert len(ring._unknown) == 1_000


async def test_a_viewer_may_not_change_rules(world: World) -> None:
    body = {"name": "r", "condition": {"above": 8}}
    async with world.client(role=Role.VIEWER) as viewer, world.client(role=Role.OPERATOR) as operator:
        refused = await viewer.put("/v1/rules/r1", json=body)
        assert refused.status_code == 403
        assert 'error="insufficient_scope"' in refused.headers["www-authenticate"]
        assert (await viewer.delete("/v1/rules/r1")).status_code == 403
        assert (await operator.put("/v1/rules/r1", json=body)).status_code == 201
    async with world.client(role=Role.ADMIN) as admin:
        assert (await admin.delete("/v1/rules/r1")).status_code == 204


async def test_no_answer_says_the_key(world: World) -> None:
    key = world.keys.make("acme", expires_at=NOW + DAY)
    async with world.client(key=key) as client:
        for path in ("/v1/devices", "/v1/nothing", "/v1/devices/truck-9"):
            answer = await client.get(path)
            assert key not in answer.text + str(answer.headers)
