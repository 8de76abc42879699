"""A young series gets a forecast that promises no more than it has shown."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensorcast_forecaster.coldstart import THETA, start_cold
from sensorcast_forecaster.rolling import LAST
from sensorcast_forecaster.theta import FEWEST, theta
from sensorcast_forecaster.window import Values


def by_its_lines(values: Values, horizon: int, alpha: float) -> Values:
    """The method as it was published: the mean of its two theta lines, each forecast by itself."""
    at = np.arange(len(values), dtype=float)
    slope, start = np.polyfit(at, values, 1)
    level = (second := 2 * values - (start + slope * at))[0]
    for value in second[1:]:
        level += alpha * (value - level)
    ahead = len(values) - 1 + np.arange(1, horizon + 1)
    path: Values = (start + slope * ahead + level) / 2
    return path


@pytest.mark.parametrize("seed", range(3))
def test_closed_form_is_the_mean_of_the_theta_lines(seed: int) -> None:
    values = np.random.default_rng(seed).normal(0, 1, 40).cumsum() + 1000
    (path,) = theta(values, np.array([39]), 6)
    closest = min(np.abs(path - by_its_lines(values, 6, alpha)).max() for alpha in np.linspace(0.05, 1, 20))
    # The first value counts a little differently: published is the smoothing of the line, here that of the values.
    assert closest < 1e-6


def test_theta_knows_nothing_after_its_origin() -> None:
    values = np.random.default_rng(1).normal(0, 1, 50).cumsum()
    changed = values.copy()
    changed[31:] += 100
    origins = np.arange(0, 31)
    assert np.array_equal(theta(values, origins, 5), theta(changed, origins, 5), equal_nan=True)
    assert np.isnan(theta(values, origins, 5)).all(axis=1).sum() == FEWEST - 1


def test_a_walk_without_trend_is_left_to_last_value() -> None:
    used = [start_cold(np.random.default_rng(seed).normal(0, 1, 60).cumsum(), horizon=12).member for seed in range(40)]
    assert used.count(THETA) <= 4


def test_band_of_a_young_walk_holds_what_it_promises() -> None:
    inside = []
    for seed in range(200):
        walk = np.random.default_rng(seed).normal(0, 1, 60).cumsum()
        low, _, high = start_cold(walk[:30], horizon=30).ensemble.quantiles((0.1, 0.5, 0.9))
        inside.append(((walk[30:] >= low) & (walk[30:] <= high)).mean())
    assert 0.7 < float(np.mean(inside)) < 0.9


def test_what_is_known_before_a_gap_widens_the_band_after_it() -> None:
    walk = np.random.default_rng(3).normal(0, 1, 300).cumsum()
    walk[-30:-3] = np.nan
    cold = start_cold(walk, horizon=12)
    low, _, high = cold.ensemble.quantiles((0.1, 0.5, 0.9))
    assert cold.member == LAST
    assert (high - low)[-1] > 2 * (high - low)[0] > 0


@given(st.integers(2, 80), st.integers(1, 70), st.integers(0, 50), st.booleans())
def test_any_past_gives_a_whole_forecast(count: int, horizon: int, seed: int, gap: bool) -> None:
    generator = np.random.default_rng(seed)
    values = generator.normal(4, 1, count)
    if gap and count > 4:
        values[count // 2 : -1] = np.nan
    cold = start_cold(values, horizon=horizon)
    assert np.isfinite(cold.ensemble.paths).all()
    assert cold.ensemble.paths.shape[1] == horizon
