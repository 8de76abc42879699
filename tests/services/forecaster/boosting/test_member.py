"""The boosted model is used for a series where it is better there, and the forecast says so."""

from functools import cache

import numpy as np
import pytest
from tests.services.forecaster.boosting.door_openings import events

from sensorcast_common.clock import from_millis
from sensorcast_common.forecast import Forecast
from sensorcast_common.reading import SeriesKey
from sensorcast_forecaster.boosting.booster import Growth
from sensorcast_forecaster.boosting.examples import Past
from sensorcast_forecaster.boosting.layout import Layout
from sensorcast_forecaster.boosting.member import Loaded, Models
from sensorcast_forecaster.boosting.validation import Trained, fit
from sensorcast_forecaster.builtin import forecast_window
from sensorcast_forecaster.window import Limit, SeriesWindow, Values

STEP = 300
LAYOUT = Layout(step_seconds=STEP, horizon=12)
END = 1_700_000_100_000


@cache
def trained() -> Trained:
    pasts = [Past(events(seed=seed, days=9), END) for seed in range(6)]
    growth = Growth(trees=60, leaves=15, min_leaf_rows=40)
    return fit(pasts, layout=LAYOUT, until=END, holdout_seconds=4 * 86_400, max_rows=30_000, growth=growth)


class One(Models):
    """Answers every question alike."""

    def __init__(self, answer: Loaded | str | None) -> None:
        self.answer = answer

    def find(self, tenant: str, metric: str, *, step_seconds: int, horizon: int, now: int) -> Loaded | str | None:
        assert (tenant, metric, step_seconds, horizon, now) == ("acme", "temperature", STEP, 12, END)
        return self.answer


def forecast(values: Values, answer: Loaded | str | None) -> Forecast:
    window = SeriesWindow(
        series=SeriesKey("acme", "truck-1", "temperature"),
        unit="Cel",
        step_seconds=STEP,
        end=END,
        values=values,
        first=END - len(values) * STEP * 1000,
        last_value=float(values[-1]),
        limits=(Limit("warm", "above", 8.0), Limit("never", "above", 1000.0), Limit("always", "below", 1000.0)),
    )
    told = forecast_window(window, horizon_seconds=3600, known_at=END, models=One(answer))
    assert isinstance(told, Forecast)
    return told


@pytest.fixture
def loaded() -> Loaded:
    return Loaded("m-1", trained().booster, trained().trained_from, END - 3_600_000)


def test_a_better_model_is_used_and_named(loaded: Loaded) -> None:
    values = events(seed=50, days=7)
    told = forecast(values, loaded)
    assert "boosted" in told.model
    assert told.model.endswith("@m-1")
    assert told.trained_at == from_millis(END - 3_600_000)
    assert (told.trained_from, told.trained_to) == (
        from_millis(loaded.trained_from),
        from_millis(loaded.booster.trained_to),
    )
    assert told.window_to == told.known_at == from_millis(END)
    assert told.fallback is None
    assert all(low <= mid <= high for low, mid, high in zip(told.q10, told.q50, told.q90, strict=True))
    risk = {each.rule_id: each.probability for each in told.risks}
    assert (risk["never"], risk["always"]) == (0.0, 1.0)
    assert 0.0 <= risk["warm"] < 1.0


def test_a_model_that_helps_nothing_is_not_used(loaded: Loaded) -> None:
    walk = np.random.default_rng(4).normal(0, 0.3, 7 * 288).cumsum()
    told = forecast(walk, loaded)
    assert "boosted" not in told.model
    assert told.trained_at == told.trained_to == from_millis(END)


def test_a_model_that_knows_the_test_is_not_used() -> None:
    # Trained up to the present: no origin is left at which it could be judged.
    known = Loaded(
        "m-2", trained().booster.__class__(LAYOUT, END, trained().booster.models, trained().booster.widths), 0, END
    )
    assert "boosted" not in forecast(events(seed=50, days=7), known).model


def test_an_unusable_model_is_told_of() -> None:
    told = forecast(events(seed=50, days=7), "boosted model is 9 days old")
    assert "boosted" not in told.model
    assert told.fallback == "boosted model is 9 days old"


def test_a_failing_model_leaves_the_blend_and_is_told_of(loaded: Loaded) -> None:
    wrong = loaded.booster.__class__(LAYOUT, loaded.booster.trained_to, (), loaded.booster.widths)
    told = forecast(events(seed=50, days=7), loaded._replace(booster=wrong))
    assert told.fallback is not None
    assert told.fallback.startswith("boosted model failed")


def test_without_models_nothing_changes() -> None:
    told = forecast(events(seed=50, days=7), None)
    assert "boosted" not in told.model
    assert told.fallback is None
