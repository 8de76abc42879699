"""What a series is forecast by: last value, its own blend, the boosted model, or a mean of them, as they validated."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from sensorcast_forecaster.boosting.aci import known_before
from sensorcast_forecaster.boosting.blend import Said, choose, conformal, rescaled
from sensorcast_forecaster.boosting.booster import QuantileBooster
from sensorcast_forecaster.boosting.member import not_learnt, said_by
from sensorcast_forecaster.conformal import PathEnsemble, calibrated
from sensorcast_forecaster.rolling import LAST, Validated
from sensorcast_forecaster.window import SeriesWindow, Values

BOOSTED: Final = "boosted"
_BLEND: Final = "blend"
_MEAN: Final = "mean"

_MIN_CHANGES: Final = 12


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """What the series is forecast by.

    Attributes:
        members: That take part.
        ensemble: The futures that they make.
    """

    members: tuple[str, ...]
    ensemble: PathEnsemble


def choose_members(window: SeriesWindow, own: Validated, booster: QuantileBooster | None = None) -> Chosen:
    """Choose by weighted quantile loss over past origins, each candidate calibrated by what was known at each.

    With a boosted model, its mean with the series' own blend is preferred; without one, the blend. Last value is taken
    where nothing has been better than it.

    Args:
        window: The series.
        own: Its own blend.
        booster: The model that serves it, if there is one.
    """
    values, horizon = window.values, len(own.path)
    boosted = None if booster is None else _boosted(booster, window, own)
    if boosted is None:
        if own.members == (LAST,):
            return Chosen((LAST,), last_value_ensemble(values, horizon))
        said, origins, residuals = None, own.origins, own.residuals
    else:
        said, kept = boosted
        origins, residuals = own.origins[kept], own.residuals[kept]
    came = values[origins[:, None] + np.arange(1, horizon + 1)]
    known = known_before(origins, horizon=horizon)
    floor = np.repeat(values[origins][:, None], horizon, axis=1)
    candidates = {LAST: conformal(floor, np.repeat(values[-1], horizon), came, known=known)}
    if own.members != (LAST,):
        candidates[_BLEND] = conformal(came - residuals, own.path, came, known=known)
    if said is not None:
        candidates[BOOSTED] = rescaled(said, came, known=known)
        candidates[_MEAN] = candidates[BOOSTED].averaged(candidates[_BLEND if _BLEND in candidates else LAST])
    choice = choose(candidates, came, floor=LAST, preferred=_BLEND if said is None else _MEAN)
    name = _BLEND if choice is None else choice.name
    if name == LAST or (name == _BLEND and own.members == (LAST,)):
        return Chosen((LAST,), last_value_ensemble(values, horizon))
    if name == _BLEND or choice is None:
        return Chosen(own.members, calibrated(own.path, own.residuals, own.origins))
    ensemble = replace(choice.ensemble, origins=origins[choice.scored])
    return Chosen((BOOSTED,) if name == BOOSTED else (BOOSTED, *own.members), ensemble)


def last_value_ensemble(values: Values, horizon: int) -> PathEnsemble:
    """Last value, within all changes of the past: more of them than a validation has origins, so a steadier band."""
    changes = sliding_window_view(values, horizon)[1:] - values[:-horizon, None]
    origins = np.flatnonzero(np.isfinite(changes).all(axis=1))
    if len(origins) < _MIN_CHANGES:
        return PathEnsemble(np.full((1, horizon), values[-1]), np.ones(1))
    changes = changes[origins]
    # Nothing changes in the median, whatever it did in the past.
    return calibrated(np.repeat(values[-1], horizon), changes - np.median(changes, axis=0), origins)


def _boosted(booster: QuantileBooster, window: SeriesWindow, own: Validated) -> tuple[Said, NDArray[np.bool_]] | None:
    kept = not_learnt(booster, window, own.origins)
    if not kept.any():
        return None
    said = said_by(booster, window, own.origins[kept])
    return None if said is None else (said, kept)
