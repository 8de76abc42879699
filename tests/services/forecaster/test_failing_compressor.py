"""A slowly failing compressor is predicted, healthy trucks are left alone."""

import numpy as np
import pytest
from tests.services.forecaster.cold_chain import MINUTE_MS, START, truck

from sensorcast_common.forecast import Forecast
from sensorcast_common.reading import SeriesKey
from sensorcast_forecaster.builtin import forecast_window
from sensorcast_forecaster.regularize import RawSeries, regularize
from sensorcast_forecaster.window import Limit, SeriesWindow

LIMIT = 8.0


def probability(ts: np.ndarray, values: np.ndarray, *, minute: float) -> tuple[float, Forecast]:
    known_at = START + round(minute * MINUTE_MS)
    raw = RawSeries(SeriesKey("acme", "truck-1", "temperature"), "Cel", ts, values)
    window = regularize(raw, known_at=known_at, max_steps=2880, limits=(Limit("too-warm", "above", LIMIT),))
    assert isinstance(window, SeriesWindow)
    forecast = forecast_window(window, horizon_seconds=3600, known_at=known_at)
    assert isinstance(forecast, Forecast)
    return forecast.risks[0].probability, forecast


@pytest.mark.parametrize("seed", range(4))
def test_failing_compressor_is_predicted_15_to_40_minutes_ahead(seed: int) -> None:
    ts, values = truck(seed=seed, hours=26, fails_at_hour=24.5)
    breach = next(m for m in range(round(24.5 * 60), 26 * 60) if values[m * 3 : m * 3 + 3].mean() > LIMIT)

    ahead = [minutes for minutes in range(40, 0, -5) if probability(ts, values, minute=breach - minutes)[0] > 0.7]

    assert ahead
    assert max(ahead) >= 15


def test_expected_time_of_the_breach_is_at_most_a_cycle_off() -> None:
    ts, values = truck(seed=1, hours=26, fails_at_hour=24.5)
    breach = next(m for m in range(round(24.5 * 60), 26 * 60) if values[m * 3 : m * 3 + 3].mean() > LIMIT)

    likely, forecast = probability(ts, values, minute=breach - 15)

    assert likely > 0.7
    assert "drift" in forecast.model
    expected = forecast.risks[0].expected_at
    assert expected is not None
    assert abs(expected.timestamp() * 1000 - (START + breach * MINUTE_MS)) < 20 * MINUTE_MS


@pytest.mark.parametrize("seed", range(2))
def test_healthy_truck_with_doors_and_defrosts_stays_unlikely(seed: int) -> None:
    ts, values = truck(seed=100 + seed, hours=30)
    assert values.max() > 5.3  # doors were opened
    probabilities = [probability(ts, values, minute=minute)[0] for minute in range(24 * 60, 30 * 60, 20)]
    assert max(probabilities) < 0.3
