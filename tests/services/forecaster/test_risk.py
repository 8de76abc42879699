"""The risk is that of a path, not of a point."""

from typing import Literal

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sensorcast_forecaster.conformal import PathEnsemble
from sensorcast_forecaster.risk import path_risk
from sensorcast_forecaster.window import Limit

PATHS = st.integers(1, 30).flatmap(lambda count: arrays(float, (count, 8), elements=st.floats(-50, 50, width=32)))
SIDES = st.sampled_from(["above", "below"])


def ensemble(paths: np.ndarray) -> PathEnsemble:
    return PathEnsemble(paths, np.linspace(0.5, 1.5, len(paths)))


@given(PATHS, st.floats(-60, 60), SIDES)
def test_probability_is_one_and_time_lies_within_the_horizon(
    paths: np.ndarray, threshold: float, side: Literal["above", "below"]
) -> None:
    risk = path_risk(ensemble(paths), Limit("r", side, threshold))
    assert 0 <= risk.probability <= 1
    assert risk.steps is None or 1 <= risk.steps <= 8
    assert (risk.steps is None) == (risk.probability < 0.2)


@given(PATHS, st.floats(-60, 60), st.floats(0, 30))
def test_a_higher_limit_is_not_left_more_likely(paths: np.ndarray, threshold: float, more: float) -> None:
    lower, higher = (path_risk(ensemble(paths), Limit("r", "above", limit)) for limit in (threshold, threshold + more))
    assert higher.probability <= lower.probability


@given(PATHS, st.floats(-60, 60))
def test_sides_mirror_each_other(paths: np.ndarray, threshold: float) -> None:
    above = path_risk(ensemble(paths), Limit("r", "above", threshold))
    below = path_risk(ensemble(-paths), Limit("r", "below", -threshold))
    assert above == below


def test_risk_of_the_path_exceeds_that_of_every_point() -> None:
    # Each of ten paths peaks at a step of its own: no step is outside on more than one.
    paths = np.eye(10) * 2
    assert (paths > 1).mean(axis=0).max() == 0.1
    assert path_risk(PathEnsemble(paths, np.ones(10)), Limit("r", "above", 1)).probability == 1.0


def test_time_is_the_median_of_first_exits() -> None:
    paths = np.zeros((3, 10))
    for row, step in enumerate((2, 4, 9)):
        paths[row, step:] = 5
    assert path_risk(PathEnsemble(paths, np.ones(3)), Limit("r", "above", 1)).steps == 5
