"""A file of rules is taken whole or not at all, and what is wrong is named."""

import asyncio
from pathlib import Path

import pytest
from tests.servers.aws import DeployedStack
from typer.testing import CliRunner

from sensorcast_alerter.rules_command import app
from sensorcast_alerter.rules_file import RulesFileError, parse_file
from sensorcast_common.rule import LimitCondition

GOOD = """
tenant: demo
rules:
  - rule_id: chilled
    name: Chilled goods
    device: "truck-*"
    condition:
      above: 8
      forecast: {min_probability: 0.8}
    sms: ["+4915112345678"]
  - {rule_id: frozen, name: Frozen goods, tenant: other, condition: {above: -18, hold_seconds: 600}}
"""


def test_rules_take_the_tenant_of_the_file_or_their_own() -> None:
    chilled, frozen = parse_file(GOOD).rules
    assert (chilled.tenant, chilled.rule_id, chilled.limits()) == ("demo", "chilled", [("above", 8)])
    assert (frozen.tenant, frozen.condition) == ("other", LimitCondition(above=-18, hold_seconds=600))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("rules: [", "not YAML"),
        ("[]", "rules: expected a list"),
        ("products: {}", "products: expected a list"),
        ("tenant: t\nproducts: [{product_id: p, name: p}]", "products[0] (p).: above, below or mean_kinetic_above"),
        ("tenant: a/b\nrules: []", "tenant: 'a/b' is not a name"),
        ("tenants: demo\nrules: []", "tenants: unknown field"),
        ("tenant: t\nrules: [5]", "rules[0].rule: expected fields, got 5"),
        ("tenant: t\nrules: [{rule_id: r}]", "rules[0] (r).name: Field required"),
        ("rules: [{rule_id: r, name: n, condition: {above: 1}}]", "rules[0] (r).tenant: Field required"),
        (
            "tenant: t\nrules: [{rule_id: r, name: n, condition: {above: hot}}]",
            "rules[0] (r).condition.above: Input should be a valid number, got 'hot'",
        ),
        ("tenant: t\nrules: [{rule_id: r, name: n, condition: {}}]", "rules[0] (r).condition: above or below"),
        (
            "tenant: t\nrules: [{rule_id: r, name: n, condition: {above: 1}, sms: ['0151']}]",
            "rules[0] (r).sms.0: String should match pattern",
        ),
        (
            "tenant: t\nrules: [{rule_id: r, name: n, condition: "
            "{above: 1, forecast: {min_probability: 0.5, clear_probability: 0.6}}}]",
            "rules[0] (r).condition.forecast: clear_probability: 0.6 must not be greater than min_probability (0.5)",
        ),
        ("tenant: t\nrules: [{rule_id: r, name: n, version: 2, condition: {above: 1}}]", "rules[0] (r).version"),
        (
            "tenant: t\nrules: [&r {rule_id: r, name: n, condition: {above: 1}}, *r]",
            "rule_id: 'r' is there 2 times",
        ),
        ("tenant: t\nrules: [{rule_id: r, name: n, colour: red, condition: {above: 1}}]", "rules[0] (r).colour: Extra"),
    ],
)
def test_what_is_wrong_is_named(text: str, problem: str) -> None:
    with pytest.raises(RulesFileError) as error:
        parse_file(text)
    assert any(problem in line for line in error.value.problems), error.value.problems


async def test_the_command_applies_and_lists(stack: DeployedStack, tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text(GOOD)

    def run(*arguments: str) -> str:
        result = CliRunner().invoke(app, [*arguments], env=stack.env)
        assert result.exit_code == 0, result.output
        return result.output

    assert await asyncio.to_thread(run, "apply", str(file)) == (
        "demo/chilled: created, version 1\nother/frozen: created, version 1\n"
    )
    file.write_text(GOOD.replace("above: 8", "above: 7"))
    assert await asyncio.to_thread(run, "apply", str(file)) == (
        "demo/chilled: changed, version 2\nother/frozen: unchanged, version 1\n"
    )
    listed = await asyncio.to_thread(run, "ls")
    assert "demo/chilled  v2  warning  truck-* temperature  above 7  or 80% likely  -> +4915112345678" in listed
    assert "other/frozen" not in await asyncio.to_thread(run, "ls", "--tenant", "demo")


def test_the_command_names_the_file_and_stores_nothing(tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text("tenant: t\nrules: [{rule_id: r}]")
    result = CliRunner().invoke(app, ["apply", str(file)])
    assert result.exit_code == 2
    assert f"{file}: rules[0] (r).name: Field required" in result.output


def test_a_rule_about_a_product_of_the_file_has_its_profile() -> None:
    text = """
tenant: t
products: [{product_id: vaccine, name: Vaccine, above: 8, below: 2, consecutive_minutes: 30}]
rules: [{rule_id: r, name: n, condition: {kind: product, product: vaccine}}]
"""
    (rule,) = parse_file(text).rules
    assert rule.limits() == [("above", 8), ("below", 2)]
