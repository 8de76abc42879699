"""What must hold of a series: limits, silence, rate of change, a stuck sensor, the budgets of a product."""

from typing import Annotated, Final, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Discriminator, Field, StringConstraints, Tag, model_validator

Kind = Literal["limit", "silence", "rate", "stuck", "product"]
KINDS: Final[tuple[str, ...]] = get_args(Kind)

Side = Literal["above", "below", "rising", "falling", "silent", "stuck", "kinetic"]
"""Which way a condition is broken; `kinetic` is a mean kinetic temperature that is too high."""

LimitSide = Literal["above", "below"]

Finite = Annotated[float, Field(strict=True, allow_inf_nan=False)]

ProductId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]


class _Condition(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ForecastCondition(_Condition):
    """When a forecast alone is reason enough to warn.

    Attributes:
        min_probability: Warn from this probability of leaving the limit within the horizon.
        min_consecutive: How many forecasts in a row must say so; more of them flap less and warn later.
        clear_probability: A forecast below this no longer predicts the breach; absent means half of
            `min_probability`, so that a probability that wavers opens and resolves nothing.
        clear_consecutive: How many forecasts in a row must be below it before a predicted incident resolves.
        max_lead_minutes: Warn only of a breach that is expected within so many minutes; absent means the horizon.
    """

    min_probability: Annotated[float, Field(strict=True, gt=0, le=1)] = 0.7
    min_consecutive: Annotated[int, Field(strict=True, ge=1, le=12)] = 1
    clear_probability: Annotated[float, Field(strict=True, gt=0, le=1)] | None = None
    clear_consecutive: Annotated[int, Field(strict=True, ge=1, le=12)] = 2
    max_lead_minutes: Annotated[int, Field(strict=True, ge=1, le=1440)] | None = None

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


class LimitCondition(_Condition):
    """A value that must stay inside limits.

    Attributes:
        kind: `limit`.
        above: Upper limit: a value greater than this is a breach.
        below: Lower limit: a value less than this is a breach.
        hold_seconds: How long, in event time, the breach must last before it counts.
        clear_margin: How far inside the limit a value must come back before the incident resolves.
        forecast: Also warn of predicted breaches; absent turns that off.
    """

    kind: Literal["limit"] = "limit"
    above: Finite | None = None
    below: Finite | None = None
    hold_seconds: Annotated[int, Field(strict=True, ge=0, le=86_400)] = 0
    clear_margin: Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)] = 0.0
    forecast: ForecastCondition | None = None

    @model_validator(mode="after")
    def _has_a_limit(self) -> Self:
        if self.above is None and self.below is None:
            raise ValueError("above or below: at least one limit must be given")
        if self.above is not None and self.below is not None and self.below >= self.above:
            raise ValueError(f"below: {self.below} must be less than above ({self.above})")
        return self

    def limits(self) -> list[tuple[LimitSide, float]]:
        """The sides that are limited, with their thresholds."""
        return sides_of(self.above, self.below)


class SilenceCondition(_Condition):
    """A series of which something must be heard.

    Attributes:
        kind: `silence`.
        after_minutes: How long nothing may be received; a clock that is wrong is no silence. The next reading resolves
            the incident.
    """

    kind: Literal["silence"] = "silence"
    after_minutes: Annotated[float, Field(strict=True, ge=1, le=10_080, allow_inf_nan=False)]


class RateCondition(_Condition):
    """A value that must not change faster than so much per minute.

    Attributes:
        kind: `rate`.
        rising: Fastest rise, in the series' unit per minute.
        falling: Fastest fall, as a positive number in the series' unit per minute.
        window_minutes: The change is taken between a reading and the one about so long before it, so that noise does
            not count. Readings further apart than twice this say nothing about a rate.
        hold_seconds: How long, in event time, the rate must be exceeded before it counts.
        clear_margin: How far below the fastest rate the rate must come back before the incident resolves.
    """

    kind: Literal["rate"] = "rate"
    rising: Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)] | None = None
    falling: Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)] | None = None
    window_minutes: Annotated[float, Field(strict=True, ge=1, le=240, allow_inf_nan=False)] = 5.0
    hold_seconds: Annotated[int, Field(strict=True, ge=0, le=86_400)] = 0
    clear_margin: Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)] = 0.0

    @model_validator(mode="after")
    def _has_a_rate(self) -> Self:
        if self.rising is None and self.falling is None:
            raise ValueError("rising or falling: at least one rate must be given")
        return self


class StuckCondition(_Condition):
    """A sensor that must not report the same value for too long.

    Attributes:
        kind: `stuck`.
        after_minutes: How long, in event time, the values may stay the same while readings keep coming.
        tolerance: Values this close to the first of them are the same.
    """

    kind: Literal["stuck"] = "stuck"
    after_minutes: Annotated[float, Field(strict=True, ge=1, le=10_080, allow_inf_nan=False)]
    tolerance: Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)] = 0.0


class ProductCondition(_Condition):
    """The limits and budgets of a product, kept in a profile of its own.

    Attributes:
        kind: `product`.
        product: The profile's id.
        clear_margin: How far inside the profile's limits a value must come back before the incident resolves.
        forecast: Also warn when a forecast uses up what is left of a budget; absent turns that off.
    """

    kind: Literal["product"] = "product"
    product: ProductId
    clear_margin: Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)] = 0.0
    forecast: ForecastCondition | None = None


def _kind_of(value: object) -> str | None:
    """A condition that does not say its kind is a limit, as it was when there was no other."""
    kind = value.get("kind", "limit") if isinstance(value, dict) else getattr(value, "kind", None)
    return kind if isinstance(kind, str) else None


Condition = Annotated[
    Annotated[LimitCondition, Tag("limit")]
    | Annotated[SilenceCondition, Tag("silence")]
    | Annotated[RateCondition, Tag("rate")]
    | Annotated[StuckCondition, Tag("stuck")]
    | Annotated[ProductCondition, Tag("product")],
    Discriminator(
        _kind_of,
        custom_error_type="unknown_kind",
        custom_error_message=f"kind: must be one of {', '.join(KINDS)}",
    ),
]
"""Any of the above, told apart by `kind`."""


def sides_of(above: float | None, below: float | None) -> list[tuple[LimitSide, float]]:
    """The sides that are limited, with their thresholds."""
    sides: list[tuple[LimitSide, float]] = []
    if above is not None:
        sides.append(("above", above))
    if below is not None:
        sides.append(("below", below))
    return sides
