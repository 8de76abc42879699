"""How far forecasts were from what came: weighted quantile loss, absolute error and coverage, beside last value's."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from sensorcast_forecaster.window import Values

LEVELS: Final = (0.1, 0.5, 0.9)


@dataclass(frozen=True, slots=True)
class Score:
    """How one forecaster did on one sensor.

    Attributes:
        wql: Weighted quantile loss: twice the pinball loss of the quantiles 0.1, 0.5 and 0.9, averaged over them, per
            absolute value of what came.
        mae: Mean absolute error of the median, in the sensor's unit.
        mase: `mae` per mean absolute change over one step before the test (Hyndman & Koehler 2006); NaN where the
            sensor did not change there.
        coverage: Share of what came that lay between the quantiles 0.1 and 0.9, ends included.
    """

    wql: float
    mae: float
    mase: float
    coverage: float


def score(quantiles: Values, came: Values, *, usual_change: float) -> Score:
    """Score forecasts.

    Args:
        quantiles: Shape (origins, 3, horizon).
        came: Shape (origins, horizon); NaN where nothing came, which is not scored.
        usual_change: Mean absolute change over one step before the test.

    Raises:
        ValueError: Nothing came at all.
    """
    known = np.isfinite(came)
    if not known.any():
        raise ValueError("came: nothing to score")
    error = came - quantiles[:, 1]
    inside = (came >= quantiles[:, 0]) & (came <= quantiles[:, 2])
    mae = float(np.abs(error[known]).mean())
    return Score(
        wql=pinball(quantiles, came) / max(float(np.abs(came[known]).sum()), 1e-12),
        mae=mae,
        mase=mae / usual_change if usual_change > 0 else float("nan"),
        coverage=float(inside[known].mean()),
    )


def pinball(quantiles: Values, came: Values) -> float:
    """Twice the pinball loss, averaged over the levels, summed over all that came."""
    level = np.array(LEVELS)[:, None]
    miss = came[:, None, :] - quantiles
    return float(2 * np.nansum(np.maximum(level * miss, (level - 1) * miss)) / len(LEVELS))


def relative(value: float, floor: float) -> float:
    """`value` in units of the naive forecast's; 1 where both are 0, infinite where only that one is."""
    if floor > 0:
        return value / floor
    return 1.0 if value == 0 else float("inf")
