"""Product profiles: how warm, how cold and for how long a product may be."""

from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from sensorcast_common.condition import Finite, LimitSide, ProductId, sides_of

ACTIVATION_KJ_PER_MOL: Final = 83.144
"""Heat of activation that USP <1079.2> gives where that of the product is not known."""

Minutes = Annotated[float, Field(strict=True, ge=0, le=43_200, allow_inf_nan=False)]


class ProductProfile(BaseModel):
    """What one product stands.

    A vaccine for 2 to 8 degrees, for example, may be allowed 30 minutes outside at a time and 60 minutes in a day.

    Attributes:
        tenant: Whose profile.
        product_id: Unique within the tenant.
        name: What people call it.
        above: Upper limit: a value greater than this uses up the budgets.
        below: Lower limit: a value less than this uses up the budgets.
        consecutive_minutes: How long one excursion beyond one limit may last; absent means as long as the other budget
            allows. Without any budget, the first reading outside counts.
        cumulative_minutes: How long all excursions beyond one limit within `window_hours` may last together.
        window_hours: Over which excursions are added up, and the mean kinetic temperature is taken.
        mean_kinetic_above: Highest mean kinetic temperature over the window, in degrees Celsius.
        activation_kj_per_mol: Heat of activation in the formula of the mean kinetic temperature.
        version: Counts its changes.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    tenant: str
    product_id: ProductId
    name: Annotated[str, StringConstraints(min_length=1, max_length=80)]
    above: Finite | None = None
    below: Finite | None = None
    consecutive_minutes: Minutes | None = None
    cumulative_minutes: Minutes | None = None
    window_hours: Annotated[int, Field(strict=True, ge=1, le=168)] = 24
    mean_kinetic_above: Annotated[float, Field(strict=True, gt=-100, lt=100, allow_inf_nan=False)] | None = None
    activation_kj_per_mol: Annotated[float, Field(strict=True, gt=0, le=500, allow_inf_nan=False)] = (
        ACTIVATION_KJ_PER_MOL
    )
    version: Annotated[int, Field(ge=1)] = 1

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.above is None and self.below is None and self.mean_kinetic_above is None:
            raise ValueError("above, below or mean_kinetic_above: at least one must be given")
        if self.above is not None and self.below is not None and self.below >= self.above:
            raise ValueError(f"below: {self.below} must be less than above ({self.above})")
        if self.cumulative_minutes is not None and self.cumulative_minutes >= self.window_hours * 60:
            raise ValueError(
                f"cumulative_minutes: {self.cumulative_minutes} must be less than the window "
                f"({self.window_hours * 60} minutes)"
            )
        return self

    def limits(self) -> list[tuple[LimitSide, float]]:
        """The sides that are limited, with their thresholds."""
        return sides_of(self.above, self.below)
