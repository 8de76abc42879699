"""What is asked of every forecaster that is compared, and what it answers."""

from dataclasses import dataclass
from typing import Protocol

from sensorcast_common.forecast import Forecast
from sensorcast_forecaster.window import SeriesWindow, Values


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """One forecast.

    Attributes:
        quantiles: 0.1, 0.5 and 0.9 of each step, shape (3, horizon).
        probability: That the series leaves the limit of its window within the horizon; 0 where it has none.
        told: The forecast as the service would have sent it; `None` of forecasters that are not the service's.
    """

    quantiles: Values
    probability: float
    told: Forecast | None = None


class Forecaster(Protocol):
    """One way to forecast."""

    @property
    def name(self) -> str:
        """In the table."""
        ...

    def forecast(self, window: SeriesWindow, *, horizon: int) -> Answer | None:
        """Forecast one series from what is known.

        Args:
            window: What is known, with at most one limit.
            horizon: Steps ahead.

        Returns:
            The forecast; `None` where this forecaster has too little to go by.
        """
        ...
