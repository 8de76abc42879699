"""Alert rules: what is watched, and who is told."""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from sensorcast_common.clock import UtcDatetime
from sensorcast_common.condition import (
    Condition,
    ForecastCondition,
    LimitCondition,
    LimitSide,
    ProductCondition,
    RateCondition,
    SilenceCondition,
    StuckCondition,
)
from sensorcast_common.product import ProductProfile
from sensorcast_common.reading import SeriesKey

__all__ = [
    "Condition",
    "ForecastCondition",
    "LabelPatterns",
    "LimitCondition",
    "Pattern",
    "PhoneNumber",
    "ProductCondition",
    "RateCondition",
    "Rule",
    "RuleVersion",
    "SilenceCondition",
    "StuckCondition",
]

PhoneNumber = Annotated[str, StringConstraints(pattern=r"^\+[1-9][0-9]{6,14}$")]
"""E.164, e.g. `+4915112345678`."""

Pattern = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:*?-]{1,64}$")]
"""A name in which `*` stands for any characters and `?` for one."""

LabelName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
LabelPattern = Annotated[str, StringConstraints(min_length=1, max_length=128)]
LabelPatterns = Annotated[dict[LabelName, LabelPattern], Field(max_length=10)]
"""By label of the device a pattern of its value; `*` stands for any characters and `?` for one."""


class Rule(BaseModel):
    """One rule of one tenant.

    Attributes:
        tenant: Whose rule.
        rule_id: Unique within the tenant.
        name: What people call it; part of the message they get.
        device: Pattern of the devices it applies to.
        metric: Pattern of the metrics it applies to.
        labels: Patterns that the device's labels must match as well, such as `site: north*`; all of them.
        condition: What must hold.
        severity: How urgent a breach is.
        sms: Numbers that are told.
        enabled: Whether it is evaluated at all.
        version: Counts its changes; an incident keeps the version that opened it.
        profile: Of the product that `condition` names, as found when the rule was read; not stored with the rule.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    tenant: str
    rule_id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
    name: Annotated[str, StringConstraints(min_length=1, max_length=80)]
    device: Pattern = "*"
    metric: Pattern = "temperature"
    labels: LabelPatterns = {}
    condition: Condition
    severity: Literal["info", "warning", "critical"] = "warning"
    sms: list[PhoneNumber] = []
    enabled: bool = True
    version: Annotated[int, Field(ge=1)] = 1
    profile: ProductProfile | None = None

    def applies_to(self, series: SeriesKey, labels: Mapping[str, str] | None = None) -> bool:
        """Tell whether this rule watches `series`, whose device has these labels."""
        return (
            self.enabled
            and series.tenant == self.tenant
            and fnmatchcase(series.device, self.device)
            and fnmatchcase(series.metric, self.metric)
            and self.fits(labels or {})
        )

    def fits(self, labels: Mapping[str, str]) -> bool:
        """Tell whether a device with these labels is one that this rule is about."""
        return all(name in labels and fnmatchcase(labels[name], wanted) for name, wanted in self.labels.items())

    def limits(self) -> list[tuple[LimitSide, float]]:
        """The limits that the value itself must keep, by side; none for a rule about silence or change."""
        if isinstance(self.condition, LimitCondition):
            return self.condition.limits()
        if isinstance(self.condition, ProductCondition) and self.profile is not None:
            return self.profile.limits()
        return []

    @property
    def forecast(self) -> ForecastCondition | None:
        """When a forecast alone is reason enough to warn; `None` where it never is."""
        return self.condition.forecast if isinstance(self.condition, LimitCondition | ProductCondition) else None

    def without_profile(self) -> "Rule":
        """The rule as it is stored."""
        return self if self.profile is None else self.model_copy(update={"profile": None})


class RuleVersion(BaseModel):
    """One change of a rule: what it said from then on, and who wanted it so.

    Attributes:
        changed_at: When.
        changed_by: Who: the name of a key, or the account of who ran the command.
        version: Of the rule after the change.
        rule: The rule after the change; null where it was deleted.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    changed_at: UtcDatetime
    changed_by: str
    version: int
    rule: Rule | None = None
