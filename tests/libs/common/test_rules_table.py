"""The table of rules keeps versions in order."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from tests.servers.aws import DeployedStack

from sensorcast_common.rule import LimitCondition, Rule
from sensorcast_common.tables.rules import RuleConflict, RulesTable


@pytest.fixture
async def table(stack: DeployedStack) -> AsyncIterator[RulesTable]:
    async with stack.aws.client("dynamodb") as client:
        yield RulesTable(client, stack.names)


def rule(rule_id: str = "fridge", *, tenant: str = "acme", above: float = 8.0, version: int = 1) -> Rule:
    return Rule(tenant=tenant, rule_id=rule_id, name="Fridge", condition=LimitCondition(above=above), version=version)


async def test_what_is_put_is_read(table: RulesTable) -> None:
    await table.put(rule("b"))
    await table.put(rule("a"))
    await table.put(rule("a", tenant="other"))
    assert [each.rule_id for each in await table.list("acme")] == ["a", "b"]
    assert await table.get("acme", "a") == rule("a")
    assert await table.get("acme", "none") is None
    assert {(each.tenant, each.rule_id) async for each in table.every()} == {
        ("acme", "a"),
        ("acme", "b"),
        ("other", "a"),
    }


async def test_a_change_must_be_of_the_version_that_is_there(table: RulesTable) -> None:
    with pytest.raises(RuleConflict):
        await table.put(rule(version=2))
    await table.put(rule())
    with pytest.raises(RuleConflict, match="version: rule 'fridge' of 'acme' is not at version 0"):
        await table.put(rule(above=9))
    await table.put(rule(above=9, version=2))
    stored = await table.get("acme", "fridge")
    assert stored is not None
    assert stored.condition.above == 9


async def test_applying_the_same_rule_again_makes_no_version(table: RulesTable) -> None:
    assert (await table.apply(rule())).version == 1
    assert (await table.apply(rule())).version == 1
    assert (await table.apply(rule(above=9))).version == 2


async def test_rules_applied_at_once_each_get_a_version(table: RulesTable) -> None:
    applied = await asyncio.gather(*(table.apply(rule(above=above)) for above in (5, 6, 7)))
    assert sorted(each.version for each in applied) == [1, 2, 3]


async def test_a_deleted_rule_is_gone(table: RulesTable) -> None:
    await table.put(rule())
    assert await table.delete("acme", "fridge")
    assert not await table.delete("acme", "fridge")
    assert await table.get("acme", "fridge") is None


async def test_more_rules_than_one_page_are_all_read(table: RulesTable) -> None:
    many = [rule(f"rule-{at:05}", above=at).model_copy(update={"name": "x" * 80}) for at in range(30)]
    await asyncio.gather(*map(table.put, many))
    assert await table.list("acme") == many
