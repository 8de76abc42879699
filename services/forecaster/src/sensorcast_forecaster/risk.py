"""The probability that a series leaves a limit within the horizon, read off whole paths."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from sensorcast_forecaster.conformal import PathEnsemble
from sensorcast_forecaster.window import Limit

SAYABLE: Final = 0.2
"""Below this probability, the time of leaving is not worth saying."""


@dataclass(frozen=True, slots=True)
class PathRisk:
    """What the paths say about one limit.

    Attributes:
        probability: That a path leaves the limit at least once within the horizon.
        steps: The median of the steps (from 1) at which it first does, given that it does; `None` where the
            probability is below `SAYABLE`.
    """

    probability: float
    steps: int | None


def path_risk(ensemble: PathEnsemble, limit: Limit) -> PathRisk:
    """Share of the paths whose extreme is beyond the limit.

    A path's maximum lies higher than any one step's quantile: with independent errors, a 10 % chance at each of 60
    steps is near certainty over the hour, with errors that move together it stays near 10 %. Residual paths keep how
    errors move together.
    """
    outward = ensemble.paths - limit.threshold if limit.side == "above" else limit.threshold - ensemble.paths
    outside = outward > 0
    leaves = outside.any(axis=1)
    weights = ensemble.weights[leaves]
    probability = min(1.0, float(weights.sum() / ensemble.weights.sum()))
    if probability < SAYABLE:
        return PathRisk(probability, None)
    first = outside[leaves].argmax(axis=1) + 1
    order = np.argsort(first, kind="stable")
    middle = int(np.searchsorted(np.cumsum(weights[order]), weights.sum() / 2))
    return PathRisk(probability, int(first[order][min(middle, len(first) - 1)]))
