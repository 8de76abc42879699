"""The probability of leaving a limit is that of the path's extreme, in situations like the present one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensorcast_forecaster.conformal import PathEnsemble, calibrated
from sensorcast_forecaster.extremes import NARROW, weighted_for
from sensorcast_forecaster.risk import path_risk
from sensorcast_forecaster.similarity import similarity
from sensorcast_forecaster.window import Limit, Values

HORIZON = 8


def two_moods(seed: int) -> Values:
    """Calm around 0, restless around 10; each lasts 60 steps, and the last one is calm."""
    generator = np.random.default_rng(seed)
    restless = (np.arange(1140) // 60) % 2 == 1
    return np.where(restless, 10.0, 0.0) + generator.normal(0, 1, 1140) * np.where(restless, 2.0, 0.2)


def last_value(values: Values, *, errors: float = 1.0) -> PathEnsemble:
    """Last value, with past errors that are `errors` times as large as they were."""
    origins = np.arange(len(values) // 2, len(values) - HORIZON, 3)
    residuals = values[origins[:, None] + np.arange(1, HORIZON + 1)] - values[origins, None]
    return calibrated(np.repeat(values[-1], HORIZON), errors * residuals, origins)


def probability(ensemble: PathEnsemble, limit: Limit) -> float:
    return path_risk(ensemble, limit).probability


def test_a_calm_moment_is_not_judged_by_restless_ones() -> None:
    values = two_moods(1)
    limit = Limit("warm", "above", values[-1] + 1.5)
    plain = last_value(values)
    weighted = weighted_for(plain, values, side="above")
    assert probability(plain, limit) > 0.3
    assert probability(weighted, limit) < 0.5 * probability(plain, limit)


@pytest.mark.parametrize("side", ["above", "below"])
def test_extremes_that_were_promised_too_near_are_promised_farther(side: str) -> None:
    walk = np.random.default_rng(3).normal(0, 1, 1200)
    limits = {"above": Limit("r", "above", 1.2), "below": Limit("r", "below", -1.2)}
    # Of independent values: how often eight of them leave the limit.
    true = float(np.mean((np.random.default_rng(4).normal(0, 1, (20_000, HORIZON)) > 1.2).any(axis=1)))
    origins = np.arange(600, len(walk) - HORIZON, 3)
    residuals = walk[origins[:, None] + np.arange(1, HORIZON + 1)]
    # Errors that shrink towards their mean over the path promise too little of its extreme.
    timid = PathEnsemble(0.6 * residuals, np.ones(len(origins)), origins)
    told = probability(timid, limits[side])
    mended = probability(weighted_for(timid, walk, side="above" if side == "above" else "below"), limits[side])
    assert told < 0.6 * true
    assert abs(mended - true) < abs(told - true)


@given(st.integers(0, 1000), st.floats(-5, 15), st.floats(0, 5), st.sampled_from(["above", "below"]))
@settings(max_examples=25)
def test_a_farther_limit_is_never_left_more_likely(seed: int, threshold: float, more: float, side: str) -> None:
    values = two_moods(seed)[-300:]
    if side == "above":
        ensemble = weighted_for(last_value(values), values, side="above")
        near, far = (Limit("r", "above", at) for at in (threshold, threshold + more))
    else:
        ensemble = weighted_for(last_value(values), values, side="below")
        near, far = (Limit("r", "below", at) for at in (threshold, threshold - more))
    assert 0 <= probability(ensemble, far) <= probability(ensemble, near) <= 1


def test_a_few_moments_change_little() -> None:
    walk = np.random.default_rng(5).normal(0, 1, 60).cumsum()
    origins = np.array([10, 20, 30, 40, 50])
    residuals = walk[origins[:, None] + np.arange(1, HORIZON + 1)] - walk[origins, None]
    plain = calibrated(np.repeat(walk[-1], HORIZON), residuals, origins)
    weighted = weighted_for(plain, walk, side="above")
    for threshold in walk[-1] + np.array([-3.0, 0.5, 3.0]):
        alike = PathEnsemble(plain.paths, similarity(walk, np.array([59]), origins, horizon=HORIZON, width=NARROW)[0])
        limit = Limit("r", "above", float(threshold))
        assert probability(weighted, limit) == pytest.approx(probability(alike, limit), abs=5 / 35)


def test_paths_that_tell_no_moments_stay_as_they_are() -> None:
    plain = PathEnsemble(np.zeros((3, HORIZON)), np.ones(3))
    assert weighted_for(plain, np.zeros(10), side="above") is plain
