"""Simulated temperatures of a truck: compressor cycles, door openings, defrosts, and a failing compressor."""

import numpy as np
from numpy.typing import NDArray

MINUTE_MS = 60_000
START = 4_102_444_800_000  # 2100-01-01: what is stored does not outlive its time to live in the middle of a test


def truck(
    *,
    seed: int,
    hours: float,
    every_seconds: int = 20,
    fails_at_hour: float | None = None,
    kelvin_per_hour: float = 4.0,
    cycle_minutes: float = 18.0,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Readings around 4 degC.

    Args:
        seed: Everything random follows from it.
        hours: Of readings, from `START`.
        every_seconds: Distance between readings.
        fails_at_hour: From when on the temperature drifts upward under the cycles.
        kelvin_per_hour: The drift.
        cycle_minutes: Of the compressor, whose cycles swing by 0.5 K.

    Returns:
        Times in milliseconds and values in degC.
    """
    random = np.random.default_rng(seed)
    seconds = np.arange(0, hours * 3600, every_seconds)
    # A triangle whose period wanders by a few percent.
    phase = np.cumsum(every_seconds / (cycle_minutes * 60) * random.normal(1, 0.05, len(seconds)))
    values = 4 + 0.5 * (4 * np.abs(phase % 1 - 0.5) - 1)
    for opened in random.uniform(0, hours * 3600, round(hours / 3)):
        values += _warming(seconds - opened, open_for=random.uniform(60, 240), kelvin_per_minute=0.6)
    for defrosted in np.arange(random.uniform(0, 6 * 3600), hours * 3600, 6 * 3600):
        values += _warming(seconds - defrosted, open_for=720, kelvin_per_minute=0.12)
    if fails_at_hour is not None:
        values += np.maximum(0, seconds / 3600 - fails_at_hour) * kelvin_per_hour
    values += random.normal(0, 0.05, len(seconds))
    return START + (seconds * 1000).astype(np.int64), np.round(values, 2)


def _warming(since: NDArray[np.float64], *, open_for: float, kelvin_per_minute: float) -> NDArray[np.float64]:
    """A rise for a while, then back with a time constant of five minutes."""
    risen = kelvin_per_minute / 60 * np.clip(since, 0, open_for)
    return np.where(since > open_for, risen * np.exp(-(since - open_for) / 300), risen)
