"""A backtest knows nothing of the future, compares on the same origins, and scores as the definitions say."""

import numpy as np
import pytest
from numpy.typing import NDArray

from sensorcast_common.reading import SeriesKey
from sensorcast_forecaster.backtest.answer import Answer
from sensorcast_forecaster.backtest.grid import Recording, Unusable, record
from sensorcast_forecaster.backtest.plain import Naive, PredictLinear, SeasonalNaive
from sensorcast_forecaster.backtest.rolling_test import rolling_test
from sensorcast_forecaster.backtest.scores import pinball, score
from sensorcast_forecaster.regularize import RawSeries
from sensorcast_forecaster.window import Limit, Refused, SeriesWindow, Values

END = 1_767_225_600_000
HOUR = 3_600_000
WARM = Limit("limit", "above", 8.0)


def raw(ts: NDArray[np.int64], values: Values) -> RawSeries:
    return RawSeries(SeriesKey("file", "truck", "temperature"), "Cel", ts, values)


def recording(values: Values, *, step_seconds: int = 300) -> Recording:
    ts = END - step_seconds * 1000 * np.arange(len(values))[::-1]
    return record("temperature", raw(ts.astype(np.int64), values), step_seconds=None)


def window(values: Values, *, step_seconds: int = 300, limits: tuple[Limit, ...] = ()) -> SeriesWindow:
    key = SeriesKey("file", "file", "temperature")
    return SeriesWindow(key, "Cel", step_seconds, END, values, 0, float(values[-1]), limits)


def noise(count: int, seed: int = 1) -> Values:
    return np.asarray(5 + np.cumsum(np.random.default_rng(seed).normal(size=count)) / 10)


def test_window_of_an_origin_does_not_change_with_what_came_after_it() -> None:
    values = noise(400)
    values[200:203] = np.nan
    values[300] = 90.0  # a spike is known as one only once its way back has been seen
    known = np.flatnonzero(np.isfinite(values))
    ts = (END - 300_000 * np.arange(400)[::-1]).astype(np.int64)
    for origin in (199, 203, 299, 300, 301):
        later = values.copy()
        later[origin + 1 :] += 17.0
        windows = [
            record("t", raw(ts[known], each[known]), step_seconds=300).known_at(origin) for each in (values, later)
        ]
        assert all(isinstance(each, SeriesWindow) for each in windows)
        first, second = (each for each in windows if isinstance(each, SeriesWindow))
        np.testing.assert_array_equal(first.values, second.values)


def test_origins_lie_in_the_test_part_and_have_a_present() -> None:
    values = noise(1000)
    values[800:850] = np.nan
    known = np.isfinite(values)
    ts = (END - 300_000 * np.arange(1000)[::-1]).astype(np.int64)
    made = record("t", raw(ts[known], values[known]), step_seconds=300)
    origins = made.origins(count=60, horizon=12)
    assert len(origins) == 60
    assert origins[0] >= 700
    assert origins[-1] == 1000 - 1 - 12
    assert not set(origins) & set(range(800, 850))


def test_test_part_that_is_shorter_than_the_horizon_is_named() -> None:
    with pytest.raises(Unusable, match="temperature: the last 30% hold 30 steps, the horizon has 40"):
        recording(noise(100)).origins(count=5, horizon=40)


def test_recording_that_reports_too_rarely_asks_for_a_step() -> None:
    ts = (END - HOUR * np.arange(50)[::-1]).astype(np.int64)
    with pytest.raises(Unusable, match="one reading every 60 min; say the distance of two points with --step"):
        record("t", raw(ts, noise(50)), step_seconds=None)
    assert record("t", raw(ts, noise(50)), step_seconds=3600).step_seconds == 3600


def test_line_is_the_least_squares_line_through_the_last_horizon() -> None:
    values = noise(200)
    answer = PredictLinear().forecast(window(values), horizon=12)
    assert answer is not None
    slope, level = np.polyfit(np.arange(-11, 1), values[-12:], 1)
    np.testing.assert_allclose(answer.quantiles[1], level + slope * np.arange(1, 13))


def test_line_predicts_a_breach_or_does_not() -> None:
    rising = np.concatenate([noise(150), np.linspace(6, 7.5, 50)])
    risky, safe = (
        PredictLinear().forecast(window(values, limits=(WARM,)), horizon=24) for values in (rising, rising[:-40] - 4)
    )
    assert risky is not None
    assert safe is not None
    assert (risky.probability, safe.probability) == (1.0, 0.0)


def test_seasonal_naive_says_yesterday() -> None:
    values = noise(288 * 3)
    answer = SeasonalNaive().forecast(window(values), horizon=12)
    assert answer is not None
    np.testing.assert_array_equal(answer.quantiles[1], values[-288 : -288 + 12])
    assert SeasonalNaive().forecast(window(values[:288]), horizon=12) is None


def test_naive_band_covers_as_it_promises() -> None:
    one = rolling_test(recording(noise(3000)), [Naive()], horizon=12, origins=np.arange(2000, 2900, 7))
    assert 0.72 < one.results[0].score.coverage < 0.88


def test_scores_follow_their_definitions() -> None:
    quantiles = np.array([[[1.0, 1.0], [2.0, 2.0], [4.0, 4.0]]])
    came = np.array([[3.0, np.nan]])
    told = score(quantiles, came, usual_change=0.5)
    assert told.mae == 1.0
    assert told.mase == 2.0
    assert told.coverage == 1.0
    assert pinball(quantiles, came) == pytest.approx(2 * (0.1 * 2 + 0.5 * 1 + 0.1 * 1) / 3)
    assert told.wql == pytest.approx(pinball(quantiles, came) / 3)


class Never:
    name = "never"

    def forecast(self, window: SeriesWindow, *, horizon: int) -> Answer | None:
        return None


def test_forecaster_that_cannot_answer_everywhere_is_named_and_not_compared() -> None:
    steps = []
    one = rolling_test(
        recording(noise(600)), [Naive(), Never()], horizon=12, origins=np.arange(450, 460), limit=WARM,
        progress=lambda: steps.append(1),
    )  # fmt: skip
    assert one.unable == ("never",)
    assert [each.name for each in one.results] == ["naive"]
    assert len(steps) == 20


def test_stuck_sensor_is_refused_and_counted() -> None:
    values = noise(600)
    values[560:] = values[560]
    made = recording(values)
    assert isinstance(made.known_at(599), Refused)
    one = rolling_test(made, [Naive()], horizon=12, origins=np.array([500, 580]))
    assert one.refused == {"stuck": 1}
    assert one.origins.tolist() == [500]
