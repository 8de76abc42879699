"""What holds for every route, also for those that are added later: credential, role, scope, tenant, limits.

The routes are those of the OpenAPI document, called with the document's own examples.
"""

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts
from tests.services.api.fakes import World

from sensorcast_api.auth import Needs
from sensorcast_api.rates import Rates
from sensorcast_common.tables.api_keys import Role, key_hash

LINKS = "/v1/dashboards/{name}/links"
"""Makes a link to look at, which a viewer may; the dashboards themselves are the stack's and no tenant's."""


def routes(world: World) -> Iterator[APIRoute]:
    for context in iter_route_contexts(world.app.routes):
        route = context.original_route
        if isinstance(route, APIRoute) and route.include_in_schema:
            yield route


def asked(dependant: Dependant) -> Iterator[Role]:
    """The roles that a route or what it depends on asks for."""
    for each in dependant.dependencies:
        if isinstance(each.call, Needs):
            yield each.call.role
        yield from asked(each)


def needed(route: APIRoute) -> Role:
    """The role that a route asks for."""
    roles = set(asked(route.dependant))
    assert len(roles) == 1, f"{route.path}: asks for one role, with Viewer, Operator or Admin"
    return roles.pop()


def example(document: dict[str, Any], schema: dict[str, Any]) -> object:
    """The example of a body."""
    while "examples" not in schema:
        schema = schema["anyOf"][0] if "anyOf" in schema else schema
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema["examples"][0]


def requests(world: World) -> Iterator[tuple[APIRoute, str, str, object]]:
    """Every operation: its route, method, address and body, all of examples."""
    document = world.app.openapi()
    for route in routes(world):
        for method in sorted(route.methods or ()):
            operation = document["paths"][route.path][method.lower()]
            path, query = route.path, []
            for parameter in operation.get("parameters", []):
                if parameter["in"] == "path":
                    path = path.replace("{" + parameter["name"] + "}", str(parameter["schema"]["examples"][0]))
                elif parameter.get("required"):
                    value = parameter["schema"]["examples"][0]
                    query.append(f"{parameter['name']}={value[0] if isinstance(value, list) else value}")
            content = operation.get("requestBody", {}).get("content", {}).get("application/json")
            body = example(document, content["schema"]) if content else None
            yield route, method, path + ("?" + "&".join(query) if query else ""), body


def test_every_route_is_under_v1_tagged_and_asks_for_a_role(world: World) -> None:
    assert {route.path for route in routes(world)} == set(world.app.openapi()["paths"])
    for route in routes(world):
        assert route.path.startswith("/v1/")
        assert len(route.tags) == 1, route.path
        role = needed(route)
        if (route.methods or set()) - {"GET", "HEAD"} and route.path != LINKS:
            assert role is not Role.VIEWER, f"{route.path}: a viewer changes nothing"


async def test_every_route_refuses_strangers_lesser_roles_and_foreign_scopes(world: World) -> None:
    below = {Role.OPERATOR: Role.VIEWER, Role.ADMIN: Role.OPERATOR}
    scoped = world.keys.make("acme", Role.ADMIN)
    world.keys.items[key_hash(scoped)] = world.keys.items[key_hash(scoped)].model_copy(
        update={"scopes": frozenset({"nothing-of-ours"})}
    )
    async with world.client(key="") as client:
        for route, method, path, body in requests(world):
            if "/events" in path:
                path += "?device=truck-0"  # noqa: PLW2901 - a stream would not end
            stranger = await client.request(method, path, json=body)
            assert stranger.status_code == 401, (method, path)
            keys = [scoped]
            if (lesser := below.get(needed(route))) is not None:
                keys.append(world.keys.make("acme", lesser))
            for key in keys:
                refused = await client.request(method, path, json=body, headers={"X-API-Key": key})
                assert refused.status_code == 403, (method, path)
                assert 'error="insufficient_scope"' in refused.headers["www-authenticate"]
                assert refused.headers["content-type"] == "application/problem+json"
            assert {"401", "403" if len(keys) > 1 else "401"} <= set(
                world.app.openapi()["paths"][route.path][method.lower()]["responses"]
            )


async def test_what_is_anothers_is_not_there_on_any_route(world: World) -> None:
    """The other tenant owns everything that the examples name; its own admin sees all of it, ours nothing."""
    await world.fill("demo")
    walked = [
        (method, path, body)
        for route, method, path, body in requests(world)
        if "{" in route.path and route.path != LINKS
    ]
    # At last what makes a thing of the stranger's own, and what takes the owner's away.
    walked.sort(key=lambda each: ("PUT", "DELETE").index(each[0]) if each[0] in ("PUT", "DELETE") else -1)
    async with world.client(role=Role.ADMIN) as stranger:
        for method, path, body in walked:
            answer = await stranger.request(method, path, json=body)
            own = method == "PUT" and answer.status_code == 201
            if own:
                await stranger.delete(path)
            assert own or answer.status_code == 404, (method, path, answer.text)
    async with world.client(role=Role.ADMIN, tenant="demo") as owner:
        for method, path, body in walked:
            await world.fill("demo")
            answer = await owner.request(method, path, json=body)
            assert answer.status_code in {200, 201, 202, 204, 409, 412, 428}, (method, path, answer.text)


async def test_too_many_requests_are_told_to_wait_and_others_are_not(world: World) -> None:
    world = World(burst=3)
    key = world.keys.make("acme")
    async with world.client(key=key) as client, world.client() as other:
        codes = [(await client.get("/v1/me")).status_code for _ in range(4)]
        assert codes == [200, 200, 200, 429]
        limited = await client.get("/v1/nowhere")
        assert (limited.status_code, limited.headers["retry-after"]) == (429, "1")
        assert (await other.get("/v1/me")).status_code == 200
        world.monotonic += 1
        assert (await client.get("/v1/me")).status_code == 200
        assert (await client.get("/v1/me")).status_code == 429
    assert world.registry.get_sample_value("sensorcast_api_limited_total") == 3


def test_a_bucket_fills_to_its_burst_and_the_least_recent_are_forgotten() -> None:
    ticks = itertools.count()
    rates = Rates(per_second=0.001, burst=1, capacity=2, monotonic=lambda: float(next(ticks)))
    assert rates.take("a") == 0
    assert rates.take("a") > 900
    assert rates.take("b") == 0
    assert rates.take("c") == 0
    assert len(rates._buckets) == 2
    with pytest.raises(ValueError, match="burst"):
        Rates(per_second=1, burst=0)


async def test_keys_are_made_listed_and_revoked_by_an_admin_for_the_own_tenant(world: World) -> None:
    async with world.client(role=Role.ADMIN) as admin, world.client(role=Role.ADMIN, tenant="other") as other:
        body = {"name": "dispatch", "role": "viewer", "scopes": ["fleet"], "expires_in_days": 1}
        made = (await admin.post("/v1/keys", json=body)).json()
        async with world.client(key=made["key"]) as client:
            assert (await client.get("/v1/fleet")).status_code == 200
            assert (await client.get("/v1/devices")).status_code == 403
            listed = {each["key_id"]: each for each in (await admin.get("/v1/keys")).json()["items"]}
            assert listed[made["key_id"]]["scopes"] == ["fleet"]
            assert made["key"] not in str(listed)
            assert (await other.delete(f"/v1/keys/{made['key_id']}")).status_code == 404
            assert (await admin.delete(f"/v1/keys/{made['key_id']}")).status_code == 204
            assert (await client.get("/v1/fleet")).status_code == 401
        wrong = await admin.post("/v1/keys", json=body | {"scopes": ["everything"]})
        assert wrong.json()["errors"][0]["field"] == "scopes"


async def test_a_scoped_admin_makes_no_key_that_opens_more(world: World) -> None:
    key = world.keys.make("acme", Role.ADMIN)
    narrow = {"scopes": frozenset({"keys", "fleet"})}
    world.keys.items[key_hash(key)] = world.keys.items[key_hash(key)].model_copy(update=narrow)
    async with world.client(key=key) as client:
        for scopes, status in ((["fleet"], 201), (["fleet", "readings"], 422), ([], 422)):
            answer = await client.post("/v1/keys", json={"name": "n", "scopes": scopes})
            assert answer.status_code == status
