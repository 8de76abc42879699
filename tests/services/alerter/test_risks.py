"""A tried limit gets its risk from one like it, or from the forecast's quantiles."""

from datetime import timedelta

import pytest
from tests.services.alerter.observations import forecast, limit_rule

from sensorcast_common.condition import LimitSide
from sensorcast_common.rule import ForecastCondition
from sensorcast_rules.risks import estimate, rated

WARNED = ForecastCondition()


def test_the_risk_of_the_same_limit_holds_under_another_name() -> None:
    made = forecast("00:00", 0.42, rule_id="stored", threshold=8.0)
    found = rated(made, [limit_rule(rule_id="test", above=8.0, below=2.0, forecast=WARNED)])
    above, below = found.forecast.risks
    assert (above.rule_id, above.probability) == ("test", 0.42)
    assert (below.rule_id, below.side, below.threshold) == ("test", "below", 2.0)
    assert found.estimated
    assert not rated(made, [limit_rule(rule_id="test", above=8.0, forecast=WARNED)]).estimated
    assert rated(made, [limit_rule(above=8.0)]).forecast.risks == []


@pytest.mark.parametrize(
    ("side", "threshold", "probability", "step"),
    [
        ("above", 6.0, 0.5, 2),  # the median of the last point
        ("above", 9.0, 0.1, 2),
        ("below", 3.0, 0.1, 0),
        ("below", 4.0, 0.5, 0),
        ("above", 4.0, 0.841, 0),  # two thirds of the way from the 0.1 quantile, of the last point: half of it at once
        ("above", 40.0, 0.0, 0),
    ],
)
def test_quantiles_say_how_likely_a_point_beyond_the_limit_is(
    side: LimitSide, threshold: float, probability: float, step: int
) -> None:
    quantiles = {"q10": [3.0, 3.4, 3.4359], "q50": [4.0, 5.0, 6.0], "q90": [5.0, 6.5, 9.0]}
    made = forecast("00:00", 0.9).model_copy(update=quantiles)
    risk = estimate(made, side, threshold)
    assert risk.probability == pytest.approx(probability, abs=0.001)
    expected = made.start + timedelta(seconds=step * made.step_seconds) if probability else None
    assert risk.expected_at == expected


def test_a_forecast_without_spread_leaves_a_limit_for_sure_or_not_at_all() -> None:
    flat = forecast("00:00", 0.9, last_value=5.0)
    assert estimate(flat, "above", 4.9).probability == 1
    assert estimate(flat, "above", 5.0).probability == 0
    assert estimate(flat, "below", 5.1).probability == 1
