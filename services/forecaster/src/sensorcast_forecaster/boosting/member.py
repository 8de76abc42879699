"""The boosted model as one more candidate for a series: what it said at past origins, what it says now."""

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from sensorcast_forecaster.boosting.blend import Said
from sensorcast_forecaster.boosting.booster import QuantileBooster
from sensorcast_forecaster.models import Origins
from sensorcast_forecaster.window import SeriesWindow


class Loaded(NamedTuple):
    """A promoted model in memory.

    Attributes:
        model_id: Of its record.
        booster: To be asked.
        trained_from: First reading it was trained on, in milliseconds since 1970 UTC.
        trained_at: When it was trained, likewise.
    """

    model_id: str
    booster: QuantileBooster
    trained_from: int
    trained_at: int


class Models(Protocol):
    """The port to the promoted models; it answers from memory, since the engine runs in a thread."""

    def find(self, tenant: str, metric: str, *, step_seconds: int, horizon: int, now: int) -> Loaded | str | None:
        """The model for a series; why the promoted one cannot be used; or `None` where none was ever promoted."""
        ...


class NoModels(Models):
    """Nobody has trained anything."""

    def find(self, tenant: str, metric: str, *, step_seconds: int, horizon: int, now: int) -> None:
        """None."""


def said_by(booster: QuantileBooster, window: SeriesWindow, origins: Origins) -> Said | None:
    """What a model says of a series, as it is: neither calibrated nor judged.

    Args:
        booster: On the window's step.
        window: The series.
        origins: Past ones, that it has not learnt from.

    Returns:
        `None` where the last day is constant or mostly missing at one of them or now.
    """
    asked = np.append(origins, len(window.values) - 1)
    said = booster.quantiles(window.values[None, :], asked, end=np.array([window.end]))[0]
    return Said(said[:-1], said[-1]) if np.isfinite(said).all() else None


def not_learnt(booster: QuantileBooster, window: SeriesWindow, origins: Origins) -> NDArray[np.bool_]:
    """Which origins came after the training, so that the model can be judged there."""
    ends = window.end - (len(window.values) - 1 - origins) * window.step_seconds * 1000
    return np.asarray(ends >= booster.trained_to, dtype=np.bool_)
