"""Product profiles are kept as rules are, and a rule names only one that is there."""

from tests.services.api.fakes import World

from sensorcast_common.tables.api_keys import Role

BODY = {"name": "Vaccine", "above": 8, "below": 2, "consecutive_minutes": 30}
PATH = "/v1/products/vaccine"
RULE = {"name": "Vaccine", "condition": {"kind": "product", "product": "vaccine"}}


async def test_a_profile_is_created_read_replaced_and_removed_once_no_rule_names_it(world: World) -> None:
    async with world.client(role=Role.OPERATOR) as client:
        unknown = await client.put("/v1/rules/cold", json=RULE)
        assert (unknown.status_code, unknown.json()["errors"][0]["field"]) == (422, "condition.product")
        created = await client.put(PATH, json=BODY)
        assert (created.status_code, created.headers["etag"]) == (201, '"1"')
        assert (await client.get(PATH)).json() == created.json()
        assert (await client.put(PATH, json=BODY)).status_code == 428
        assert (await client.put(PATH, json=BODY, headers={"If-Match": '"1"'})).json()["version"] == 2
        assert (await client.put(PATH, json=BODY, headers={"If-Match": '"1"'})).status_code == 412
        assert [each["version"] for each in (await client.get("/v1/products")).json()["items"]] == [2]
        assert (await client.put("/v1/rules/cold", json=RULE)).status_code == 201
        assert (await client.delete(PATH)).status_code == 409
        await client.delete("/v1/rules/cold")
        assert (await client.delete(PATH)).status_code == 204
        assert (await client.get(PATH)).status_code == 404


async def test_a_senseless_profile_is_refused_and_says_why(world: World) -> None:
    async with world.client(role=Role.OPERATOR) as client:
        answer = await client.put(PATH, json=BODY | {"below": 9})
    assert answer.status_code == 422
    assert "below: 9.0 must be less than above" in answer.json()["detail"]
