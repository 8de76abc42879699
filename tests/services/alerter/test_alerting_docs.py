"""Every example of docs/alerting.md is a sound file of rules, and every kind has one."""

import re
from pathlib import Path

from sensorcast_alerter.rules_file import parse_file
from sensorcast_common.condition import KINDS

PAGE = Path(__file__).parents[3] / "docs" / "alerting.md"


def test_every_kind_of_rule_has_an_example_that_can_be_applied() -> None:
    files = [parse_file(block) for block in re.findall(r"```yaml\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)]
    assert {rule.condition.kind for file in files for rule in file.rules} == set(KINDS)
    assert all(rule.limits() for file in files for rule in file.rules if rule.condition.kind in {"limit", "product"})
