"""Every forecaster at the same past moments of one sensor, each from what was known then."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from sensorcast_common.forecast import Forecast
from sensorcast_forecaster.backtest.answer import Answer, Forecaster
from sensorcast_forecaster.backtest.breaches import BreachScore, Questions, excursions, judge, questions
from sensorcast_forecaster.backtest.grid import Recording, Unusable
from sensorcast_forecaster.backtest.scores import Score, score
from sensorcast_forecaster.models import Origins
from sensorcast_forecaster.window import Limit, Refused, SeriesWindow, Values

FLOOR: Final = "naive"
"""Name of the forecaster that the others are measured by."""


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """How one forecaster did.

    Attributes:
        name: Of the forecaster.
        score: Of its quantiles.
        breaches: Of its predicted breaches; `None` where there is no limit.
        probabilities: Of each question that `questions` asks, likewise.
        milliseconds: Median time of a forecast.
        quantiles: What it said, shape (origins, 3, horizon).
        told: Its forecasts as the service would have sent them; none of forecasters that are not the service's.
    """

    name: str
    score: Score
    breaches: BreachScore | None
    probabilities: Values | None
    milliseconds: float
    quantiles: Values
    told: tuple[Forecast, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Tested:
    """One sensor.

    Attributes:
        recording: Its readings.
        origins: Where forecasts were made.
        refused: Moments at which the engine's treatment refused the past, by reason.
        excursions: Times it left the limit in the test part.
        limit: Which limit that is.
        asked: What was asked about it, of the origins.
        results: One per forecaster that could forecast from every origin.
        unable: Names of those that could not.
    """

    recording: Recording
    origins: Origins
    refused: dict[str, int]
    excursions: int
    limit: Limit | None
    asked: Questions | None
    results: tuple[Result, ...]
    unable: tuple[str, ...]

    def result(self, name: str) -> Result | None:
        """Of a forecaster by its name."""
        return next((each for each in self.results if each.name == name), None)


def rolling_test(
    recording: Recording,
    forecasters: Sequence[Forecaster],
    *,
    horizon: int,
    origins: Origins,
    limit: Limit | None = None,
    warn_at: float = 0.5,
    progress: Callable[[], None] = lambda: None,
) -> Tested:
    """Test forecasters on one sensor.

    Args:
        recording: The sensor.
        forecasters: Must hold one named `FLOOR`.
        horizon: Steps ahead.
        origins: From `Recording.origins`.
        limit: Whose breaches are to be foreseen.
        warn_at: Probability from which a breach counts as predicted.
        progress: Called after each forecast of each forecaster.

    Raises:
        Unusable: The past is refused at every origin, last value cannot be forecast, or nothing came.
    """
    limits = () if limit is None else (limit,)
    known = [recording.known_at(int(origin), limits=limits) for origin in origins]
    refused = [each.reason for each in known if isinstance(each, Refused)]
    kept = np.array([at for at, each in enumerate(known) if isinstance(each, SeriesWindow)], dtype=np.intp)
    windows = [each for each in known if isinstance(each, SeriesWindow)]
    if not windows:
        detail = next(each.detail for each in known if isinstance(each, Refused))
        raise Unusable(f"{recording.name}: refused at every origin: {detail}")
    for _ in range(len(refused) * len(forecasters)):
        progress()
    origins = origins[kept]
    came = recording.came_after(origins, horizon)
    if not np.isfinite(came).any():
        raise Unusable(f"{recording.name}: nothing came after any origin")
    first = int(origins[0])
    usual_change = float(np.nanmean(np.abs(np.diff(recording.cells[:first]))))
    asked = None if limit is None else questions(recording.cells, origins, horizon=horizon, limit=limit)
    results, unable = [], []
    for forecaster in forecasters:
        answers, milliseconds = _ask(forecaster, windows, horizon, progress)
        if answers is None:
            unable.append(forecaster.name)
            continue
        quantiles = np.stack([answer.quantiles for answer in answers])
        probabilities = None if asked is None else np.array([answer.probability for answer in answers])[asked.asked]
        results.append(
            Result(
                name=forecaster.name,
                score=score(quantiles, came, usual_change=usual_change),
                breaches=judge(asked, probabilities, warn_at=warn_at) if asked and probabilities is not None else None,
                probabilities=probabilities,
                milliseconds=milliseconds,
                quantiles=quantiles,
                told=tuple(answer.told for answer in answers if answer.told is not None),
            )
        )
    if FLOOR in unable:
        raise Unusable(f"{recording.name}: too little history before the test for a horizon of {horizon} steps")
    return Tested(
        recording=recording,
        origins=origins,
        refused={reason: refused.count(reason) for reason in sorted(set(refused))},
        excursions=0 if limit is None else excursions(recording.cells[first:], limit),
        limit=limit,
        asked=asked,
        results=tuple(results),
        unable=tuple(unable),
    )


def _ask(
    forecaster: Forecaster, windows: Sequence[SeriesWindow], horizon: int, progress: Callable[[], None]
) -> tuple[list[Answer] | None, float]:
    """All answers, or `None` where one is missing: forecasters are compared on the same origins or not at all."""
    answers: list[Answer] = []
    seconds = []
    for at, window in enumerate(windows):
        started = time.perf_counter()
        answer = forecaster.forecast(window, horizon=horizon)
        seconds.append(time.perf_counter() - started)
        progress()
        if answer is None:
            for _ in windows[at + 1 :]:
                progress()
            return None, 0.0
        answers.append(answer)
    return answers, 1000 * float(np.median(seconds))
