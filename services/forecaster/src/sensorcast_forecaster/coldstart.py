"""A series too young for a blend: Theta where it proved itself on the little there is, else last value; wide bands."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from sensorcast_forecaster.conformal import PathEnsemble, calibrated
from sensorcast_forecaster.rolling import LAST
from sensorcast_forecaster.theta import theta
from sensorcast_forecaster.window import Values

THETA: Final = "theta"

_MARGIN: Final = 0.9
"""Share of the error of last value that Theta must stay under, over all origins and over the newer half; with so few,
a little less is luck."""

_MIN_ORIGINS: Final = 12
_MIN_CHANGES: Final = 12
_LONGEST: Final = 500
"""Newest steps that Theta looks at."""

_STUDENT: Final = 0.66
"""Student's 0.9 quantile is that of the normal times 1 + 0.66 / degrees of freedom, to first order."""


@dataclass(frozen=True, slots=True, eq=False)
class ColdStart:
    """What a young series is forecast by.

    Attributes:
        member: `theta` or `last`.
        ensemble: The futures.
        reason: Why it is not more.
    """

    member: str
    ensemble: PathEnsemble
    reason: str


def start_cold(values: Values, *, horizon: int) -> ColdStart:
    """Forecast a series from little.

    Theta is validated against last value at past origins, as far ahead as a quarter of the unbroken past, and its path
    goes on level after that: no line is drawn further than it was seen to hold. Errors are known that far, too; further
    ahead they add up, block upon block, as those of a random walk do.

    Args:
        values: A window's: NaN in gaps, never at either end.
        horizon: Steps ahead.
    """
    tail = _unbroken(values)[-_LONGEST:]
    ahead = min(horizon, len(tail) // 4)
    origins = np.arange(len(tail) // 3, len(tail) - ahead)
    if ahead and len(origins) >= _MIN_ORIGINS:
        came = tail[origins[:, None] + np.arange(1, ahead + 1)]
        said = theta(tail, np.append(origins, len(tail) - 1), ahead)
        errors = came - said[:-1]
        if _proves_itself(errors, came - tail[origins, None]):
            path = np.concatenate([said[-1], np.repeat(said[-1, -1:], horizon - ahead)])
            reason = f"young: theta on {len(tail)} steps, seen to hold {ahead} steps ahead"
            return ColdStart(THETA, calibrated(path, _errors(errors, horizon, span=len(origins))), reason)
    return ColdStart(LAST, banded_last_value(values, horizon), "too little unbroken history for more than last value")


def _proves_itself(own: Values, floor: Values) -> bool:
    later = len(own) // 2
    return all(
        float(np.abs(own[since:]).mean()) < _MARGIN * float(np.abs(floor[since:]).mean()) for since in (0, later)
    )


def banded_last_value(values: Values, horizon: int) -> PathEnsemble:
    """Last value within the changes of the past, over as many steps as there are enough of them."""
    ahead = horizon
    changes = _changes(values, ahead)
    while ahead > 1 and len(changes) < max(_MIN_CHANGES, 2 * ahead):
        ahead = (ahead + 1) // 2
        changes = _changes(values, ahead)
    return calibrated(np.repeat(values[-1], horizon), _errors(changes, horizon, span=len(changes)))


def _changes(values: Values, ahead: int) -> Values:
    """What followed each value within `ahead` steps, relative to it, where all of it is known."""
    if ahead >= len(values):
        return np.empty((0, ahead))
    changes = sliding_window_view(values, ahead)[1:] - values[:-ahead, None]
    known: Values = changes[np.isfinite(changes).all(axis=1)]
    return known


def _errors(known: Values, horizon: int, *, span: int) -> Values:
    """Errors as far as the horizon, from errors of fewer steps: each path goes on with another where it ends.

    Args:
        known: Shape (moments, steps), oldest first; where there is none, nothing has ever changed.
        horizon: Steps ahead.
        span: Moments from the first to the last of them.

    Returns:
        Shape (moments, horizon), around zero: neither the drift of so short a past nor its luck goes on.
    """
    count, ahead = known.shape
    if not count:
        return np.zeros((1, horizon))
    centred = known - np.median(known, axis=0)
    blocks = -(-horizon // ahead)
    # A stride without a common divisor meets every moment; neighbours overlap and would repeat each other.
    stride = next(step for step in range(count // 2 + 1, count + 2) if math.gcd(step, count) == 1)
    order = (np.arange(count)[:, None] + stride * np.arange(blocks)) % count
    ends = np.cumsum(centred[order, -1], axis=1) - centred[order, -1]
    chained = (ends[:, :, None] + centred[order]).reshape(count, -1)[:, :horizon]
    # Overlapping errors are fewer than they look.
    freedom = max(1.0, (span + ahead) / ahead - 1)
    errors: Values = (chained - np.median(chained, axis=0)) * (1 + _STUDENT / freedom)
    return errors


def _unbroken(values: Values) -> Values:
    gaps = np.flatnonzero(~np.isfinite(values))
    tail: Values = values[gaps[-1] + 1 :] if len(gaps) else values
    return tail
