"""The built-in engine as one of those that are compared."""

from dataclasses import dataclass, field

import numpy as np

from sensorcast_common.forecast import Forecast
from sensorcast_forecaster.backtest.answer import Answer
from sensorcast_forecaster.boosting.member import Models, NoModels
from sensorcast_forecaster.builtin import forecast_window, limit_blas_threads
from sensorcast_forecaster.window import SeriesWindow


@dataclass(frozen=True, slots=True)
class Builtin:
    """What the service runs.

    Attributes:
        name: In the table.
        models: The boosted models; none by default.
    """

    name: str = "sensorcast"
    models: Models = field(default_factory=NoModels)

    def __post_init__(self) -> None:
        limit_blas_threads()

    def forecast(self, window: SeriesWindow, *, horizon: int) -> Answer | None:
        """Forecast one series; see `Forecaster`."""
        told = forecast_window(
            window, horizon_seconds=horizon * window.step_seconds, known_at=window.end, models=self.models
        )
        if not isinstance(told, Forecast):
            return None
        probability = max((risk.probability for risk in told.risks), default=0.0)
        return Answer(np.array([told.q10, told.q50, told.q90]), probability, told)
