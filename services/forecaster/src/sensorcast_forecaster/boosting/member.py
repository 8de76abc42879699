"""The boosted model as one more candidate for a series: what it said at past origins, what it says now."""

from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

import numpy as np

from sensorcast_forecaster.boosting.aci import known_before
from sensorcast_forecaster.boosting.blend import Said, choose, conformal, rescaled
from sensorcast_forecaster.boosting.booster import QuantileBooster
from sensorcast_forecaster.conformal import PathEnsemble
from sensorcast_forecaster.rolling import Validated
from sensorcast_forecaster.window import SeriesWindow

BOOSTED: Final = "boosted"
_MEAN: Final = "mean"
_BLEND: Final = "blend"
_LAST: Final = "last value"


class Loaded(NamedTuple):
    """A promoted model in memory.

    Attributes:
        model_id: Of its record.
        booster: To be asked.
        trained_from: First reading it was trained on, in milliseconds since 1970 UTC.
    """

    model_id: str
    booster: QuantileBooster
    trained_from: int


class Models(Protocol):
    """The port to the promoted models; it answers from memory, since the engine runs in a thread."""

    def find(self, tenant: str, metric: str, *, step_seconds: int, horizon: int, now: int) -> Loaded | str | None:
        """The model for a series; why the promoted one cannot be used; or `None` where none was ever promoted."""
        ...


class NoModels(Models):
    """Nobody has trained anything."""

    def find(self, tenant: str, metric: str, *, step_seconds: int, horizon: int, now: int) -> None:
        """None."""


@dataclass(frozen=True, slots=True, eq=False)
class Better:
    """The boosted model, alone or averaged with the blend, where it has validated better than both that and last value.

    Attributes:
        members: That take part.
        ensemble: Its futures.
        relative_loss: Weighted quantile loss relative to last value, both calibrated.
    """

    members: tuple[str, ...]
    ensemble: PathEnsemble
    relative_loss: float


def better(booster: QuantileBooster, window: SeriesWindow, chosen: Validated) -> Better | None:
    """Judge the boosted model for one series, at origins that it has not learnt from.

    Args:
        booster: On the window's step.
        window: The series.
        chosen: The blend to beat.

    Returns:
        What to use instead of the blend; `None` where the blend or last value did as well, where too few origins came
        after the training, or where the last day is constant or mostly missing.
    """
    values, step = window.values, window.step_seconds * 1000
    last = len(values) - 1
    honest = window.end - (last - chosen.origins) * step >= booster.trained_to
    origins = chosen.origins[honest]
    if not len(origins):
        return None
    horizon = booster.layout.horizon
    said = booster.quantiles(values[None, :], np.append(origins, last), end=np.array([window.end]))[0]
    if not np.isfinite(said).all():
        return None
    came = values[origins[:, None] + np.arange(1, horizon + 1)]
    known = known_before(origins, horizon=horizon)
    last_path = np.repeat(values[last], horizon)
    blend = conformal(came - chosen.residuals[honest], chosen.path, came, known=known)
    boosted = rescaled(Said(said[:-1], said[-1]), came, known=known)
    choice = choose(
        {
            _LAST: conformal(np.repeat(values[origins][:, None], horizon, axis=1), last_path, came, known=known),
            _BLEND: blend,
            BOOSTED: boosted,
            _MEAN: boosted.averaged(blend),
        },
        came,
    )
    if choice is None or choice.name not in {BOOSTED, _MEAN}:
        return None
    floor = choice.losses[_LAST]
    return Better(
        members=(BOOSTED,) if choice.name == BOOSTED else (BOOSTED, *chosen.members),
        ensemble=choice.ensemble,
        relative_loss=choice.losses[choice.name] / floor if floor > 0 else 1.0,
    )
