"""Quantiles are monotone, calibrated and honest about few residuals."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sensorcast_forecaster.conformal import PathEnsemble, calibrated, mixed

LEVELS = (0.1, 0.5, 0.9)
NUMBERS = st.floats(-1e6, 1e6, allow_nan=False)


@given(
    st.integers(1, 40).flatmap(
        lambda count: st.tuples(
            arrays(float, (count, 5), elements=NUMBERS), arrays(float, count, elements=st.floats(0.01, 100))
        )
    )
)
def test_quantiles_are_monotone_and_within_the_paths(made: tuple[np.ndarray, np.ndarray]) -> None:
    paths, weights = made
    quantiles = PathEnsemble(paths, weights).quantiles(LEVELS)
    assert quantiles.shape == (3, 5)
    assert (np.diff(quantiles, axis=0) >= 0).all()
    assert (quantiles >= paths.min(axis=0) - 1e-9).all()
    assert (quantiles <= paths.max(axis=0) + 1e-9).all()


def test_band_covers_what_comes_from_the_same_distribution() -> None:
    random = np.random.default_rng(5)
    inside = []
    for _ in range(400):
        errors = random.gumbel(size=(96, 1))
        low, _, high = calibrated(np.array([10.0]), errors).quantiles(LEVELS)
        inside.append(low[0] <= 10 + random.gumbel() <= high[0])
    assert 0.75 <= np.mean(inside) <= 0.86


def test_fewer_residuals_give_a_wider_band() -> None:
    def width(count: int) -> float:
        low, _, high = calibrated(np.zeros(1), np.linspace(-1, 1, count)[:, None]).quantiles(LEVELS)
        return float(high[0] - low[0])

    assert width(10) > width(100) > width(1000)


def test_weights_shift_the_median() -> None:
    low, high = PathEnsemble(np.zeros((10, 1)), np.ones(10)), PathEnsemble(np.ones((50, 1)), np.ones(50))
    assert mixed([(0.9, low), (0.1, high)]).quantiles([0.5])[0, 0] == 0
    assert mixed([(0.1, low), (0.9, high)]).quantiles([0.5])[0, 0] == 1
    assert len(mixed([(0.0, low), (1.0, high)]).weights) == 50


def test_wrong_residuals_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match="residuals"):
        calibrated(np.zeros(3), np.zeros((5, 4)))
    with pytest.raises(ValueError, match="residuals"):
        calibrated(np.zeros(3), np.zeros((0, 3)))
    with pytest.raises(ValueError, match="parts"):
        mixed([])
