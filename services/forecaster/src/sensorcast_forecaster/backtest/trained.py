"""Boosted models as the service would have had them: trained again and again on what had come by then."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from sensorcast_forecaster.backtest.grid import Recording
from sensorcast_forecaster.boosting.booster import Growth
from sensorcast_forecaster.boosting.examples import Past
from sensorcast_forecaster.boosting.layout import DAY_SECONDS, Layout
from sensorcast_forecaster.boosting.member import Loaded, Models
from sensorcast_forecaster.boosting.validation import TooLittle, fit, holdout_seconds
from sensorcast_forecaster.reach import TRAIN_DAYS, TRAIN_ROWS
from sensorcast_forecaster.regularize import bridge, despike

_GAP_SECONDS: Final = 600


@dataclass(frozen=True, slots=True)
class TrainedInTime(Models):
    """Finds the latest model that had been trained by a moment.

    Attributes:
        times: When each was trained, ascending, in milliseconds since 1970 UTC.
        models: As many; `None` where there was too little to train on, or it validated worse than last value.
    """

    times: Sequence[int]
    models: Sequence[Loaded | None]

    def find(self, tenant: str, metric: str, *, step_seconds: int, horizon: int, now: int) -> Loaded | None:
        """The model in use at `now`; see `Models`."""
        del tenant, metric, step_seconds, horizon
        at = bisect_right(self.times, now) - 1
        return self.models[at] if at >= 0 else None


def train_in_time(
    recordings: Sequence[Recording],
    *,
    horizon: int,
    since: int,
    until: int,
    trainings: int,
    days: float = TRAIN_DAYS,
    max_rows: int = TRAIN_ROWS,
    growth: Growth | None = None,
) -> TrainedInTime:
    """Train across the sensors of a file, at evenly spaced moments.

    Args:
        recordings: On one step.
        horizon: Steps ahead.
        since: The first training, in milliseconds since 1970 UTC.
        until: None is trained from here on.
        trainings: How many.
        days: Past that each learns from at most; as the service does by default.
        max_rows: See `boosting.examples`.
        growth: See `boosting.booster`.
    """
    layout = Layout(step_seconds=recordings[0].step_seconds, horizon=horizon)
    times = [since + (until - since) * at // trainings for at in range(trainings)]
    models: list[Loaded | None] = []
    for known_at in times:
        pasts = [past for each in recordings if (past := _past(each, known_at, days)) is not None]
        try:
            span = max((len(past.values) for past in pasts), default=0) * layout.step_seconds
            trained = fit(
                pasts,
                layout=layout,
                until=known_at,
                holdout_seconds=holdout_seconds(span),
                max_rows=max_rows,
                growth=growth,
            )
        except TooLittle:
            models.append(None)
            continue
        good = trained.score.relative_loss < 1
        models.append(Loaded(f"{known_at}", trained.booster, trained.trained_from, known_at) if good else None)
    return TrainedInTime(times, models)


def _past(recording: Recording, known_at: int, days: float) -> Past | None:
    """What was known of a sensor, mended with that alone; `None` where it is nothing to learn from."""
    step = recording.step_seconds * 1000
    cut = len(recording.cells) - max(0, -(-(recording.end - known_at) // step))
    first = max(0, cut - round(days * DAY_SECONDS * 1000 / step))
    known = first + np.flatnonzero(np.isfinite(recording.cells[first : max(0, cut)]))
    if len(known) < 2:
        return None
    cells = recording.cells[known[0] : known[-1] + 1]
    mended = bridge(despike(cells), max_cells=max(3, _GAP_SECONDS // recording.step_seconds))
    return Past(mended, recording.time_of(int(known[-1])))
