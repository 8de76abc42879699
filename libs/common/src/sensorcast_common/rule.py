"""Alert rules: what is watched, and who is told."""

from fnmatch import fnmatchcase
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from sensorcast_common.reading import SeriesKey

PhoneNumber = Annotated[str, StringConstraints(pattern=r"^\+[1-9][0-9]{6,14}$")]
"""E.164, e.g. `+4915112345678`."""

Pattern = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:*?-]{1,64}$")]
"""A name in which `*` stands for any characters and `?` for one."""


class ForecastCondition(BaseModel):
    """When a forecast alone is reason enough to warn.

    Attributes:
        min_probability: Warn from this probability of leaving the limit within the horizon.
        min_consecutive: How many forecasts in a row must say so; more of them flap less and warn later.
        clear_probability: A forecast below this no longer predicts the breach; absent means half of
            `min_probability`, so that a probability that wavers opens and resolves nothing.
        clear_consecutive: How many forecasts in a row must be below it before a predicted incident resolves.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    min_probability: Annotated[float, Field(gt=0, le=1)] = 0.7
    min_consecutive: Annotated[int, Field(ge=1, le=12)] = 1
    clear_probability: Annotated[float, Field(gt=0, le=1)] | None = None
    clear_consecutive: Annotated[int, Field(ge=1, le=12)] = 2

    @model_validator(mode="after")
    def _clears_below_what_opens(self) -> Self:
        if self.clear_probability is not None and self.clear_probability > self.min_probability:
            raise ValueError(
                f"clear_probability: {self.clear_probability} must not be greater than min_probability "
                f"({self.min_probability})"
            )
        return self

    @property
    def clears_below(self) -> float:
        """The probability below which a forecast no longer predicts the breach."""
        return self.min_probability / 2 if self.clear_probability is None else self.clear_probability


class LimitCondition(BaseModel):
    """A value that must stay inside limits.

    Attributes:
        kind: `limit`.
        above: Upper limit: a value greater than this is a breach.
        below: Lower limit: a value less than this is a breach.
        hold_seconds: How long, in event time, the breach must last before it counts.
        clear_margin: How far inside the limit a value must come back before the incident resolves.
        forecast: Also warn of predicted breaches; absent turns that off.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["limit"] = "limit"
    above: Annotated[float, Field(allow_inf_nan=False)] | None = None
    below: Annotated[float, Field(allow_inf_nan=False)] | None = None
    hold_seconds: Annotated[int, Field(ge=0, le=86_400)] = 0
    clear_margin: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    forecast: ForecastCondition | None = None

    @model_validator(mode="after")
    def _has_a_limit(self) -> Self:
        if self.above is None and self.below is None:
            raise ValueError("above or below: at least one limit must be given")
        if self.above is not None and self.below is not None and self.below >= self.above:
            raise ValueError(f"below: {self.below} must be less than above ({self.above})")
        return self

    def limits(self) -> list[tuple[Literal["above", "below"], float]]:
        """The sides that are limited, with their thresholds."""
        sides: list[tuple[Literal["above", "below"], float]] = []
        if self.above is not None:
            sides.append(("above", self.above))
        if self.below is not None:
            sides.append(("below", self.below))
        return sides


class Rule(BaseModel):
    """One rule of one tenant.

    Attributes:
        tenant: Whose rule.
        rule_id: Unique within the tenant.
        name: What people call it; part of the message they get.
        device: Pattern of the devices it applies to.
        metric: Pattern of the metrics it applies to.
        condition: What must hold.
        severity: How urgent a breach is.
        sms: Numbers that are told.
        enabled: Whether it is evaluated at all.
        version: Counts its changes; an incident keeps the version that opened it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    tenant: str
    rule_id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
    name: Annotated[str, StringConstraints(min_length=1, max_length=80)]
    device: Pattern = "*"
    metric: Pattern = "temperature"
    condition: LimitCondition
    severity: Literal["info", "warning", "critical"] = "warning"
    sms: list[PhoneNumber] = []
    enabled: bool = True
    version: Annotated[int, Field(ge=1)] = 1

    def applies_to(self, series: SeriesKey) -> bool:
        """Tell whether this rule watches `series`."""
        return (
            self.enabled
            and series.tenant == self.tenant
            and fnmatchcase(series.device, self.device)
            and fnmatchcase(series.metric, self.metric)
        )
