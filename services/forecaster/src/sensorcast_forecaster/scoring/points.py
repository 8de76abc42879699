"""One forecast against what came: quantile loss, that of last value, and how much the band covered."""

from typing import Final

import numpy as np

from sensorcast_common.clock import to_millis
from sensorcast_common.forecast import Forecast
from sensorcast_common.skill import Tally
from sensorcast_forecaster.scoring.observed import Observed
from sensorcast_forecaster.window import Values

LEVELS: Final = (0.1, 0.5, 0.9)

ENOUGH: Final = 0.5
"""Share of a horizon that must have come before it can be judged."""


def score_points(forecast: Forecast, observed: Observed) -> Tally:
    """Compare each point of a forecast with the mean of the step that it stands for; empty steps are left out.

    Args:
        forecast: Whose horizon has passed.
        observed: The readings of its series, at least those of the horizon.
    """
    came = actual(forecast, observed)
    known = np.isfinite(came)
    if known.sum() < ENOUGH * len(came):
        return Tally(unobserved=1)
    came = came[known]
    quantiles = np.array([forecast.q10, forecast.q50, forecast.q90])[:, known]
    naive = np.full_like(quantiles, forecast.last_value)
    return Tally(
        forecasts=1,
        fallbacks=0 if forecast.fallback is None else 1,
        points=len(came),
        covered=int(((came >= quantiles[0]) & (came <= quantiles[2])).sum()),
        loss=quantile_loss(quantiles, came),
        naive_loss=quantile_loss(naive, came),
        absolute=float(np.abs(came).sum()),
    )


def actual(forecast: Forecast, observed: Observed) -> Values:
    """What came at each point of a forecast; NaN where nothing did."""
    return observed.cells(start=to_millis(forecast.start), step=forecast.step_seconds * 1000, count=len(forecast.q50))


def quantile_loss(quantiles: Values, came: Values) -> float:
    """The sum over points of the mean over `LEVELS` of twice the pinball loss; divided by the sum of |y| it is wQL.

    Args:
        quantiles: Shape (levels, points).
        came: Shape (points,).
    """
    levels = np.array(LEVELS)[:, None]
    short = came - quantiles
    pinball = np.maximum(levels * short, (levels - 1) * short)
    return float(2 * pinball.mean(axis=0).sum())


def model_group(model: str) -> str:
    """A model's name without the members that change from series to series: `builtin/1@20260101T022000Z`."""
    engine, _, members = model.partition(":")
    _, at, trained = members.partition("@")
    return engine + at + trained
