"""Rules are changed only by who has seen what is there."""

import pytest
from tests.services.api.fakes import World

from sensorcast_common.tables.api_keys import Role

BODY = {"name": "Too warm", "device": "truck-*", "condition": {"above": 8, "forecast": {"min_probability": 0.8}}}
PATH = "/v1/rules/too-warm"


async def test_a_rule_is_created_read_replaced_and_removed(world: World) -> None:
    async with world.client(role=Role.OPERATOR) as client:
        created = await client.put(PATH, json=BODY)
        assert (created.status_code, created.headers["etag"]) == (201, '"1"')
        read = await client.get(PATH)
        assert read.json() == created.json()
        assert read.json()["tenant"] == "acme"
        replaced = await client.put(PATH, json=BODY | {"enabled": False}, headers={"If-Match": read.headers["etag"]})
        assert (replaced.status_code, replaced.json()["version"], replaced.json()["enabled"]) == (200, 2, False)
        assert [each["version"] for each in (await client.get("/v1/rules")).json()["items"]] == [2]
        assert (await client.delete(PATH)).status_code == 204
        assert (await client.delete(PATH)).status_code == 404
        assert (await client.get(PATH)).status_code == 404


async def test_every_version_says_who_changed_it_also_after_the_end(world: World) -> None:
    async with world.client(role=Role.OPERATOR) as client:
        await client.put(PATH, json=BODY)
        await client.put(PATH, json=BODY | {"name": "Warmer"}, headers={"If-Match": '"1"'})
        await client.delete(PATH)
        kept = (await client.get(f"{PATH}/versions")).json()["items"]
        assert (await client.get("/v1/rules/none/versions")).status_code == 404
    assert [(each["version"], each["rule"] and each["rule"]["name"]) for each in kept] == [
        (2, None),
        (2, "Warmer"),
        (1, "Too warm"),
    ]
    assert all(len(each["changed_by"]) == 16 for each in kept)


@pytest.mark.parametrize(
    ("condition", "field"),
    [
        ({"kind": "silence"}, "condition.after_minutes"),
        ({"kind": "silence", "after_minutes": 0}, "condition.after_minutes"),
        ({"kind": "rate"}, "condition"),
        ({"kind": "stuck", "after_minutes": 5, "tolerance": -1}, "condition.tolerance"),
        ({"kind": "product", "product": "a b"}, "condition.product"),
        ({"kind": "gossip"}, "condition"),
        ({"above": "hot"}, "condition.above"),
    ],
)
async def test_a_senseless_condition_of_any_kind_is_refused_by_name(
    world: World, condition: dict[str, object], field: str
) -> None:
    async with world.client(role=Role.OPERATOR) as client:
        answer = await client.put(PATH, json=BODY | {"condition": condition})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


async def test_a_rule_that_exists_is_not_replaced_unseen(world: World) -> None:
    async with world.client(role=Role.OPERATOR) as client:
        await client.put(PATH, json=BODY)
        again = await client.put(PATH, json=BODY | {"name": "other"})
    assert again.status_code == 428
    assert again.headers["etag"] == '"1"'
    assert world.rules.items["acme", "too-warm"].name == "Too warm"


async def test_a_version_that_is_gone_is_a_conflict(world: World) -> None:
    async with world.client(role=Role.OPERATOR) as client:
        gone = await client.put(PATH, json=BODY, headers={"If-Match": '"4"'})
        await client.put(PATH, json=BODY)
        await client.put(PATH, json=BODY, headers={"If-Match": '"1"'})
        late = await client.put(PATH, json=BODY, headers={"If-Match": '"1"'})
        unreadable = await client.put(PATH, json=BODY, headers={"If-Match": "W/2"})
    assert gone.status_code == late.status_code == 412
    assert late.json()["type"] == "urn:sensorcast:problem:version-conflict"
    assert "version 2" in late.json()["detail"]
    assert unreadable.status_code == 422
    assert unreadable.json()["errors"][0]["field"] == "If-Match"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"enabled": 0}, "enabled"),
        ({"condition": {"kind": "stuck", "after_minutes": 5, "tolerance": False}}, "condition.tolerance"),
        ({"condition": {"kind": "stuck", "after_minutes": "5"}}, "condition.after_minutes"),
    ],
)
async def test_a_number_is_no_yes_or_no_and_no_text(world: World, change: dict[str, object], field: str) -> None:
    body = {"name": "Stuck", "condition": {"above": 8}} | change
    async with world.client(role=Role.OPERATOR) as client:
        answer = await client.put("/v1/rules/stuck", json=body)
    assert (answer.status_code, [each["field"] for each in answer.json()["errors"]]) == (422, [field])
