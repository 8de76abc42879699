"""Finds the limits that watch a series: patterns are compiled once, and whole names are looked up."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import translate

from sensorcast_common.reading import SeriesKey
from sensorcast_common.rule import Rule, SilenceCondition
from sensorcast_rules.limits import Limit

_WILD = re.compile(r"[*?]")


@dataclass(frozen=True, slots=True)
class _Compiled:
    rule: Rule
    device: re.Pattern[str]
    metric: re.Pattern[str]
    limits: tuple[Limit, ...]

    def watches(self, series: SeriesKey) -> bool:
        return self.metric.match(series.metric) is not None and self.device.match(series.device) is not None


class RulesIndex:
    """The enabled rules of all tenants.

    Its answers are those of `Rule.applies_to`, which recompiles its patterns once there are more than a few hundred.

    Args:
        rules: All rules.
    """

    def __init__(self, rules: Iterable[Rule] = ()) -> None:
        self.rules = {(rule.tenant, rule.rule_id): rule for rule in rules}
        self._by_device: dict[tuple[str, str], list[_Compiled]] = {}
        self._by_pattern: dict[str, list[_Compiled]] = {}
        for rule in self.rules.values():
            if not rule.enabled:
                continue
            compiled = _Compiled(
                rule, re.compile(translate(rule.device)), re.compile(translate(rule.metric)), Limit.of(rule)
            )
            if _WILD.search(rule.device):
                self._by_pattern.setdefault(rule.tenant, []).append(compiled)
            else:
                self._by_device.setdefault((rule.tenant, rule.device), []).append(compiled)

    @property
    def needs_devices(self) -> bool:
        """Whether some rule needs to know the devices: their labels, or that one exists of which nothing is heard."""
        return any(
            rule.enabled and (rule.labels or isinstance(rule.condition, SilenceCondition))
            for rule in self.rules.values()
        )

    def limits_of(self, series: SeriesKey, labels: Mapping[str, str] | None = None) -> list[Limit]:
        """Every limit that watches `series`, whose device has these labels, in the order of the rules' names."""
        candidates = self._by_device.get((series.tenant, series.device), []) + self._by_pattern.get(series.tenant, [])
        limits = [
            limit
            for each in candidates
            if each.watches(series) and each.rule.fits(labels or {})
            for limit in each.limits
        ]
        return sorted(limits, key=lambda limit: limit.key)
