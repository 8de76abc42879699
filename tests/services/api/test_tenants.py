"""Another tenant's things do not exist, on every route."""

import copy

import httpx
from tests.services.api.fakes import NOW, BriefHub, World
from tests.services.api.operations import operations
from tests.services.api.test_history import HistoryWorld

from sensorcast_common.tables.api_keys import Role

INCIDENT = "019a0c2e-5f2b-7c3d-9e4f-0123456789ab"
NOBODYS = {
    "device": "nobodys",
    "escalation_id": "nobodys",
    "incident_id": INCIDENT.replace("019a", "019b"),
    "key_id": "f" * 16,
    "message_id": "1780000000000-" + "f" * 16,
    "product_id": "nobodys",
    "recipient_id": "nobodys",
    "rule_id": "nobodys",
    "silence_id": "nobodys",
    "name": "nobodys",
}
"""A well-formed name of nothing for everything that a path names."""

SHARED = ("/v1/dashboards/{name}/links",)
"""What is the service's own and no tenant's."""


async def filled(owner: str) -> HistoryWorld:
    """A world in which only `owner` has what the document's examples name."""
    made = HistoryWorld()
    made.use(BriefHub())
    await made.fill(owner)
    for tenant in ("acme", "other"):
        await made.services.subscriptions.confirm([f"dt/{tenant}/+/readings", f"alerts/{tenant}/+"])
    return made


def theirs(world: World) -> object:
    """All that the other tenant has."""
    stores = (
        world.devices.items,
        world.incidents.items,
        world.rules.items,
        world.products.items,
        world.contacts.recipients.items,
        world.contacts.escalations.items,
        world.contacts.silences.items,
        world.quarantine.items,
        world.services.stores.journal.entries,  # type: ignore[attr-defined] # the fake's
    )
    kept = [{key: item for key, item in items.items() if key[0] == "other"} for items in stores]
    keys = [key for key in world.keys.items.values() if key.tenant == "other"]
    return copy.deepcopy((kept, keys))


async def test_what_another_tenant_has_is_not_there_on_any_route_and_nothing_of_it_changes() -> None:
    """Every operation of the document, those that are added later too."""
    world = await filled("other")
    every = operations(world.app.openapi())
    async with world.client(role=Role.ADMIN) as mine:
        before = theirs(world)
        named = [each for each in every if each.names_something]
        for operation in named:
            answer, nothing = await operation.send(mine), await operation.of(**NOBODYS).send(mine)
            if operation.method == "PUT":
                # A name is free in each tenant: this makes one's own.
                assert (answer.status_code, nothing.status_code) == (201, 201), operation
            elif operation.template.startswith("/v1/history/"):
                # A question about the past of one's own devices, of which none is called so.
                assert (answer.status_code, nothing.status_code) == (200, 200), operation
                assert plain(answer) == plain(nothing), operation
            else:
                assert (answer.status_code, nothing.status_code) == (404, 404), operation
                assert plain(answer) == plain(nothing), operation
        assert theirs(world) == before
    assert len(named) > 30
    assert {each.template for each in every if "{" in each.template} == {each.template for each in named if each.things}


async def test_its_owner_finds_it_on_every_route() -> None:
    """Else the test above would find nothing for the wrong reason."""
    world = await filled("acme")
    for operation in operations(world.app.openapi()):
        if operation.template in SHARED:
            continue
        await world.fill("acme")
        async with world.client(role=Role.ADMIN) as owner:
            answer = await operation.send(owner)
        refused = {"PUT": 428, "DELETE": 204}.get(operation.method, answer.status_code)
        assert answer.status_code == refused, operation
        assert answer.status_code in (200, 201, 202, 204, 428), (operation, answer.text)


async def test_lists_hold_only_ones_own() -> None:
    world = await filled("other")
    async with world.client(role=Role.ADMIN) as mine:
        for operation in operations(world.app.openapi()):
            if operation.method == "GET" and not operation.names_something:
                answer = await operation.send(mine)
                assert answer.status_code == 200, operation
                assert "truck-7" not in answer.text, operation
                assert "north" not in answer.text.replace('"site":"north"', ""), operation
                assert '"other"' not in answer.text, operation


def plain(answer: httpx.Response) -> str:
    """An answer without what differs from request to request."""
    return answer.text.replace(answer.headers["x-request-id"], "")


async def fill(world: World) -> None:
    world.readings.put("other", "truck-9", NOW - 1000, 1.0)
    world.forecasts.put("other", "truck-9", NOW)
    world.incidents.put("other", INCIDENT, device="truck-9")
    async with world.client(role=Role.OPERATOR, tenant="other") as other:
        created = await other.put("/v1/rules/theirs", json={"name": "r", "condition": {"above": 8}})
        assert created.status_code == 201


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
