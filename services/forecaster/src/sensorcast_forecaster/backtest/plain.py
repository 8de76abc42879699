"""Forecasts that need no model: last value, the same time yesterday, and PromQL's straight line."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from sensorcast_forecaster.backtest.answer import Answer
from sensorcast_forecaster.conformal import PathEnsemble, calibrated
from sensorcast_forecaster.risk import path_risk
from sensorcast_forecaster.window import SeriesWindow, Values

LEVELS: Final = (0.1, 0.5, 0.9)
_DAY_SECONDS: Final = 86_400
_MIN_ERRORS: Final = 12


@dataclass(frozen=True, slots=True)
class Naive:
    """Nothing changes, within a band of all changes over so many steps that its window holds.

    The floor that everything is measured by: its median is last value, and its band is calibrated too, so that no
    model wins by its band alone.
    """

    name: str = "naive"

    def forecast(self, window: SeriesWindow, *, horizon: int) -> Answer | None:
        """Forecast one series; see `Forecaster`."""
        values = window.values
        return _answer(window, np.repeat(values[-1], horizon), _changes(values, horizon))


@dataclass(frozen=True, slots=True)
class SeasonalNaive:
    """As it was at the same time yesterday, within a band of how that has erred."""

    name: str = "seasonal naive"

    def forecast(self, window: SeriesWindow, *, horizon: int) -> Answer | None:
        """Forecast one series; see `Forecaster`."""
        values, day = window.values, _DAY_SECONDS // window.step_seconds
        if len(values) < day + horizon + _MIN_ERRORS or horizon > day:
            return None
        path = values[len(values) - day : len(values) - day + horizon]
        error = values[day:] - values[:-day]
        if not np.isfinite(path).all():
            return None
        return _answer(window, path, sliding_window_view(error, horizon))


@dataclass(frozen=True, slots=True)
class PredictLinear:
    """PromQL's `predict_linear(series[range], horizon)`, the range being as long as the horizon.

    As Prometheus does it: a straight line of least squares through the samples of the range, read off at each step
    ahead (promql/functions.go, `linearRegression`). The band, which PromQL lacks, is of how the line has erred before.
    A breach is predicted where the line is beyond the limit, as an alert on it would.
    """

    name: str = "predict_linear"

    def forecast(self, window: SeriesWindow, *, horizon: int) -> Answer | None:
        """Forecast one series; see `Forecaster`."""
        values, span = window.values, max(2, horizon)
        if len(values) < span + horizon + _MIN_ERRORS:
            return None
        lines = sliding_window_view(values, span) @ _line_weights(span, horizon)
        errors = sliding_window_view(values, horizon)[span:] - lines[:-horizon]
        if not np.isfinite(lines[-1]).all():
            return None
        answer = _answer(window, lines[-1], errors)
        if answer is None or not window.limits:
            return answer
        line = PathEnsemble(lines[-1][None, :], np.ones(1))
        return Answer(answer.quantiles, path_risk(line, window.limits[0]).probability)


def _line_weights(span: int, horizon: int) -> Values:
    """What each sample of the range contributes to the line at each step ahead, shape (span, horizon)."""
    back = np.arange(1 - span, 1, dtype=np.float64)
    centred = back - back.mean()
    ahead = np.arange(1, horizon + 1) - back.mean()
    weights: Values = 1 / span + centred[:, None] * ahead / (centred**2).sum()
    return weights


def _changes(values: Values, horizon: int) -> Values:
    if len(values) <= horizon:
        return np.empty((0, horizon))
    return sliding_window_view(values, horizon)[1:] - values[:-horizon, None]


def _answer(window: SeriesWindow, path: Values, errors: Values) -> Answer | None:
    errors = errors[np.isfinite(errors).all(axis=1)]
    if len(errors) < _MIN_ERRORS:
        return None
    quantiles = path + np.quantile(errors, LEVELS, axis=0)
    # The band is calibrated, the median is what the method says.
    quantiles[1] = path
    risks = [path_risk(calibrated(path, errors), limit).probability for limit in window.limits]
    return Answer(np.sort(quantiles, axis=0), max(risks, default=0.0))
