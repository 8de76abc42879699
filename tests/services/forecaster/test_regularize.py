"""Readings become a grid, or a reason why not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from sensorcast_common.reading import SeriesKey
from sensorcast_forecaster.regularize import RawSeries, Treatment, bridge, despike, regularize
from sensorcast_forecaster.step import STEPS_SECONDS, choose_step
from sensorcast_forecaster.window import Refused, SeriesWindow

KEY = SeriesKey("acme", "truck-1", "temperature")
NOW = 1_767_225_600_000


def raw(ages_seconds: NDArray[np.float64], values: NDArray[np.float64]) -> RawSeries:
    return RawSeries(KEY, "Cel", NOW - np.round(ages_seconds * 1000).astype(np.int64), values)


def wave(count: int) -> NDArray[np.float64]:
    return 4 + np.sin(np.arange(count) / 7)


def refusal(series: RawSeries, **options: int) -> str:
    answer = regularize(series, known_at=NOW, max_steps=1440, treatment=Treatment(**options))
    assert isinstance(answer, Refused)
    return answer.reason


def window(series: RawSeries, **options: int) -> SeriesWindow:
    answer = regularize(series, known_at=NOW, max_steps=1440, treatment=Treatment(**options))
    assert isinstance(answer, SeriesWindow), answer
    return answer


@pytest.mark.parametrize(
    ("seconds", "step"), [(1, 60), (20, 60), (60, 60), (66, 60), (120, 120), (290, 300), (900, 900), (3600, None)]
)
def test_step_is_the_shortest_that_readings_fill(seconds: int, step: int | None) -> None:
    assert choose_step(np.arange(0, 100 * seconds, seconds) * 1000) == step


def test_one_reading_has_no_step() -> None:
    assert choose_step(np.array([NOW])) is None


def test_grid_ends_at_the_latest_reading() -> None:
    made = window(raw(np.arange(3600, 9, -10.0), np.arange(360.0)))
    assert made.end == NOW - 10_000
    assert made.last_value == 359
    assert made.values[-1] == np.mean([359, 358, 357, 356, 355, 354])
    assert made.first == NOW - 3_600_000


def test_readings_after_known_at_are_left_out() -> None:
    ages = np.arange(3600, -300, -10.0)
    made = window(raw(ages, np.arange(len(ages), dtype=float)))
    assert made.end == NOW
    assert made.last_value == 360


def test_of_repeated_times_the_last_stands() -> None:
    ages = np.arange(3600, -1, -60.0)
    series = raw(np.append(ages, 0), np.append(wave(len(ages)), 9.0))
    assert window(series).last_value == 9.0
    assert len(window(series).values) == len(ages)


def test_order_does_not_matter() -> None:
    ages, values = np.arange(3600, -1, -20.0), wave(181)
    mixed = np.random.default_rng(0).permutation(len(ages))
    assert np.array_equal(window(raw(ages, values)).values, window(raw(ages[mixed], values[mixed])).values)


def test_short_gap_is_bridged_and_long_gap_stays_open() -> None:
    ages = np.arange(7200, -1, -60.0)
    short = (ages > 1800) & (ages < 2300)
    long = (ages > 4000) & (ages < 5000)
    made = window(raw(ages[~short & ~long], wave(len(ages))[~short & ~long]))
    assert np.isnan(made.values).sum() == long.sum()
    assert np.isfinite(made.values[-60:]).all()


def test_error_code_for_one_cell_is_mended() -> None:
    values = wave(200)
    values[100] = -127.0
    mended = despike(values)
    assert np.isnan(mended[100])
    assert np.isfinite(np.delete(mended, 100)).all()


def test_door_opening_is_not_a_spike() -> None:
    values = wave(200)
    values[100:104] += [2.0, 3.0, 2.0, 1.0]
    assert np.isfinite(despike(values)).all()


def test_a_clock_that_runs_ahead_is_believed_when_its_time_has_come() -> None:
    ages = np.arange(7200, -1, -60.0)
    ahead = np.where(ages < 600, ages - 240, ages)
    series = raw(ahead, wave(121))
    made = window(series)
    assert made.end <= NOW
    assert made.last_value == wave(121)[ahead >= 0][-1]
    later = regularize(series, known_at=NOW + 240_000, max_steps=1440)
    assert isinstance(later, SeriesWindow)
    assert later.end == NOW + 240_000
    # The four minutes that the clock left out are a short gap.
    assert np.isfinite(later.values).all()


def test_a_clock_that_is_put_back_leaves_its_series_stale_until_it_has_caught_up() -> None:
    ages = np.arange(7200, -1, -60.0)
    # For the last 20 minutes, readings carry times of an hour before: the present is unknown.
    back = np.where(ages < 1200, ages + 3600, ages)
    assert refusal(raw(back, wave(121))) == "stale"


def test_a_clock_that_was_put_back_for_a_while_moves_no_reading_and_leaves_a_gap() -> None:
    ages, values = np.arange(7200, -1, -60.0), wave(121)
    wrong = (ages < 2400) & (ages > 1200)
    made = window(raw(np.where(wrong, ages + 3570, ages), values))
    assert np.isnan(made.values).sum() == wrong.sum(), "when they should have come"
    shared = (values[wrong] + values[np.roll(wrong, -59)]) / 2
    assert made.values[np.roll(wrong, -59)] == pytest.approx(shared), "where they were put, a step is the mean of both"
    untouched = ~wrong & ~np.roll(wrong, -59)
    assert made.values[untouched] == pytest.approx(values[untouched])


def test_irregular_readings_become_means_of_steps() -> None:
    spacing = np.random.default_rng(5).uniform(5, 100, 300)
    ages = np.cumsum(spacing)[::-1] - spacing[0]
    made = window(raw(ages, 4 + np.sin(ages / 900)))
    assert made.step_seconds == 60
    middles = np.arange(len(made.values))[::-1] * 60 + 30
    assert np.abs(made.values - (4 + np.sin(middles / 900))).max() < 0.05


def test_refusals_say_why() -> None:
    minutes = np.arange(7200, -1, -60.0)
    assert refusal(raw(np.array([]), np.array([]))) == "no_readings"
    assert refusal(raw(np.array([0.0]), np.array([4.0]))) == "short"
    assert refusal(raw(minutes[-19:], wave(19))) == "short"
    assert refusal(raw(minutes + 3600, wave(121))) == "stale"
    assert refusal(raw(np.arange(0, 360_000, 3600.0)[::-1], wave(100))) == "sparse"
    stuck = wave(121)
    stuck[-70:] = 4.44
    assert refusal(raw(minutes, stuck)) == "stuck"


def test_not_a_number_is_left_out() -> None:
    values = wave(121)
    values[-1] = np.nan
    assert window(raw(np.arange(7200, -1, -60.0), values)).last_value == values[-2]


def test_sensor_that_often_rests_is_not_stuck() -> None:
    resting = np.repeat([4.0, 4.5, 4.0, 4.5], 70)
    window(raw(np.arange(279, -1, -1.0) * 60, resting))


def test_constant_series_is_not_stuck() -> None:
    window(raw(np.arange(7200, -1, -60.0), np.full(121, 4.0)))


@given(
    ages=st.lists(st.integers(0, 90_000), min_size=1, max_size=300),
    seed=st.integers(0, 100),
    known=st.integers(-600, 600),
)
def test_any_readings_give_a_sound_window_or_a_reason(ages: list[int], seed: int, known: int) -> None:
    values = np.random.default_rng(seed).normal(4, 1, len(ages))
    series = raw(np.array(ages, dtype=float), values)
    known_at = NOW + known * 1000
    answer = regularize(series, known_at=known_at, max_steps=500)
    if isinstance(answer, Refused):
        assert answer.detail
        return
    assert answer.step_seconds in STEPS_SECONDS
    assert answer.first <= answer.end <= known_at
    assert len(answer.values) <= 500
    assert np.isfinite(answer.values[[0, -1]]).all()
    assert np.nanmin(answer.values) >= values.min() - 1e-9
    assert np.nanmax(answer.values) <= values.max() + 1e-9


@given(st.lists(st.booleans(), min_size=2, max_size=60), st.integers(1, 10))
def test_bridge_keeps_known_cells_and_only_fills_short_gaps(known: list[bool], max_cells: int) -> None:
    known[0] = known[-1] = True
    cells = np.where(known, np.arange(len(known), dtype=float), np.nan)
    bridged = bridge(cells, max_cells=max_cells)
    assert np.array_equal(bridged[known], cells[known])
    runs = "".join("x" if is_known else "." for is_known in known).split("x")
    assert np.isnan(bridged).sum() == sum(len(run) for run in runs if len(run) > max_cells)
