"""What every engine's forecast is made of once its paths and quantiles are known: risks, and numbers worth sending."""

import math
from collections.abc import Callable

import numpy as np

from sensorcast_common.clock import from_millis
from sensorcast_common.forecast import LimitRisk
from sensorcast_forecaster.conformal import PathEnsemble
from sensorcast_forecaster.risk import path_risk
from sensorcast_forecaster.window import SeriesWindow, Side, Values


def risks_of(window: SeriesWindow, ensemble_for: Callable[[Side], PathEnsemble]) -> list[LimitRisk]:
    """The risk of leaving each of a window's limits.

    Args:
        window: Whose limits.
        ensemble_for: Paths by which the limits of one side are judged; their first step is the one after the window.
    """
    ensembles = {side: ensemble_for(side) for side in {limit.side for limit in window.limits}}
    risks = []
    for limit in window.limits:
        risk = path_risk(ensembles[limit.side], limit)
        expected = None if risk.steps is None else from_millis(window.end + risk.steps * window.step_seconds * 1000)
        risks.append(
            LimitRisk(
                rule_id=limit.rule_id,
                side=limit.side,
                threshold=limit.threshold,
                probability=round(risk.probability, 4),
                expected_at=expected,
            )
        )
    return risks


def rounded(quantiles: Values) -> list[list[float]]:
    """Four digits within the range they span: the rest is noise that would not compress."""
    span = float(quantiles.max() - quantiles.min())
    decimals = 3 - math.floor(math.log10(span)) if span > 0 else 6
    # Rounding is monotone, so quantiles stay in order.
    return [[float(value) for value in row] for row in np.round(quantiles, max(0, min(decimals, 9)))]
