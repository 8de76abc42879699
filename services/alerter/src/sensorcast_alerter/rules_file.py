"""Reads rules and product profiles from YAML, and says what is wrong with them by the name of the field.

```yaml
tenant: demo
products:
  - {product_id: vaccine, name: Vaccine, above: 8, below: 2, consecutive_minutes: 30}
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
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

import yaml
from pydantic import ValidationError

from sensorcast_common.invalid import plain_location
from sensorcast_common.names import is_name
from sensorcast_common.product import ProductProfile
from sensorcast_common.rule import ProductCondition, Rule

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


_NOT_TO_WRITE: Final = {
    "version": "is counted when it is stored",
    "profile": "is found by the name of the product",
}


ThingT = TypeVar("ThingT", ProductProfile, Rule)


class RulesFileError(Exception):
    """The file is not one of rules; `problems` has a line for each thing that is wrong."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class RulesFile(NamedTuple):
    """What a file says.

    Attributes:
        products: Product profiles.
        rules: Rules; one about a product of the file has its profile.
    """

    products: list[ProductProfile]
    rules: list[Rule]


def parse_file(text: str) -> RulesFile:
    """The products and rules of a file; all of them are sound, or none is returned.

    Raises:
        RulesFileError: Something is wrong; each line names the product or rule, and the field.
    """
    try:
        document: object = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise RulesFileError([f"not YAML: {error}"]) from error
    if not isinstance(document, dict) or not isinstance(document.get("rules", []), list):
        raise RulesFileError(["rules: expected a list of rules under this name"])
    if not isinstance(document.get("products", []), list):
        raise RulesFileError(["products: expected a list of product profiles under this name"])
    problems = [f"{name}: unknown field" for name in document if name not in {"tenant", "products", "rules"}]
    tenant = document.get("tenant")
    if tenant is not None and not (isinstance(tenant, str) and is_name(tenant)):
        problems.append(f"tenant: {tenant!r} is not a name")
    products = _each(document, "products", "product_id", ProductProfile, tenant, problems)
    rules = _each(document, "rules", "rule_id", Rule, tenant, problems)
    if problems:
        raise RulesFileError(problems)
    profiles = {(each.tenant, each.product_id): each for each in products}
    return RulesFile(products, [_with_profile(rule, profiles) for rule in rules])


def _each(
    document: "Mapping[str, Sequence[object]]",
    listing: str,
    id_field: str,
    model: type[ThingT],
    tenant: object,
    problems: list[str],
) -> list[ThingT]:
    """The things of one list; what is wrong with them goes to `problems`."""
    things: list[ThingT] = []
    for at, entry in enumerate(document.get(listing, [])):
        place = _place(listing, id_field, at, entry)
        try:
            things.append(_thing(entry, model, tenant))
        except ValidationError as error:
            problems += [f"{place}.{line}" for line in _lines(error)]
        except ValueError as error:
            problems.append(f"{place}.{error}")
    counted = Counter((thing.tenant, str(getattr(thing, id_field))) for thing in things)
    problems += [f"{id_field}: {name!r} is there {n} times" for (_, name), n in counted.items() if n > 1]
    return things


def _thing(entry: object, model: type[ThingT], tenant: object) -> ThingT:
    if not isinstance(entry, dict):
        raise ValueError(f"{model.__name__.lower()}: expected fields, got {entry!r}")  # noqa: TRY004 - the file is wrong, not the code
    for name, why in _NOT_TO_WRITE.items():
        if name in entry:
            raise ValueError(f"{name}: {why}; leave it out")
    fields: Mapping[str, object] = {"tenant": tenant, **entry} if tenant is not None else entry
    thing = model.model_validate(fields)
    if not is_name(thing.tenant):
        raise ValueError(f"tenant: {thing.tenant!r} is not a name")
    return thing


def _with_profile(rule: Rule, profiles: "Mapping[tuple[str, str], ProductProfile]") -> Rule:
    if not isinstance(rule.condition, ProductCondition):
        return rule
    return rule.model_copy(update={"profile": profiles.get((rule.tenant, rule.condition.product))})


def _place(listing: str, id_field: str, at: int, entry: object) -> str:
    name = entry.get(id_field) if isinstance(entry, dict) else None
    return f"{listing}[{at}] ({name})" if isinstance(name, str) else f"{listing}[{at}]"


def _lines(error: ValidationError) -> list[str]:
    lines = []
    for problem in error.errors(include_url=False):
        where = ".".join(plain_location(problem["loc"]))
        got = "" if problem["type"] in {"missing", "value_error"} else f", got {problem['input']!r}"
        lines.append(f"{where}: {problem['msg'].removeprefix('Value error, ')}{got}")
    return lines
