"""Whether a trained model still does what it was trained for, told from how its forecasts turned out."""

from typing import Final, NamedTuple

from sensorcast_common.skill import Tally

MIN_FORECASTS: Final = 200
"""Fewer forecasts tell too little: a single device with a door left open would start a training."""

_WORSE: Final = 1.25
"""Loss relative to last value, over what it was before, from which the series have drifted away from the model."""

_COVERAGE_USUAL: Final = (0.7, 0.9)
_COVERAGE_HEALTHY: Final = 0.6
"""An 80 % band that covers less than this misleads whoever acts on it."""


class Verdict(NamedTuple):
    """What to do about a model.

    Attributes:
        train: Whether to train anew at once instead of waiting for the daily tick.
        usable: Whether it may still be used; if not, the labelled baseline takes its place until a new one is promoted.
        reason: For people and metrics: `fine`, `too few forecasts`, `worse than last value`, `covers too little`,
            `worse than before` or `coverage has drifted`.
    """

    train: bool
    usable: bool
    reason: str


def review(recent: Tally, before: Tally) -> Verdict:
    """Judge a model by its forecasts of the past day.

    Args:
        recent: Of the model's own forecasts.
        before: Of the forecasts of this and earlier models for the same series, before that day.
    """
    if recent.forecasts < MIN_FORECASTS or recent.naive_loss <= 0:
        return Verdict(train=False, usable=True, reason="too few forecasts")
    loss, coverage = recent.loss / recent.naive_loss, recent.covered / recent.points
    if loss >= 1:
        return Verdict(train=True, usable=False, reason="worse than last value")
    if coverage < _COVERAGE_HEALTHY:
        return Verdict(train=True, usable=False, reason="covers too little")
    known = before.forecasts >= MIN_FORECASTS and before.naive_loss > 0
    if known and loss >= _WORSE * before.loss / before.naive_loss:
        return Verdict(train=True, usable=True, reason="worse than before")
    low, high = _COVERAGE_USUAL
    if not low <= coverage <= high:
        return Verdict(train=True, usable=True, reason="coverage has drifted")
    return Verdict(train=False, usable=True, reason="fine")
