"""Paths have the engine's quantiles, and move as the series moved."""

import numpy as np
import pytest

from sensorcast_forecaster.engines.paths import RANKS, TOGETHER, derive_paths
from sensorcast_forecaster.risk import path_risk
from sensorcast_forecaster.window import Limit, Values

LEVELS = (0.1, 0.5, 0.9)
NORMAL = 1.2815515655446004
STEPS = 12
SAME_EACH_STEP = np.repeat([[-NORMAL], [0.0], [NORMAL]], STEPS, axis=1)
"""A standard normal at every step: above 1.2816 with a probability of 0.1."""

LIMIT = Limit(rule_id="warm", side="above", threshold=NORMAL)


def leaving(past: Values) -> tuple[float, str]:
    derived = derive_paths(past, levels=LEVELS, quantiles=SAME_EACH_STEP)
    return path_risk(derived.ensemble, LIMIT).probability, derived.dependence


def test_steps_keep_the_quantiles_that_were_said() -> None:
    past = np.cumsum(np.random.default_rng(1).normal(size=2000))
    quantiles = np.array([[1.0, 0.0], [2.0, 3.0], [6.0, 4.0]])
    paths = derive_paths(past, levels=LEVELS, quantiles=quantiles).ensemble.paths
    assert np.quantile(paths, LEVELS, axis=0) == pytest.approx(quantiles, abs=0.1)


def test_a_series_that_jumps_leaves_its_limit_more_often_than_one_that_wanders() -> None:
    random = np.random.default_rng(2)
    noise, wandering = random.normal(size=3000), np.cumsum(random.normal(size=3000))
    jumping_risk, how = leaving(noise)
    wandering_risk, _ = leaving(wandering)
    assert how == RANKS
    # Twelve independent chances of 10 % make 72 %.
    assert jumping_risk == pytest.approx(1 - 0.9**12, abs=0.1)
    assert 0.1 <= wandering_risk < 0.35


def test_without_a_past_the_risk_is_that_of_the_worst_step_and_says_so() -> None:
    for past in (np.full(30, np.nan), np.array([1.0])):
        probability, dependence = leaving(past)
        assert dependence == TOGETHER
        assert probability == pytest.approx(0.1, abs=0.01)
