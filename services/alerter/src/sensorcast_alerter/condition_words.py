"""Says a rule's condition in a few words."""

from typing import assert_never

from sensorcast_common.rule import (
    Condition,
    ForecastCondition,
    LimitCondition,
    ProductCondition,
    RateCondition,
    SilenceCondition,
    StuckCondition,
)


def in_words(condition: Condition) -> list[str]:
    """What must not happen, for how long, and how likely a forecast must have it; one phrase each."""
    match condition:
        case LimitCondition():
            limits = " or ".join(f"{side} {threshold:g}" for side, threshold in condition.limits())
            return [limits, *_hold(condition.hold_seconds), *_forecast(condition.forecast)]
        case SilenceCondition():
            return [f"silent for {condition.after_minutes:g} min"]
        case RateCondition():
            rates = {"rising": condition.rising, "falling": condition.falling}
            fastest = " or ".join(f"{way} by {rate:g}/min" for way, rate in rates.items() if rate is not None)
            return [f"{fastest} over {condition.window_minutes:g} min", *_hold(condition.hold_seconds)]
        case StuckCondition():
            return [f"unchanged for {condition.after_minutes:g} min"]
        case ProductCondition():
            return [f"product {condition.product}", *_forecast(condition.forecast)]
        case _:
            assert_never(condition)


def _hold(seconds: int) -> list[str]:
    return [f"for {seconds} s"] if seconds else []


def _forecast(condition: ForecastCondition | None) -> list[str]:
    return [] if condition is None else [f"or {condition.min_probability:.0%} likely"]
