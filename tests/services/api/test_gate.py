"""What holds for every route, also for those that are added later: credential, role, scope, limits."""

import itertools
from collections.abc import Iterator

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts
from tests.services.api.fakes import World
from tests.services.api.operations import operations

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
    """The role that a route asks for; what it depends on may ask for a lesser one."""
    roles = set(asked(route.dependant))
    assert roles, f"{route.path}: asks for a role, with Viewer, Operator or Admin"
    return next(role for role in roles if all(role.includes(each) for each in roles))


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
    by_template = {(method, route.path): route for route in routes(world) for method in route.methods or ()}
    async with world.client(key="") as client:
        for operation in operations(world.app.openapi()):
            route = by_template.pop((operation.method, operation.template))
            stranger = await operation.send(client)
            assert stranger.status_code == 401, operation
            keys = [scoped]
            if (lesser := below.get(needed(route))) is not None:
                keys.append(world.keys.make("acme", lesser))
            for key in keys:
                refused = await operation.send(client, headers={"X-API-Key": key})
                assert refused.status_code == 403, operation
                assert 'error="insufficient_scope"' in refused.headers["www-authenticate"]
                assert refused.headers["content-type"] == "application/problem+json"
            assert {"401", "403" if len(keys) > 1 else "401"} <= set(
                world.app.openapi()["paths"][route.path][operation.method.lower()]["responses"]
            )
    assert not by_template


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
