"""Rules say what they watch and refuse what makes no sense."""

import pytest
from pydantic import ValidationError

from sensorcast_common.reading import SeriesKey
from sensorcast_common.rule import LimitCondition, Rule

RULE = Rule(
    tenant="acme", rule_id="chilled", name="Chilled goods", device="truck-*", condition=LimitCondition(above=8.0)
)


@pytest.mark.parametrize(
    ("series", "applies"),
    [
        (SeriesKey("acme", "truck-1", "temperature"), True),
        (SeriesKey("acme", "room-1", "temperature"), False),
        (SeriesKey("acme", "truck-1", "humidity"), False),
        (SeriesKey("globex", "truck-1", "temperature"), False),
    ],
)
def test_a_rule_applies_by_tenant_device_and_metric(series: SeriesKey, applies: bool) -> None:
    assert RULE.applies_to(series) is applies


def test_a_disabled_rule_applies_to_nothing() -> None:
    assert not RULE.model_copy(update={"enabled": False}).applies_to(SeriesKey("acme", "truck-1", "temperature"))


def test_both_limits_are_listed_by_side() -> None:
    assert LimitCondition(above=8, below=2).limits() == [("above", 8.0), ("below", 2.0)]


@pytest.mark.parametrize(
    ("condition", "field"),
    [
        ({}, "above or below"),
        ({"above": 2, "below": 8}, "below: 8"),
        ({"above": float("nan")}, "above"),
        ({"above": 8, "hold_seconds": -1}, "hold_seconds"),
        ({"above": 8, "forecast": {"min_probability": 1.5}}, "min_probability"),
        ({"above": 8, "unknown": 1}, "unknown"),
    ],
)
def test_a_senseless_condition_is_refused_by_name(condition: dict[str, object], field: str) -> None:
    with pytest.raises(ValidationError, match=field):
        LimitCondition.model_validate(condition)


@pytest.mark.parametrize("number", ["0151 123", "+0151123456", "15551234567", "+1555123456789012"])
def test_a_phone_number_must_be_e164(number: str) -> None:
    with pytest.raises(ValidationError, match="sms"):
        Rule.model_validate(RULE.model_dump() | {"sms": [number]})
