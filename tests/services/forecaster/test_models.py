"""Members forecast from the past alone, and the blend beats last value or is last value."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensorcast_forecaster.drift import detect_drift
from sensorcast_forecaster.models import MEMBERS
from sensorcast_forecaster.rolling import origins_for, validate

HORIZON = 30


def cycles(count: int, *, noise: float = 0.05, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    return 4 + np.sin(np.arange(count) * 2 * np.pi / 23) + random.normal(0, noise, count)


@pytest.mark.parametrize("name", MEMBERS)
def test_member_uses_nothing_after_the_origin(name: str) -> None:
    values = cycles(600)
    origins = np.array([300, 400, 450])
    changed = values.copy()
    changed[451:] = 99.0
    assert np.array_equal(MEMBERS[name](values, origins, HORIZON), MEMBERS[name](changed, origins, HORIZON))
    assert np.isfinite(MEMBERS[name](values, origins, HORIZON)).all()


@pytest.mark.parametrize("name", MEMBERS)
def test_member_follows_the_level(name: str) -> None:
    values, origins = cycles(600), np.array([400, 599])
    assert np.allclose(
        MEMBERS[name](values + 1000, origins, HORIZON), MEMBERS[name](values, origins, HORIZON) + 1000, atol=1e-6
    )


@pytest.mark.parametrize("name", ["analogs", "analogs-wide", "ridge"])
def test_member_beats_last_value_on_cycles(name: str) -> None:
    values = cycles(800)
    origins = np.arange(500, 760, 7)
    came = values[origins[:, None] + np.arange(1, HORIZON + 1)]
    errors = {each: np.abs(MEMBERS[each](values, origins, HORIZON) - came).mean() for each in (name, "last")}
    assert errors[name] < 0.3 * errors["last"]


@pytest.mark.parametrize("name", ["analogs", "analogs-wide", "ridge"])
def test_member_says_nothing_where_history_is_short_or_broken(name: str) -> None:
    values = cycles(600)
    values[560:598] = np.nan
    paths = MEMBERS[name](values, np.array([40, 550, 599]), HORIZON)
    assert np.isnan(paths[0]).all()
    assert np.isfinite(paths[1]).all()
    assert np.isnan(paths[2]).all()


def test_random_walk_falls_back_to_last_value() -> None:
    values = np.cumsum(np.random.default_rng(3).normal(size=1440))
    chosen = validate(values, horizon=60, origins=origins_for(values, horizon=60, count=96))
    assert chosen.members == ("last",) or chosen.relative_error < 0.98


def test_constant_series_keeps_its_value() -> None:
    values = np.full(400, 4.0)
    chosen = validate(values, horizon=HORIZON, origins=origins_for(values, horizon=HORIZON, count=96))
    assert chosen.members == ("last",)
    assert np.array_equal(chosen.path, np.full(HORIZON, 4.0))


@settings(max_examples=40)
@given(st.integers(2, 400), st.integers(1, 70), st.integers(1, 96))
def test_origins_have_a_complete_future(count: int, horizon: int, wanted: int) -> None:
    values = cycles(count)
    values[count // 2 : count // 2 + 3] = np.nan
    origins = origins_for(values, horizon=horizon, count=wanted)
    assert len(origins) <= wanted
    for origin in origins:
        assert np.isfinite(values[origin : origin + horizon + 1]).all()
        assert origin + horizon < count


def test_validation_needs_origins_and_the_floor() -> None:
    values = cycles(200)
    with pytest.raises(ValueError, match="origins"):
        validate(values, horizon=HORIZON, origins=np.array([], dtype=np.intp))
    with pytest.raises(ValueError, match="members"):
        validate(values, horizon=HORIZON, origins=np.array([100]), members={"ridge": MEMBERS["ridge"]})


def test_steady_cycles_hold_no_drift_and_a_ramp_does() -> None:
    values = cycles(900)
    origins = origins_for(values, horizon=HORIZON, count=96)
    healthy = detect_drift(values, origins=origins, horizon=HORIZON)
    values[-40:] += np.linspace(0, 6, 40)
    drifting = detect_drift(values, origins=origins, horizon=HORIZON)

    assert healthy is not None
    assert healthy.belief < 0.2
    assert drifting is not None
    assert drifting.belief > 0.8
    assert drifting.weights @ drifting.paths[:, -1] > values[-1] + 2


def test_drift_is_not_looked_for_in_a_short_or_constant_past() -> None:
    for values in (cycles(120), np.full(900, 4.0)):
        origins = origins_for(values, horizon=HORIZON, count=96)
        assert detect_drift(values, origins=origins, horizon=HORIZON) is None
