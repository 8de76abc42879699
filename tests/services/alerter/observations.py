"""Readings, forecasts and rules as the tests of the alerter write them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal

from sensorcast_common.clock import from_millis, to_millis
from sensorcast_common.forecast import Forecast, LimitRisk
from sensorcast_common.reading import Reading
from sensorcast_common.rule import ForecastCondition, LimitCondition, Rule

MIDNIGHT = to_millis(datetime(2025, 1, 15, tzinfo=UTC))
NUMBER = "+4915112345678"


def at(text: str) -> int:
    """Milliseconds of `HH:MM` or `HH:MM:SS` on the day of the tests."""
    hours, minutes, *seconds = (int(part) for part in text.split(":"))
    return MIDNIGHT + ((hours * 60 + minutes) * 60 + (seconds[0] if seconds else 0)) * 1000


def limit_rule(
    *,
    rule_id: str = "chilled",
    above: float | None = 8.0,
    below: float | None = None,
    hold_seconds: int = 0,
    clear_margin: float = 0.0,
    forecast: ForecastCondition | None = None,
    device: str = "truck-*",
    sms: Sequence[str] = (NUMBER,),
) -> Rule:
    condition = LimitCondition(
        above=above, below=below, hold_seconds=hold_seconds, clear_margin=clear_margin, forecast=forecast
    )
    return Rule(tenant="acme", rule_id=rule_id, name="Chilled goods", device=device, condition=condition, sms=list(sms))


def reading(when: str | int, value: float, *, device: str = "truck-1", received: str | int | None = None) -> Reading:
    ts = at(when) if isinstance(when, str) else when
    got = ts if received is None else at(received) if isinstance(received, str) else received
    return Reading("acme", device, "temperature", ts, value, "Cel", got)


def forecast(
    known_at: str,
    probability: float,
    *,
    rule_id: str = "chilled",
    threshold: float = 8.0,
    side: Literal["above", "below"] = "above",
    last_value: float = 7.9,
    expected: str | None = None,
) -> Forecast:
    known = from_millis(at(known_at))
    points = [last_value] * 12
    return Forecast(
        tenant="acme",
        device="truck-1",
        metric="temperature",
        unit="Cel",
        known_at=known,
        last_value=last_value,
        step_seconds=300,
        start=known + timedelta(minutes=5),
        q10=points,
        q50=points,
        q90=points,
        risks=[
            LimitRisk(
                rule_id=rule_id,
                side=side,
                threshold=threshold,
                probability=probability,
                expected_at=from_millis(at(expected)) if expected else None,
            )
        ],
        model="test/1",
        trained_from=known - timedelta(days=1),
        trained_to=known,
    )
