"""The built-in engine: the best of a global boosted model and a blend of the series' own, with conformal paths."""

import asyncio
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from sensorcast_common import logs
from sensorcast_common.clock import from_millis
from sensorcast_common.forecast import Forecast
from sensorcast_forecaster.answer import risks_of, rounded
from sensorcast_forecaster.boosting.member import Loaded, Models, NoModels
from sensorcast_forecaster.choice import BOOSTED, Chosen, choose_members
from sensorcast_forecaster.coldstart import start_cold
from sensorcast_forecaster.conformal import PathEnsemble, calibrated, mixed
from sensorcast_forecaster.drift import Drift, detect_drift
from sensorcast_forecaster.extremes import NARROW, WIDE, weighted_for
from sensorcast_forecaster.rolling import LAST, Validated, origins_for, validate
from sensorcast_forecaster.window import Refused, SeriesWindow, Side

VERSION: Final = 1
LEVELS: Final = (0.1, 0.5, 0.9)

MOST_ORIGINS, USUAL_ORIGINS = 192, 96
"""Past moments to validate at: more of them where the window is short, so that a forecast costs about the same."""

_CELLS_AT_MOST_ORIGINS: Final = 2880
MIN_ORIGINS: Final = 12
DRIFT_NAMED: Final = 0.1
"""Belief from which a drift is part of the model's name."""

log = logs.logger(__name__)


@dataclass(frozen=True, slots=True)
class BuiltinEngine:
    """Runs in a thread of this process: numpy leaves the event loop enough air.

    Attributes:
        blas_threads: Threads of one matrix product, set for the whole process; at these sizes more than one only
            heats the other cores.
        models: The boosted models that have been promoted; none by default.
    """

    blas_threads: int = 1
    models: Models = field(default_factory=NoModels)

    def __post_init__(self) -> None:
        limit_blas_threads(self.blas_threads)

    async def forecast(
        self, windows: Sequence[SeriesWindow], *, horizon_seconds: int, known_at: int
    ) -> list[Forecast | Refused]:
        """Forecast every series; see `Engine`."""
        return await asyncio.to_thread(self._forecast_all, windows, horizon_seconds, known_at)

    def _forecast_all(
        self, windows: Sequence[SeriesWindow], horizon_seconds: int, known_at: int
    ) -> list[Forecast | Refused]:
        return [_one(window, horizon_seconds, known_at, self.models) for window in windows]


def limit_blas_threads(threads: int = 1) -> None:
    """Set how many threads one matrix product takes, for the whole process."""
    threadpool_limits(limits=threads, user_api="blas")  # type: ignore[no-untyped-call] # it has no types


def forecast_window(
    window: SeriesWindow, *, horizon_seconds: int, known_at: int, models: Models | None = None
) -> Forecast | Refused:
    """Forecast one series.

    Args:
        window: Its recent past.
        horizon_seconds: How far ahead; rounded up to a whole step.
        known_at: Recorded in the forecast, in milliseconds since 1970 UTC.
        models: The boosted models; none by default.
    """
    horizon = math.ceil(horizon_seconds / window.step_seconds)
    count = MOST_ORIGINS * _CELLS_AT_MOST_ORIGINS // len(window.values)
    origins = origins_for(window.values, horizon=horizon, count=min(MOST_ORIGINS, max(USUAL_ORIGINS, count)))
    if len(origins) < MIN_ORIGINS:
        return _cold(window, horizon, known_at)
    chosen = validate(window.values, horizon=horizon, origins=origins)
    drift = detect_drift(window.values, origins=origins, horizon=horizon)
    found = (models or NoModels()).find(
        window.series.tenant, window.series.metric, step_seconds=window.step_seconds, horizon=horizon, now=known_at
    )
    made = _choose(window, chosen, found)
    if chosen.able == (LAST,) and BOOSTED not in made.chosen.members:
        return _cold(window, horizon, known_at, made.problem)
    usual = made.chosen.ensemble
    lineage = _lineage(window, made, found, known_at)
    if drift is not None and drift.belief >= DRIFT_NAMED:
        lineage = lineage._replace(members=(*lineage.members, "drift"), fallback=None)

    width = WIDE if BOOSTED in made.chosen.members else NARROW

    def ensemble_for(side: Side) -> PathEnsemble:
        return _ensemble(chosen, drift, weighted_for(usual, window.values, side=side, width=width))

    return _told(window, _ensemble(chosen, drift, usual), ensemble_for, lineage, known_at)


def _cold(window: SeriesWindow, horizon: int, known_at: int, problem: str | None = None) -> Forecast:
    made = start_cold(window.values, horizon=horizon)
    reason = "constant" if _is_constant(window) else made.reason
    if problem is not None:
        reason = f"{problem}; {reason}"
    lineage = _Lineage((made.member,), "", known_at, window.first, window.end, reason)
    return _told(window, made.ensemble, lambda _: made.ensemble, lineage, known_at)


def _told(
    window: SeriesWindow,
    ensemble: PathEnsemble,
    ensemble_for: Callable[[Side], PathEnsemble],
    lineage: "_Lineage",
    known_at: int,
) -> Forecast:
    return Forecast(
        tenant=window.series.tenant,
        device=window.series.device,
        metric=window.series.metric,
        unit=window.unit,
        known_at=from_millis(known_at),
        last_value=window.last_value,
        step_seconds=window.step_seconds,
        start=from_millis(window.end + window.step_seconds * 1000),
        **dict(zip(("q10", "q50", "q90"), rounded(ensemble.quantiles(LEVELS)), strict=True)),
        risks=risks_of(window, ensemble_for),
        model=f"builtin/{VERSION}:{'+'.join(lineage.members)}{lineage.suffix}",
        trained_at=from_millis(lineage.trained_at),
        trained_from=from_millis(lineage.trained_from),
        trained_to=from_millis(lineage.trained_to),
        window_from=from_millis(window.first),
        window_to=from_millis(window.end),
        fallback=lineage.fallback,
    )


def _one(window: SeriesWindow, horizon_seconds: int, known_at: int, models: Models) -> Forecast | Refused:
    try:
        return forecast_window(window, horizon_seconds=horizon_seconds, known_at=known_at, models=models)
    except Exception as error:
        # One series must not take its shard along; the log and the metric tell of it.
        log.exception("series failed", tenant=window.series.tenant, series="/".join(window.series[1:]))
        return Refused(window.series, "failed", f"{type(error).__name__}: {error}")


class _Made(NamedTuple):
    chosen: Chosen
    problem: str | None


def _choose(window: SeriesWindow, own: Validated, found: Loaded | str | None) -> _Made:
    """What the series is forecast by, and why its boosted model could not be asked."""
    if not isinstance(found, Loaded):
        return _Made(choose_members(window, own), found)
    try:
        return _Made(choose_members(window, own, found.booster), None)
    except Exception as error:
        # The series still has its own blend; the label and the log tell of it.
        series = window.series
        log.exception("boosted model failed", tenant=series.tenant, series="/".join(series[1:]), model=found.model_id)
        return _Made(choose_members(window, own), f"boosted model failed: {type(error).__name__}")


class _Lineage(NamedTuple):
    members: tuple[str, ...]
    suffix: str
    trained_at: int
    trained_from: int
    trained_to: int
    fallback: str | None


def _lineage(window: SeriesWindow, made: _Made, found: Loaded | str | None, known_at: int) -> _Lineage:
    members = made.chosen.members
    if isinstance(found, Loaded) and BOOSTED in members:
        trained = (found.trained_at, found.trained_from, found.booster.trained_to)
        return _Lineage(members, f"@{found.model_id}", *trained, fallback=None)
    reason = _fallback(window, members) or made.problem
    # The series' own members are fitted anew for each forecast.
    return _Lineage(members, "", known_at, window.first, window.end, reason)


def _ensemble(chosen: Validated, drift: Drift | None, usual: PathEnsemble) -> PathEnsemble:
    if drift is None:
        return usual
    drifts = [
        (drift.belief * float(weight), calibrated(path, chosen.residuals))
        for path, weight in zip(drift.paths, drift.weights, strict=True)
    ]
    return mixed([(1 - drift.belief, usual), *drifts])


def _fallback(window: SeriesWindow, members: tuple[str, ...]) -> str | None:
    if members != (LAST,):
        return None
    return "constant" if _is_constant(window) else "no model beats last value here"


def _is_constant(window: SeriesWindow) -> bool:
    known = window.values[np.isfinite(window.values)]
    return float(known.max() - known.min()) == 0
