"""How good forecasts were: sums that add up over shards, hours and models, and the figures that follow from them."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field

Count = Annotated[int, Field(ge=0)]
Total = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1)]


class Tally(BaseModel):
    """What some forecasts add up to; two tallies of different forecasts may be added.

    Attributes:
        forecasts: Forecasts that were compared with what came.
        unobserved: Forecasts of which too little came to compare them.
        fallbacks: Of `forecasts`, those that a labelled baseline made.
        points: Points that were compared.
        covered: Points that lay within the 0.1 and the 0.9 quantile.
        loss: Quantile loss over the points: the mean over the quantiles 0.1, 0.5 and 0.9 of twice the pinball loss.
        naive_loss: The same of last value, which has no band: all its quantiles are the value known last.
        absolute: Sum of the absolute values that came.
        warnings: Predicted breaches that could be judged: the first of a run of forecasts that said so.
        true_warnings: Of those, the ones whose series left the limit within the horizon.
        breaches: Times that a series left a limit.
        foreseen: Of those, the ones that a forecast of the horizon before had predicted.
        leads: By whole minutes between the first such forecast and the breach, how many breaches.
        risks: Probabilities of leaving a limit that could be judged.
        brier: Over those, the sum of the squared distance between the probability and what happened (0 or 1).
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    forecasts: Count = 0
    unobserved: Count = 0
    fallbacks: Count = 0
    points: Count = 0
    covered: Count = 0
    loss: Total = 0.0
    naive_loss: Total = 0.0
    absolute: Total = 0.0
    warnings: Count = 0
    true_warnings: Count = 0
    breaches: Count = 0
    foreseen: Count = 0
    leads: dict[int, Count] = {}
    risks: Count = 0
    brier: Total = 0.0

    @classmethod
    def total(cls, tallies: Iterable[Self]) -> Self:
        """The sum; of none, an empty tally."""
        sums: dict[str, float] = dict.fromkeys(cls.model_fields.keys() - {"leads"}, 0)
        leads: dict[int, int] = {}
        for tally in tallies:
            for name in sums:
                sums[name] += getattr(tally, name)
            for minutes, count in tally.leads.items():
                leads[minutes] = leads.get(minutes, 0) + count
        return cls.model_validate({**sums, "leads": leads})


class Skill(BaseModel):
    """What a tally means. A figure is absent where nothing could be counted for it.

    Attributes:
        forecasts: Forecasts that were compared with what came.
        unobserved: Forecasts of which too little came to compare them.
        fallbacks: Of `forecasts`, those that a labelled baseline made.
        wql: Weighted quantile loss: the mean over 0.1, 0.5 and 0.9, relative to the absolute values that came.
        wql_relative: The same loss relative to that of last value; less than 1 is better than assuming no change.
        coverage: Share of the points within the 0.1 and the 0.9 quantile; 0.8 is wanted.
        warnings: Predicted breaches that could be judged.
        precision: Share of them that came true.
        breaches: Times that a series left a limit.
        recall: Share of them that had been predicted.
        median_lead_minutes: Between the first forecast that predicted a breach and the breach.
        brier: Mean squared error of the probabilities of leaving a limit; 0 is perfect.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    forecasts: Count
    unobserved: Count
    fallbacks: Count
    wql: Total | None = None
    wql_relative: Total | None = None
    coverage: Share | None = None
    warnings: Count
    precision: Share | None = None
    breaches: Count
    recall: Share | None = None
    median_lead_minutes: Count | None = None
    brier: Share | None = None

    @classmethod
    def of(cls, tally: Tally) -> Self:
        """The figures of a tally, in four digits."""
        return cls(
            forecasts=tally.forecasts,
            unobserved=tally.unobserved,
            fallbacks=tally.fallbacks,
            wql=_ratio(tally.loss, tally.absolute),
            wql_relative=_ratio(tally.loss, tally.naive_loss),
            coverage=_ratio(tally.covered, tally.points),
            warnings=tally.warnings,
            precision=_ratio(tally.true_warnings, tally.warnings),
            breaches=tally.breaches,
            recall=_ratio(tally.foreseen, tally.breaches),
            median_lead_minutes=_median(tally.leads),
            brier=_ratio(tally.brier, tally.risks),
        )


def _ratio(part: float, whole: float) -> float | None:
    return round(part / whole, 4) if whole > 0 else None


def _median(counts: Mapping[int, int]) -> int | None:
    """The lower median, so that a lead time is never flattered."""
    middle, seen = (sum(counts.values()) + 1) // 2, 0
    for value in sorted(counts):
        seen += counts[value]
        if seen >= middle > 0:
            return value
    return None
