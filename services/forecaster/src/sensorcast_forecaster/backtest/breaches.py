"""Predicted breaches of a limit against those that came.

A question is asked at each origin whose own value is inside the limit: will the series be beyond it within the horizon?
It is left out where later values are missing, unless one that came is beyond.

- **came**: at least one value within the horizon is beyond the limit (strictly).
- **predicted**: the forecaster's probability of leaving the limit is at least `warn_at`. `predict_linear` has no
  probability: its line is beyond the limit at one of the steps, or it is not.
- **hit**: predicted and came. **Miss**: came, but was not predicted. **False alarm**: predicted, but did not come.
- **precision** = hits / (hits + false alarms); **recall** = hits / (hits + misses).
- **Brier score**: mean squared difference between probability and outcome (1 or 0); lower is better.
- **excursion**: a run of values beyond the limit that begins inside the test part, however short.
- **lead time** of an excursion: from the earliest hit that foresaw it as the next to come, until its first value beyond
  the limit; the median is over the excursions that had a hit. It is at most the horizon, and as fine as the origins are
  dense.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sensorcast_forecaster.models import Origins
from sensorcast_forecaster.window import Limit, Values

WARN_AT: Final = 0.5


@dataclass(frozen=True, slots=True)
class BreachScore:
    """How one forecaster foresaw the breaches of one sensor.

    Attributes:
        hits: Predicted, and came.
        misses: Came, not predicted.
        false_alarms: Predicted, did not come.
        questions: Origins that asked.
        brier: Mean squared difference of probability and outcome; NaN where nothing was asked.
        lead_steps: Median lead in steps; NaN without a hit.
    """

    hits: int
    misses: int
    false_alarms: int
    questions: int
    brier: float
    lead_steps: float

    @property
    def precision(self) -> float:
        """Share of the predicted that came; NaN where nothing was predicted."""
        predicted = self.hits + self.false_alarms
        return self.hits / predicted if predicted else float("nan")

    @property
    def recall(self) -> float:
        """Share of what came that was predicted; NaN where nothing came."""
        came = self.hits + self.misses
        return self.hits / came if came else float("nan")


@dataclass(frozen=True, slots=True, eq=False)
class Questions:
    """The origins of one sensor that ask, and what came.

    Attributes:
        asked: Positions among the origins.
        came: Whether a breach came, of each.
        steps: Steps until the first value beyond, of each; 0 where none came.
        first: Cell of that value; -1 where none came.
    """

    asked: NDArray[np.intp]
    came: NDArray[np.bool_]
    steps: NDArray[np.intp]
    first: NDArray[np.intp]


def questions(cells: Values, origins: Origins, *, horizon: int, limit: Limit) -> Questions:
    """Ask at each origin that is inside the limit."""
    future = cells[origins[:, None] + np.arange(1, horizon + 1)]
    beyond = outside(future, limit)
    came: NDArray[np.bool_] = np.asarray(beyond.any(axis=1), dtype=np.bool_)
    answered = came | np.isfinite(future).all(axis=1)
    asked = np.flatnonzero(~outside(cells[origins], limit) & answered)
    steps = np.where(came, beyond.argmax(axis=1) + 1, 0)[asked]
    return Questions(asked, came[asked], steps, np.where(steps > 0, origins[asked] + steps, -1))


def outside(values: Values, limit: Limit) -> NDArray[np.bool_]:
    """Which values are strictly beyond the limit; those that are missing are not."""
    with np.errstate(invalid="ignore"):
        return np.asarray(
            values > limit.threshold if limit.side == "above" else values < limit.threshold, dtype=np.bool_
        )


def excursions(cells: Values, limit: Limit) -> int:
    """How many runs of values are beyond the limit, not counting one that is already going on at the beginning."""
    known: Values = cells[np.isfinite(cells)]
    beyond = outside(known, limit)
    return int(np.count_nonzero(np.diff(beyond.astype(np.int8)) == 1))


def judge(asked: Questions, probabilities: Sequence[float] | Values, *, warn_at: float = WARN_AT) -> BreachScore:
    """Judge one forecaster.

    Args:
        asked: From `questions`.
        probabilities: Of each question.
        warn_at: Probability from which a breach counts as predicted.
    """
    said = np.asarray(probabilities, dtype=np.float64)
    predicted = said >= warn_at
    hit = predicted & asked.came
    leads = [asked.steps[hit & (asked.first == cell)].max() for cell in np.unique(asked.first[hit])]
    return BreachScore(
        hits=int(hit.sum()),
        misses=int((asked.came & ~predicted).sum()),
        false_alarms=int((predicted & ~asked.came).sum()),
        questions=len(said),
        brier=float(((said - asked.came) ** 2).mean()) if len(said) else float("nan"),
        lead_steps=float(np.median(leads)) if leads else float("nan"),
    )


def precision_at(asked: Questions, probabilities: Sequence[float] | Values, *, recall: float) -> float:
    """Precision at the highest probability from which as much is foreseen as somebody else foresees.

    A fixed probability compares two forecasters at different points: one that warns twice as often foresees more and is
    less often right. This puts them at the same recall.

    Args:
        asked: From `questions`.
        probabilities: Of each question.
        recall: The other's.

    Returns:
        NaN where nothing came or the recall is 0.
    """
    said = np.asarray(probabilities, dtype=np.float64)
    needed = math.ceil(recall * int(asked.came.sum()) - 1e-9) if asked.came.any() and recall > 0 else 0
    if not needed:
        return math.nan
    warn_at = np.sort(said[asked.came])[-needed]
    return judge(asked, said, warn_at=float(warn_at)).precision
