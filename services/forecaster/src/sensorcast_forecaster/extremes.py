"""Paths weighted so that their highest or lowest value would have come as often as promised at past moments.

What a limit asks of a forecast is the distribution of the path's extreme, which bands per step say nothing of. Two
things are wrong with taking each past error for equally likely: errors depend on the situation, and extremes of added
errors need not be distributed as extremes are. The first is met by weights for similar moments (Guan 2023, "Localized
conformal prediction"), the second by the probability integral transform of the extremes that came (Kuleshov et al.
2018, "Accurate uncertainties for deep learning using calibrated regression").
"""

from typing import Final

import numpy as np

from sensorcast_forecaster.conformal import PathEnsemble
from sensorcast_forecaster.models import Origins
from sensorcast_forecaster.similarity import similarity
from sensorcast_forecaster.window import Side, Values

_MOST: Final = 200
"""Past moments at which extremes are looked at."""

NARROW: Final = 0.7
WIDE: Final = 2.0
"""How alike moments must be, see `similarity`: of a blend, whose errors are taken as they were, and of a model whose
band already widens and narrows with the situation."""

_PRIOR: Final = 30.0
"""Moments that the promise of a perfect calibration counts for: few past moments change little."""


def weighted_for(ensemble: PathEnsemble, values: Values, *, side: Side, width: float = NARROW) -> PathEnsemble:
    """The same paths, calibrated for limits of one side.

    Args:
        ensemble: Paths that carry errors of past moments.
        values: The window that these moments are of.
        side: Whether a limit lies above, so that the highest value of a path counts, or below.
        width: `NARROW` or `WIDE`.

    Returns:
        With other weights; the ensemble itself where it does not tell its moments.
    """
    origins = ensemble.origins
    if origins is None:
        return ensemble
    outward = ensemble.paths if side == "above" else -ensemble.paths
    horizon = outward.shape[1]
    now = np.array([len(values) - 1])
    weights = ensemble.weights * similarity(values, now, origins, horizon=horizon, width=width)[0]
    extremes = outward.max(axis=1)
    order = np.argsort(extremes, kind="stable")
    reached = np.cumsum(weights[order]) / weights.sum()
    came = _transforms(outward, values if side == "above" else -values, origins, horizon, width)
    below = np.searchsorted(np.sort(came), reached, side="right")
    promised = (below + _PRIOR * reached) / (len(came) + _PRIOR)
    calibrated = np.empty_like(weights)
    calibrated[order] = np.diff(promised, prepend=0.0)
    return PathEnsemble(ensemble.paths, calibrated, origins)


def _transforms(outward: Values, values: Values, origins: Origins, horizon: int, width: float) -> Values:
    """Where, within what would have been said of it, the extreme lay that came after each past moment; 0 to 1.

    What would have been said is what came, less its error, plus the errors of similar moments whose future does not
    overlap with this one.
    """
    some = np.unique(np.linspace(0, len(origins) - 1, _MOST).round().astype(np.intp))
    at, errors = origins[some], outward[some]
    futures = values[at[:, None] + np.arange(1, horizon + 1)]
    weights = similarity(values, at, at, horizon=horizon, width=width)
    weights[np.abs(at[:, None] - at) <= horizon] = 0.0
    total = weights.sum(axis=1)
    found = []
    for moment in np.flatnonzero(total):
        extremes = (futures[moment] - errors[moment] + errors).max(axis=1)
        came = futures[moment].max()
        position = (extremes < came) + 0.5 * (extremes == came)
        found.append(float(weights[moment] @ position) / float(total[moment]))
    return np.array(found)
