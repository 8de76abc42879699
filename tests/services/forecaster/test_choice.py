"""A series is forecast by what validated, and by last value, with all its past changes, where nothing did."""

import numpy as np

from sensorcast_common.reading import SeriesKey
from sensorcast_forecaster.boosting.validation import holdout_seconds
from sensorcast_forecaster.choice import choose_members, last_value_ensemble
from sensorcast_forecaster.rolling import origins_for, validate
from sensorcast_forecaster.window import SeriesWindow, Values

HORIZON = 12


def choose(values: Values) -> tuple[str, ...]:
    key = SeriesKey("acme", "fridge", "temperature")
    window = SeriesWindow(key, "Cel", 300, 1_767_225_600_000, values, 0, float(values[-1]))
    own = validate(values, horizon=HORIZON, origins=origins_for(values, horizon=HORIZON, count=96))
    return choose_members(window, own).members


def test_a_cycle_is_forecast_by_its_own_blend() -> None:
    noise = np.random.default_rng(1).normal(0, 0.1, 1500)
    assert choose(np.sin(np.arange(1500) / 5) + noise) != ("last",)


def test_random_walks_are_forecast_by_last_value() -> None:
    walks = [np.random.default_rng(seed).normal(0, 0.3, 1500).cumsum() for seed in range(8)]
    misled = [members for walk in walks if (members := choose(walk)) != ("last",)]
    assert len(misled) <= 1, "one of eight may look as if it had a pattern"
    assert all("last" in members for members in misled), "and even then is pulled towards last value"


def test_last_value_has_the_band_of_all_past_changes_and_no_drift() -> None:
    values = np.random.default_rng(2).normal(0.05, 0.3, 1500).cumsum()
    values[300:330] = np.nan
    quantiles = last_value_ensemble(values, HORIZON).quantiles((0.1, 0.5, 0.9))
    changes = values[HORIZON:] - values[:-HORIZON]
    low, high = np.nanquantile(changes - np.nanmedian(changes), [0.1, 0.9])
    np.testing.assert_allclose(quantiles[1], values[-1], atol=1e-9)
    np.testing.assert_allclose(quantiles[[0, 2], -1] - values[-1], [low, high], rtol=1e-9)


def test_a_day_of_changes_has_no_wider_band_than_they_are() -> None:
    values = np.random.default_rng(3).normal(0, 0.3, 40).cumsum()
    quantiles = last_value_ensemble(values, 4).quantiles((0.1, 0.5, 0.9))
    changes = values[4:] - values[:-4]
    np.testing.assert_allclose(
        quantiles[:, -1] - values[-1], np.quantile(changes, [0.1, 0.5, 0.9]) - np.median(changes), atol=1e-12
    )


def test_a_holdout_is_a_quarter_but_at_least_a_day_and_at_most_a_week() -> None:
    day = 86_400
    assert [holdout_seconds(days * day) / day for days in (1.5, 3, 7, 14, 60)] == [0.75, 1, 1.75, 3.5, 7]
