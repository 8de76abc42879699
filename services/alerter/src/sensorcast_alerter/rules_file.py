"""Reads rules from YAML, and says what is wrong with them by the name of the field.

```yaml
tenant: demo
rules:
  - rule_id: chilled
    name: Chilled goods
    device: "truck-*"
    metric: temperature
    condition:
      above: 8
      hold_seconds: 300
      forecast: {min_probability: 0.8}
    severity: critical
    sms: ["+4915112345678"]
```
"""

from collections import Counter
from typing import TYPE_CHECKING, Final

import yaml
from pydantic import ValidationError

from sensorcast_common.invalid import plain_location
from sensorcast_common.names import is_name
from sensorcast_common.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Mapping


_NOT_TO_WRITE: Final = {
    "version": "is counted when a rule is stored",
    "profile": "is found by the name of the product",
}


class RulesFileError(Exception):
    """The file is not one of rules; `problems` has a line for each thing that is wrong."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def parse_rules(text: str) -> list[Rule]:
    """The rules of a file; all of them are sound, or none is returned.

    Raises:
        RulesFileError: Something is wrong; each line names the rule and the field.
    """
    try:
        document: object = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise RulesFileError([f"not YAML: {error}"]) from error
    if not isinstance(document, dict) or not isinstance(document.get("rules"), list):
        raise RulesFileError(["rules: expected a list of rules under this name"])
    problems = [f"{name}: unknown field" for name in document if name not in {"tenant", "rules"}]
    tenant = document.get("tenant")
    if tenant is not None and not (isinstance(tenant, str) and is_name(tenant)):
        problems.append(f"tenant: {tenant!r} is not a name")
    rules: list[Rule] = []
    for at, entry in enumerate(document["rules"]):
        try:
            rules.append(_rule(entry, tenant))
        except ValidationError as error:
            problems += [f"{_place(at, entry)}.{line}" for line in _lines(error)]
        except ValueError as error:
            problems.append(f"{_place(at, entry)}.{error}")
    counted = Counter((rule.tenant, rule.rule_id) for rule in rules)
    problems += [f"rule_id: {rule_id!r} is there {n} times" for (_, rule_id), n in counted.items() if n > 1]
    if problems:
        raise RulesFileError(problems)
    return rules


def _rule(entry: object, tenant: object) -> Rule:
    if not isinstance(entry, dict):
        raise ValueError(f"rule: expected fields, got {entry!r}")  # noqa: TRY004 - the file is wrong, not the code
    for name, why in _NOT_TO_WRITE.items():
        if name in entry:
            raise ValueError(f"{name}: {why}; leave it out")
    fields: Mapping[str, object] = {"tenant": tenant, **entry} if tenant is not None else entry
    rule = Rule.model_validate(fields)
    if not is_name(rule.tenant):
        raise ValueError(f"tenant: {rule.tenant!r} is not a name")
    return rule


def _place(at: int, entry: object) -> str:
    rule_id = entry.get("rule_id") if isinstance(entry, dict) else None
    return f"rules[{at}] ({rule_id})" if isinstance(rule_id, str) else f"rules[{at}]"


def _lines(error: ValidationError) -> list[str]:
    lines = []
    for problem in error.errors(include_url=False):
        where = ".".join(plain_location(problem["loc"]))
        got = "" if problem["type"] in {"missing", "value_error"} else f", got {problem['input']!r}"
        lines.append(f"{where}: {problem['msg'].removeprefix('Value error, ')}{got}")
    return lines
