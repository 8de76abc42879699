"""Windows of a simulated truck."""

import numpy as np
from tests.services.forecaster.cold_chain import truck

from sensorcast_common.reading import SeriesKey
from sensorcast_forecaster.regularize import RawSeries, regularize
from sensorcast_forecaster.window import Limit, SeriesWindow


def window(
    device: str = "truck-1", *, seed: int = 1, hours: float = 12, every_seconds: int = 60, above: float = 8.0
) -> SeriesWindow:
    """Its latest day, watched by a limit."""
    ts, values = truck(seed=seed, hours=hours, every_seconds=every_seconds)
    raw = RawSeries(series=SeriesKey("acme", device, "temperature"), unit="Cel", ts=ts, values=values)
    limits = (Limit(rule_id="warm", side="above", threshold=above),)
    made = regularize(raw, known_at=int(ts[-1]), max_steps=2880, limits=limits)
    assert isinstance(made, SeriesWindow)
    assert np.isfinite(made.values[-1])
    return made
