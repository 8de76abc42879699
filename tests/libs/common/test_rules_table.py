"""The table of rules keeps versions in order."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from tests.servers.aws import DeployedStack

from sensorcast_common.product import ProductProfile
from sensorcast_common.rule import LimitCondition, ProductCondition, Rule
from sensorcast_common.tables.products import ProductConflict, ProductsTable
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
    assert stored.limits() == [("above", 9)]


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


async def test_every_version_is_kept_with_who_changed_it(table: RulesTable) -> None:
    await table.put(rule(), by="dispatch")
    await table.apply(rule(above=9), by="operator")
    await table.apply(rule(above=9), by="nobody")
    await table.delete("acme", "fridge", by="admin")
    await table.put(rule(above=5), by="dispatch")
    kept = await table.versions("acme", "fridge")
    assert [(each.version, each.changed_by) for each in kept] == [
        (1, "dispatch"),
        (2, "admin"),
        (2, "operator"),
        (1, "dispatch"),
    ]
    assert [each.rule.limits() if each.rule else None for each in kept] == [
        [("above", 5)],
        None,
        [("above", 9)],
        [("above", 8)],
    ]


async def test_a_rule_about_a_product_is_read_with_its_profile(stack: DeployedStack) -> None:
    async with stack.aws.client("dynamodb") as client:
        rules, products = RulesTable(client, stack.names), ProductsTable(client, stack.names)
        about = rule().model_copy(update={"condition": ProductCondition(product="vaccine")})
        await rules.put(about)
        assert (await rules.list("acme"))[0].limits() == []
        vaccine = ProductProfile(tenant="acme", product_id="vaccine", name="Vaccine", above=8, below=2)
        await products.apply(vaccine, by="operator")
        changed = await products.apply(vaccine.model_copy(update={"above": 9.0}), by="operator")
        assert changed.version == 2
        with pytest.raises(ProductConflict, match="version: product 'vaccine'"):
            await products.put(vaccine, by="operator")
        assert await products.list("acme") == [changed]
        for read in (await rules.get("acme", "fridge"), *await rules.list("acme"), *[r async for r in rules.every()]):
            assert read is not None
            assert read.profile == changed
            assert read.limits() == [("above", 9), ("below", 2)]
        assert (await rules.apply(about)).version == 1
        assert await products.delete("acme", "vaccine", by="operator")
        assert not await products.delete("acme", "vaccine", by="operator")
