"""A fridge's temperature with a step of five minutes: cycles of two hours, a little noise."""

import numpy as np

from sensorcast_forecaster.window import Values

END = 4_102_870_500_000  # in 2100: what is stored does not outlive its time to live in the middle of a test
DAY_MS = 86_400_000
STEP_MS = 300_000


def fridge(*, seed: int, days: float = 6) -> Values:
    """Oldest first."""
    noise = np.random.default_rng(seed)
    steps = np.arange(round(days * 288))
    saw = np.abs(((steps + 5 * seed) % 24) / 12 - 1)
    return np.asarray(4 + 2 * saw + noise.normal(0, 0.05, len(steps)))
