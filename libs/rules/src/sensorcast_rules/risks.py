"""The risk of a limit that a forecast was not made for: a rule that is tried has limits no forecaster knew.

How likely a path is to leave a limit depends on side and threshold alone, so the risk of any rule with the same limit
holds. Elsewhere it is read off the quantiles, of which each half is taken for half a normal distribution: the greatest
probability of any one point. Whole paths leave a limit at least as often, so such an estimate warns a little late
rather than too often.
"""

import math
from collections.abc import Iterable
from datetime import timedelta
from statistics import NormalDist
from typing import Final, NamedTuple

from sensorcast_common.condition import LimitSide
from sensorcast_common.forecast import Forecast, LimitRisk
from sensorcast_common.rule import Rule

_NORMAL: Final = NormalDist()
_Z90: Final = _NORMAL.inv_cdf(0.9)


class Rated(NamedTuple):
    """A forecast with the risks of some rules.

    Attributes:
        forecast: With one risk for each limit of the rules.
        estimated: Whether one of them was read off the quantiles.
    """

    forecast: Forecast
    estimated: bool


def rated(forecast: Forecast, rules: Iterable[Rule]) -> Rated:
    """The forecast with the risks of the rules that want predictions, and no others."""
    wanted = [(rule.rule_id, side, at) for rule in rules if rule.forecast is not None for side, at in rule.limits()]
    exact = {(risk.rule_id, risk.side, risk.threshold): risk for risk in forecast.risks}
    alike = {(risk.side, risk.threshold): risk for risk in forecast.risks}
    risks, estimated = [], False
    for rule_id, side, threshold in wanted:
        known = exact.get((rule_id, side, threshold)) or alike.get((side, threshold))
        estimated = estimated or known is None
        risk = known or estimate(forecast, side, threshold)
        risks.append(risk.model_copy(update={"rule_id": rule_id}))
    return Rated(forecast.model_copy(update={"risks": risks}), estimated)


def estimate(forecast: Forecast, side: LimitSide, threshold: float) -> LimitRisk:
    """What the quantiles say of a limit; expected is the first point of at least half the greatest probability."""
    points = zip(forecast.q10, forecast.q50, forecast.q90, strict=True)
    chances = [_beyond(side, threshold, low, middle, high) for low, middle, high in points]
    greatest = max(chances)
    first = next(at for at, chance in enumerate(chances) if chance >= greatest / 2)
    expected = forecast.start + timedelta(seconds=first * forecast.step_seconds)
    return LimitRisk(
        rule_id="estimate",
        side=side,
        threshold=threshold,
        probability=greatest,
        expected_at=expected if greatest > 0 else None,
    )


def _beyond(side: LimitSide, threshold: float, low: float, middle: float, high: float) -> float:
    """Probability of a value beyond the threshold, given the quantiles 0.1, 0.5 and 0.9."""
    spread = (high - middle if threshold >= middle else middle - low) / _Z90
    inward = threshold - middle if side == "above" else middle - threshold
    if spread <= 0:
        return 1.0 if inward < 0 else 0.0
    score = inward / spread
    return 0.0 if math.isinf(score) else 1 - _NORMAL.cdf(score)
