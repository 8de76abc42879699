"""What every forecasting engine promises, whoever does the work: this process, an endpoint or a managed service."""

from collections.abc import Sequence
from typing import Protocol

from sensorcast_common.forecast import Forecast
from sensorcast_forecaster.window import Refused, SeriesWindow


class Engine(Protocol):
    """Forecasts the series of one job."""

    async def forecast(
        self, windows: Sequence[SeriesWindow], *, horizon_seconds: int, known_at: int
    ) -> list[Forecast | Refused]:
        """Forecast every series.

        A series that cannot be forecast is refused and does not disturb the others; an exception means that the engine
        as a whole does not work now. The event loop is never blocked: visibility must be extended meanwhile.

        Args:
            windows: The series, siblings of one device next to each other.
            horizon_seconds: How far ahead.
            known_at: Recorded in the forecasts, in milliseconds since 1970 UTC.

        Returns:
            One answer per window, in their order.
        """
        ...
