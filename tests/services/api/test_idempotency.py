"""Writes that name themselves are done once."""

import asyncio

import pytest
from tests.servers.aws import AwsAccount
from tests.servers.waiting import until
from tests.services.api.fakes import World

from sensorcast_common.names import Names
from sensorcast_common.rule import Rule
from sensorcast_common.tables.api_keys import Role
from sensorcast_common.tables.idempotency import LEASE_MS, IdempotencyTable, KeptAnswer, Stage

RULE = {"name": "Too warm", "condition": {"above": 8}}
ONCE = {"Idempotency-Key": '"8e03978e-40d5-43dd-bc93-6894a57f9324"'}


async def test_a_write_that_is_sent_again_is_answered_again_and_not_done_again(world: World) -> None:
    async with world.client(role=Role.OPERATOR) as client:
        first = await client.put("/v1/rules/warm", json=RULE, headers=ONCE)
        again = await client.put("/v1/rules/warm", json=RULE, headers=ONCE)
        assert (first.status_code, again.status_code) == (201, 201)
        assert (again.json(), again.headers["etag"]) == (first.json(), first.headers["etag"])
        assert again.headers["idempotency-replayed"] == "true"
        assert "idempotency-replayed" not in first.headers
        other = await client.put("/v1/rules/warm", json=RULE | {"name": "x"}, headers=ONCE)
        assert (other.status_code, other.json()["type"].rpartition(":")[2]) == (422, "idempotency-key-reused")
        seen = await client.put("/v1/rules/warm", json=RULE, headers=ONCE | {"If-Match": '"1"'})
        assert seen.status_code == 422
        assert (await client.put("/v1/rules/cold", json=RULE, headers=ONCE)).status_code == 201
        await client.delete("/v1/rules/cold")
        gone = [await client.delete("/v1/rules/warm", headers={"Idempotency-Key": "gone"}) for _ in range(2)]
        assert [answer.status_code for answer in gone] == [204, 204]
    assert world.rules.items == {}


async def test_anothers_key_of_the_same_name_is_another(world: World) -> None:
    async with world.client(role=Role.OPERATOR) as mine, world.client(role=Role.OPERATOR, tenant="other") as other:
        await mine.put("/v1/rules/warm", json=RULE, headers=ONCE)
        answer = await other.put("/v1/rules/warm", json=RULE | {"name": "x"}, headers=ONCE)
    assert (answer.status_code, answer.json()["tenant"]) == (201, "other")


async def test_a_write_under_way_is_a_conflict_and_one_that_failed_may_be_tried_again(world: World) -> None:
    go, put = asyncio.Event(), world.rules.put

    async def slow(rule: Rule, *, by: str) -> None:
        await go.wait()
        raise ConnectionError

    world.rules.put = slow  # type: ignore[method-assign] # the fake is away, as a store may be
    async with world.client(role=Role.OPERATOR) as client:
        running = asyncio.create_task(client.put("/v1/rules/warm", json=RULE, headers=ONCE))
        await until(lambda: bool(world.idempotency.items), every=0)
        meanwhile = await client.put("/v1/rules/warm", json=RULE, headers=ONCE)
        assert (meanwhile.status_code, meanwhile.headers["retry-after"]) == (409, "1")
        go.set()
        assert (await running).status_code == 500
        world.rules.put = put  # type: ignore[method-assign]
        assert (await client.put("/v1/rules/warm", json=RULE, headers=ONCE)).status_code == 201


@pytest.mark.parametrize("key", ["", "a b", "ä".encode(), "x" * 256])
async def test_a_key_that_is_none_is_named(world: World, key: str | bytes) -> None:
    raw = key.encode() if isinstance(key, str) else key
    async with world.client(role=Role.OPERATOR) as client:
        answer = await client.put("/v1/rules/warm", json=RULE, headers={b"Idempotency-Key": raw})
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == "Idempotency-Key"
        long = await client.put("/v1/rules/warm", json=RULE | {"name": "x" * 70_000}, headers=ONCE)
    assert long.status_code == 413
    assert world.rules.items == {}


async def test_a_key_that_is_made_is_shown_once_and_never_stored(world: World) -> None:
    async with world.client(role=Role.ADMIN) as admin:
        first = await admin.post("/v1/keys", json={"name": "page"}, headers=ONCE)
        again = await admin.post("/v1/keys", json={"name": "page"}, headers=ONCE)
        plain = await admin.post("/v1/keys", json={"name": "page"})
    assert (first.status_code, again.status_code) == (201, 409)
    assert again.json()["type"].endswith("answer-not-kept")
    assert first.json()["key"] not in str(world.idempotency.items)
    for answer in (first, plain):
        assert "x-sensorcast-unrepeatable" not in answer.headers
        assert answer.headers["cache-control"] == "no-store"


async def test_the_table_gives_a_name_to_one_and_takes_it_back_from_the_dead(any_account: AwsAccount) -> None:
    names, now = Names(), 4_000_000_000_000
    async with any_account.aws.client("dynamodb") as client:
        await client.create_table(
            TableName=names.table_idempotency,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        )
        table = IdempotencyTable(client, names)
        claims = await asyncio.gather(*(table.claim("a", f"f{number}", now=now) for number in range(5)))
        assert sorted(claim.stage for claim in claims) == [Stage.NEW] + [Stage.RUNNING] * 4
        assert (await table.claim("a", "f", now=now + LEASE_MS - 1)).stage is Stage.RUNNING
        assert (await table.claim("a", "f", now=now + LEASE_MS)).stage is Stage.NEW
        answer = KeptAnswer(status=201, headers={"etag": '"1"'}, body=b"\x00{}")
        await table.finish("a", answer)
        assert (await table.claim("a", "g", now=now + 2 * LEASE_MS)).answer == answer
        assert (await table.claim("a", "g", now=now + 2 * 86_400_000)).stage is Stage.NEW
        await table.finish("a", KeptAnswer(status=204))
        kept = (await table.claim("a", "g", now=now + 2 * 86_400_000)).answer
        assert kept == KeptAnswer(status=204)
        await table.release("a")
        assert (await table.claim("a", "g", now=now)).stage is Stage.NEW
