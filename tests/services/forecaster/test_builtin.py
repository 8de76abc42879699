"""The built-in engine answers every series, labels its fallbacks and leaves the event loop alone."""

import asyncio
import time

import numpy as np
import pytest
from tests.services.forecaster.cold_chain import truck

from sensorcast_common.forecast import Forecast
from sensorcast_common.reading import SeriesKey
from sensorcast_forecaster.builtin import BuiltinEngine, forecast_window
from sensorcast_forecaster.regularize import RawSeries, regularize
from sensorcast_forecaster.window import Limit, Refused, SeriesWindow, Values

KEY = SeriesKey("acme", "truck-1", "temperature")
END = 1_767_225_600_000
LIMITS = (Limit("warm", "above", 8.0), Limit("cold", "below", 2.0))


def window(values: Values, *, step_seconds: int = 60) -> SeriesWindow:
    return SeriesWindow(
        series=KEY,
        unit="Cel",
        step_seconds=step_seconds,
        end=END,
        values=values,
        first=END - len(values) * step_seconds * 1000,
        last_value=float(values[-1]),
        limits=LIMITS,
    )


def forecast(values: Values, *, step_seconds: int = 60) -> Forecast:
    answer = forecast_window(window(values, step_seconds=step_seconds), horizon_seconds=3600, known_at=END + 30_000)
    assert isinstance(answer, Forecast), answer
    return answer


def cell_means(seed: int) -> Values:
    ts, values = truck(seed=seed, hours=24)
    made = regularize(RawSeries(KEY, "Cel", ts, values), known_at=int(ts[-1]), max_steps=1440)
    assert isinstance(made, SeriesWindow)
    return made.values


def test_forecast_says_what_it_is_made_of() -> None:
    made = forecast(cell_means(1))
    assert made.known_at.timestamp() * 1000 == END + 30_000
    assert made.start.timestamp() * 1000 == END + 60_000
    assert made.trained_at == made.known_at
    assert made.trained_to.timestamp() * 1000 == END
    assert (made.window_from, made.window_to) == (made.trained_from, made.trained_to)
    assert len(made.q10) == 60
    assert all(low <= median <= high for low, median, high in zip(made.q10, made.q50, made.q90, strict=True))
    assert [(risk.rule_id, risk.side) for risk in made.risks] == [("warm", "above"), ("cold", "below")]
    assert made.model.startswith("builtin/1:")
    assert made.fallback is None


def test_same_window_gives_the_same_forecast() -> None:
    values = cell_means(2)
    assert forecast(values) == forecast(values)


def test_step_of_fifteen_minutes_gives_four_points() -> None:
    made = forecast(4 + np.sin(np.arange(300) / 5), step_seconds=900)
    assert len(made.q50) == 4


def test_constant_series_is_a_labelled_fallback() -> None:
    made = forecast(np.full(600, 4.0))
    assert made.fallback == "constant"
    assert made.q10 == made.q90 == [4.0] * 60
    assert made.risks[0].probability == 0


@pytest.mark.parametrize("steps", [20, 65, 150])
def test_short_history_is_a_labelled_fallback(steps: int) -> None:
    made = forecast(cell_means(3)[:steps])
    assert made.model == "builtin/1:last"
    assert made.fallback == "too little unbroken history for more than last value"


def test_a_young_series_that_warms_up_is_forecast_by_theta_and_says_so() -> None:
    values = 4 + 0.05 * np.arange(60) + np.random.default_rng(7).normal(0, 0.05, 60)
    made = forecast(values)
    assert made.model == "builtin/1:theta"
    assert made.fallback == "young: theta on 60 steps, seen to hold 15 steps ahead"
    # Theta goes on with half the trend.
    assert made.q50[14] == pytest.approx(values[-1] + 15 * 0.025, abs=0.15)
    # Nobody has seen whether the line holds for longer.
    assert made.q50[59] == made.q50[15]
    assert made.q90[59] - made.q10[59] > made.q90[14] - made.q10[14]


def test_gap_lately_is_a_labelled_fallback() -> None:
    values = cell_means(4).copy()
    values[-60:-3] = np.nan
    assert "too little unbroken history" in (forecast(values).fallback or "")


async def test_bad_series_is_refused_and_the_others_are_forecast() -> None:
    good = window(cell_means(5))
    broken = SeriesWindow(**{**{name: getattr(good, name) for name in good.__slots__}, "step_seconds": 0})
    answers = await BuiltinEngine().forecast([broken, good], horizon_seconds=3600, known_at=END)
    assert isinstance(answers[0], Refused)
    assert answers[0].reason == "failed"
    assert isinstance(answers[1], Forecast)


async def test_event_loop_turns_while_the_engine_works() -> None:
    windows = [window(cell_means(6))] * 8
    done = asyncio.create_task(BuiltinEngine().forecast(windows, horizon_seconds=3600, known_at=END))
    longest, before = 0.0, time.perf_counter()
    while not done.done():
        await asyncio.sleep(0.01)
        longest, before = max(longest, time.perf_counter() - before), time.perf_counter()
    assert len(await done) == 8
    assert longest < 1.0
