"""The Theta method, at many past moments at once: half the trend, and a level that is smoothed exponentially.

Assimakopoulos & Nikolopoulos 2000, "The theta model: a decomposition approach to forecasting", in the closed form of
Hyndman & Billah 2003, "Unmasking the Theta method": the mean of a straight line through all values, extrapolated, and
of simple exponential smoothing of the line with theta 2, extrapolated flat.
"""

from typing import Final

import numpy as np

from sensorcast_forecaster.models import Origins
from sensorcast_forecaster.window import Values

FEWEST: Final = 6
"""Values that a trend may rest on."""

_ALPHAS: Final = np.linspace(0.05, 1.0, 20)
"""Smoothing weights tried; the one that foresaw the next value best so far is taken."""


def theta(values: Values, origins: Origins, horizon: int) -> Values:
    """Forecast from each origin, knowing `values[: origin + 1]` and nothing after it.

    Args:
        values: Without gaps.
        origins: Ascending.
        horizon: Steps ahead.

    Returns:
        Shape (origins, horizon); a row is NaN where fewer than `FEWEST` values precede.
    """
    paths = np.full((len(origins), horizon), np.nan)
    able = np.flatnonzero(origins + 1 >= FEWEST)
    if not len(able):
        return paths
    asked = origins[able]
    levels, errors = _smoothed(values[: int(asked[-1]) + 1])
    best = errors[asked].argmin(axis=1)
    alpha, known = _ALPHAS[best], asked + 1
    # What smoothing owes to a trend that it follows from behind.
    behind = (1 - (1 - alpha) ** known) / alpha
    ahead = np.arange(horizon)[None, :] + behind[:, None]
    paths[able] = levels[asked, best][:, None] + 0.5 * _slopes(values)[asked][:, None] * ahead
    return paths


def _smoothed(values: Values) -> tuple[Values, Values]:
    """Levels after each value and squared errors up to it, by smoothing weight; shape (values, weights) each."""
    levels = np.empty((len(values), len(_ALPHAS)))
    levels[0] = values[0]
    for at in range(1, len(values)):
        levels[at] = levels[at - 1] + _ALPHAS * (values[at] - levels[at - 1])
    errors = np.zeros_like(levels)
    errors[1:] = np.cumsum((values[1:, None] - levels[:-1]) ** 2, axis=0)
    return levels, errors


def _slopes(values: Values) -> Values:
    """Of the least-squares line through the values up to each; 0 for the first."""
    at = np.arange(len(values), dtype=np.float64)
    count = at + 1
    # Centred, since sums of squares of large values would cancel.
    centred = values - values[0]
    covariance = np.cumsum(at * centred) - np.cumsum(centred) * at / 2
    variance = count * (count**2 - 1) / 12
    slopes: Values = covariance / np.maximum(variance, 1e-12)
    return slopes
