"""Holt, AutoETS and AutoTheta as statsforecast makes them."""

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from sensorcast_forecaster.backtest.answer import Answer
from sensorcast_forecaster.window import Limit, SeriesWindow, Values

_DAY_SECONDS: Final = 86_400
_MAX_ETS_SEASON: Final = 24
"""ETS knows no longer season."""

_Z80: Final = 1.2815515655446004
"""0.9 quantile of the standard normal distribution."""


class _Model(Protocol):
    def forecast(self, y: Values, h: int, *, level: list[int]) -> dict[str, Values]: ...


@dataclass(frozen=True, slots=True)
class Classical:
    """A model of statsforecast, fitted anew to every window.

    Its band is its own 80 % interval. The probability of leaving a limit is that of the most likely step, as these
    models say nothing of whole paths.

    Attributes:
        name: In the table.
        make: Makes the model for a season of so many steps.
    """

    name: str
    make: Callable[[int], _Model]

    def forecast(self, window: SeriesWindow, *, horizon: int) -> Answer | None:
        """Forecast one series; see `Forecaster`."""
        values = window.values
        known = np.flatnonzero(np.isfinite(values))
        filled = np.interp(np.arange(len(values)), known, values[known])
        day = _DAY_SECONDS // window.step_seconds
        season = day if len(values) >= 2 * day else 1
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of its optimiser; what comes of it is scored
            try:
                said = self.make(season).forecast(filled, horizon, level=[80])
            except (ValueError, ArithmeticError, IndexError, np.linalg.LinAlgError):
                return None  # It cannot be fitted, e.g. to a constant.
        quantiles = np.stack([said["lo-80"], said["mean"], said["hi-80"]])
        if not np.isfinite(quantiles).all():
            return None
        return Answer(
            np.sort(quantiles, axis=0), max((_beyond(quantiles, limit) for limit in window.limits), default=0.0)
        )


def classical() -> list[Classical]:
    """The models that are compared.

    Raises:
        ImportError: statsforecast is not installed.
    """
    from statsforecast.models import AutoETS, AutoTheta, Holt  # takes seconds

    return [
        Classical("Holt", lambda _: Holt()),
        Classical("AutoETS", lambda season: AutoETS(season_length=season if season <= _MAX_ETS_SEASON else 1)),
        Classical("AutoTheta", lambda season: AutoTheta(season_length=season)),
    ]


def _beyond(quantiles: Values, limit: Limit) -> float:
    """The greatest probability of any one step, from a normal distribution with this 80 % interval."""
    spread = np.maximum((quantiles[2] - quantiles[0]) / (2 * _Z80), 1e-12)
    outward = (quantiles[1] - limit.threshold) * (1 if limit.side == "above" else -1)
    return max(0.5 * math.erfc(-float(z) / math.sqrt(2)) for z in outward / spread)
