"""Forecasts keep what they are given, and every version stays readable."""

from pathlib import Path

import pytest

from sensorcast_common.clock import from_millis
from sensorcast_common.envelope import Envelope, pack
from sensorcast_common.errors import Poison
from sensorcast_common.forecast import KIND, Forecast, ForecastBatch, LimitRisk

GOLDEN = Path(__file__).parent / "golden"

FORECAST = Forecast(
    tenant="acme",
    device="truck-1",
    metric="temperature",
    unit="Cel",
    known_at=from_millis(1_700_000_000_000),
    last_value=4.2,
    step_seconds=60,
    start=from_millis(1_700_000_060_000),
    q10=[4.0, 4.1],
    q50=[4.3, 4.5],
    q90=[4.6, 4.9],
    risks=[
        LimitRisk(
            rule_id="chilled",
            side="above",
            threshold=8.0,
            probability=0.25,
            expected_at=from_millis(1_700_003_000_000),
        )
    ],
    model="theta/1",
    trained_at=from_millis(1_699_999_000_000),
    trained_from=from_millis(1_699_990_000_000),
    trained_to=from_millis(1_700_000_000_000),
    window_from=from_millis(1_699_980_000_000),
    window_to=from_millis(1_699_999_970_000),
)


def test_a_forecast_batch_survives_the_journey_exactly() -> None:
    batch = ForecastBatch(batch_id="b", created_at=5, forecasts=[FORECAST, FORECAST])
    assert ForecastBatch.decode(Envelope.parse(batch.encode())) == batch


BEFORE_TRAINED_AT = FORECAST.model_copy(update={"trained_at": None, "window_from": None, "window_to": None})


@pytest.mark.parametrize(
    ("name", "forecast"), [("forecasts-v1", BEFORE_TRAINED_AT), ("forecasts-v1-trained-at", FORECAST)]
)
def test_every_golden_form_decodes_to_the_same_forecast(name: str, forecast: Forecast) -> None:
    text = (GOLDEN / f"{name}.json").read_text(encoding="utf-8")
    assert ForecastBatch.decode(Envelope.parse(text)).forecasts == [forecast]


def test_a_field_of_a_later_minor_change_is_passed_over() -> None:
    # A consumer of the version before does so while services are updated one by one.
    assert Forecast.model_validate(FORECAST.model_dump() | {"added_later": 1}) == FORECAST


def test_a_wrong_field_is_poison_that_names_it() -> None:
    body = f"[{FORECAST.model_dump_json().replace('0.25', '1.25')}]"
    envelope = Envelope(kind=KIND, schema_version=1, batch_id="b", created_at=0, count=1, body=pack(body.encode()))
    with pytest.raises(Poison, match=r"forecasts\.0\.risks\.0\.probability"):
        ForecastBatch.decode(envelope)


def test_quantiles_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="lengths 1, 2, 2"):
        Forecast.model_validate(FORECAST.model_dump() | {"q10": [1.0]})
