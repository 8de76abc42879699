"""A cold room whose door is opened at random: all openings end alike, and each series has seen few of them."""

import numpy as np

from sensorcast_forecaster.window import Values


def events(*, seed: int, days: float) -> Values:
    """Rests at 4 degrees; door openings at random, each of which ends the same way: common to all, rare in each."""
    noise = np.random.default_rng(seed)
    count = round(days * 288)
    values = 4 + noise.normal(0, 0.03, count)
    shape = 5 * np.concatenate([np.linspace(0.1, 1, 6), np.linspace(1, 0, 14)])
    at = 0
    while (at := at + int(noise.integers(20, 120))) < count - 20:
        values[at : at + 20] += shape * noise.uniform(0.7, 1.3)
    return np.asarray(values)
