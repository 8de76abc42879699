"""The boosted model: nothing leaks, units do not matter, quantiles keep their order, artefacts come back."""

import gzip
import json
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensorcast_forecaster.boosting.aci import known_before, widen
from sensorcast_forecaster.boosting.blend import Said, adapted, futures, stack
from sensorcast_forecaster.boosting.booster import LEVELS, Growth, QuantileBooster, UnreadableArtefact, loads
from sensorcast_forecaster.boosting.examples import Past, examples
from sensorcast_forecaster.boosting.features import moments
from sensorcast_forecaster.boosting.layout import Layout
from sensorcast_forecaster.boosting.validation import WINDOWS, TooLittle, Trained, fit
from sensorcast_forecaster.window import Values

LAYOUT = Layout(step_seconds=300, horizon=12)
END = 1_700_000_100_000
STEP_MS = 300_000
GROWTH = Growth(trees=40, leaves=15, min_leaf_rows=40)


def fridge(*, seed: int, days: float = 6) -> Values:
    """A compressor's sawtooth with noise, two hours long."""
    noise = np.random.default_rng(seed)
    steps = np.arange(round(days * 288))
    saw = np.abs(((steps + 5 * seed) % 24) / 12 - 1)
    return np.asarray(4 + 2 * saw + noise.normal(0, 0.05, len(steps)))


@cache
def trained() -> Trained:
    """Once for all tests here."""
    pasts = [Past(fridge(seed=seed), END) for seed in range(4)]
    return fit(pasts, layout=LAYOUT, until=END, holdout_seconds=86_400, max_rows=20_000, growth=GROWTH)


def ask(values: Values, origins: list[int], booster: QuantileBooster | None = None) -> Values:
    model = booster or trained().booster
    told: Values = model.quantiles(values[None, :], np.array(origins), end=np.array([END]))[0]
    return told


def test_a_regular_cycle_is_learnt() -> None:
    score = trained().score
    assert score.relative_loss < 0.5
    assert len(score.windows) == WINDOWS
    assert 0.7 < score.coverage < 0.9
    assert trained().booster.trained_to == END - 86_400_000


@settings(max_examples=25)
@given(origin=st.integers(300, 1500), future=st.floats(-1e6, 1e6), gap=st.booleans())
def test_what_comes_after_the_origin_changes_nothing(origin: int, future: float, gap: bool) -> None:
    values = fridge(seed=9)
    other = values.copy()
    other[origin + 1 :] = np.nan if gap else future
    seen = [moments(each[None, :], np.array([origin]), end=np.array([END]), layout=LAYOUT) for each in (values, other)]
    np.testing.assert_array_equal(seen[0].features, seen[1].features)
    np.testing.assert_array_equal(ask(values, [origin]), ask(other, [origin]))


@settings(max_examples=25)
@given(until=st.integers(400, 1400))
def test_examples_know_nothing_after_their_end(until: int) -> None:
    values = fridge(seed=3)
    other = values.copy()
    other[until:] = 1e9
    end = END - (len(values) - until) * STEP_MS
    drawn = [examples([Past(each, END)], layout=LAYOUT, until=end, max_rows=3_000) for each in (values, other)]
    np.testing.assert_array_equal(drawn[0].rows, drawn[1].rows)
    np.testing.assert_array_equal(drawn[0].targets, drawn[1].targets)
    assert len(drawn[0].targets) > 0


@settings(max_examples=25)
@given(factor=st.sampled_from([0.25, 0.5, 2.0, 64.0]), offset=st.integers(-500, 500), origin=st.integers(300, 1500))
def test_other_units_change_only_the_level_and_the_scale(factor: float, offset: int, origin: int) -> None:
    values = np.round(fridge(seed=5) * 1024) / 1024
    plain, other = (
        moments(each[None, :], np.array([origin]), end=np.array([END]), layout=LAYOUT)
        for each in (values, factor * values + offset)
    )
    level, scale = plain.features[0, 0, -4], plain.features[0, 0, -3]
    np.testing.assert_allclose(other.features[0, 0, [-4, -3]], [factor * level + offset, factor * scale], rtol=1e-6)
    np.testing.assert_allclose(
        np.delete(other.features, [-4, -3], axis=-1), np.delete(plain.features, [-4, -3], axis=-1), atol=1e-5
    )


@settings(max_examples=25)
@given(seed=st.integers(0, 1000), jump=st.floats(-100, 100))
def test_quantiles_keep_their_order(seed: int, jump: float) -> None:
    values = fridge(seed=seed, days=2)
    values[-5:] += jump
    assert (np.diff(ask(values, [300, 400, len(values) - 1]), axis=1) >= 0).all()


def test_series_do_not_disturb_each_other() -> None:
    table = np.stack([fridge(seed=1), fridge(seed=2)])
    table[1, 100:900] = np.nan
    both = trained().booster.quantiles(table, np.array([1400]), end=np.array([END, END]))
    np.testing.assert_allclose(both[0], ask(table[0], [1400]), rtol=1e-5)
    np.testing.assert_allclose(both[1], ask(table[1], [1400]), rtol=1e-5)


def test_a_constant_or_missing_present_gives_nothing() -> None:
    values = fridge(seed=1)
    values[1400] = np.nan
    assert np.isnan(ask(values, [1400])).all()
    assert np.isnan(ask(np.full(600, 4.0), [500])).all()


def test_an_artefact_comes_back_as_it_was() -> None:
    booster = trained().booster
    again = loads(booster.dumps())
    assert (again.layout, again.trained_to) == (booster.layout, booster.trained_to)
    np.testing.assert_allclose(again.widths, booster.widths, atol=1e-4)
    np.testing.assert_array_equal(ask(fridge(seed=7), [500, 900], again), ask(fridge(seed=7), [500, 900]))
    assert again.dumps() == loads(again.dumps()).dumps()


@pytest.mark.parametrize(
    "change", [{"format_version": 1}, {"horizon": 60}, {"models": ["x", "y", "z"]}, {"widths": []}]
)
def test_an_unreadable_artefact_is_refused(change: dict[str, object]) -> None:
    content = json.loads(gzip.decompress(trained().booster.dumps())) | change
    with pytest.raises(UnreadableArtefact):
        loads(gzip.compress(json.dumps(content).encode()))


@pytest.mark.parametrize(
    "artefact", [b"", b"nothing", gzip.compress(b"{}", mtime=0)], ids=["empty", "text", "no model"]
)
def test_other_bytes_are_refused(artefact: bytes) -> None:
    with pytest.raises(UnreadableArtefact):
        loads(artefact)


def test_half_an_artefact_is_refused() -> None:
    with pytest.raises(UnreadableArtefact):
        loads(trained().booster.dumps()[:500])


def test_too_short_a_past_is_refused() -> None:
    with pytest.raises(TooLittle):
        fit([Past(fridge(seed=1, days=0.5), END)], layout=LAYOUT, until=END, holdout_seconds=3600, growth=GROWTH)
    with pytest.raises(TooLittle):
        fit([Past(fridge(seed=1), END)], layout=LAYOUT, until=END, holdout_seconds=600, growth=GROWTH)


def test_only_outcomes_that_have_come_are_known() -> None:
    assert known_before(np.array([0, 5, 10, 15, 20]), horizon=10).tolist() == [0, 0, 1, 2, 3]


def test_a_band_that_is_too_narrow_grows_to_its_coverage() -> None:
    noise = np.random.default_rng(1)
    came = noise.normal(size=(4000, 3))
    said = np.broadcast_to(np.array([-0.4, 0.0, 0.4])[:, None], (4000, 3, 3)).copy()
    band = widen(said, said[-1], came, known=np.arange(4000))
    late, outcome = band.quantiles[1000:], came[1000:]
    inside = np.logical_and(outcome >= late[:, 0], outcome <= late[:, 2])
    assert float(np.mean(inside)) == pytest.approx(0.8, abs=0.02)


def test_futures_have_the_quantiles_of_the_band() -> None:
    noise = np.random.default_rng(2)
    came = noise.normal(size=(96, 5)).cumsum(axis=1)
    said = np.broadcast_to(np.array([-1.0, 0.1, 1.5])[:, None], (96, 3, 5)).copy()
    now = np.array([[2.0] * 5, [3.0] * 5, [7.0] * 5])
    quantiles = futures(now, said, came).quantiles(LEVELS)
    np.testing.assert_allclose(quantiles[[0, 2]], now[[0, 2]], atol=1e-6)
    # The median falls between two paths, on either side of which the band has another width.
    np.testing.assert_allclose(quantiles[1], now[1], atol=0.05)


IDEAL = np.broadcast_to(np.array([-1.28, 0.0, 1.28])[:, None], (96, 3, 6)).copy()


def off_by(error: float) -> Said:
    """A candidate that says too much, of what is standard normal."""
    return Said(IDEAL + error, IDEAL[-1] + error)


def test_weights_lie_between_the_usual_ones_and_the_best_ones() -> None:
    came = np.random.default_rng(3).normal(size=(96, 6))

    def weights(floor: float, one: float, other: float) -> tuple[float, ...]:
        candidates = {"last": off_by(floor), "one": off_by(one), "other": off_by(other)}
        found = stack(candidates, came, floor="last", usual={"one": 0.7, "other": 0.3})
        assert found is not None
        np.testing.assert_allclose(found.said.now, IDEAL[-1] + np.dot([*found.weights.values()], [floor, one, other]))
        return tuple(found.weights.values())

    assert weights(1.0, 0.05, 0.05) == (0.0, 0.7, 0.3), "as good as each other: the usual ones"
    assert weights(1.0, 3.0, 0.0)[2] > 0.7, "one is bad"
    assert weights(1.0, -0.6, 0.6)[1] == pytest.approx(0.5, abs=0.11), "their errors cancel"
    assert weights(0.0, 1.0, 1.0) == (1.0, 0.0, 0.0)
    assert weights(0.0, 0.0, 0.0) == (1.0, 0.0, 0.0), "as good as the floor is not better"


def test_one_rare_event_does_not_decide_the_weights() -> None:
    came = np.random.default_rng(4).normal(size=(96, 6))
    came[40:44] = 60.0
    usual, rare = off_by(0.0), off_by(1.5)
    rare.quantiles[40:44] = 60.0
    found = stack({"last": off_by(2.5), "usual": usual, "rare": rare}, came, floor="last", usual={"usual": 1.0})
    assert found is not None
    assert found.weights["usual"] > 0.5


def test_too_few_origins_have_no_weights() -> None:
    candidates = {"last": Said(IDEAL[:11], IDEAL[-1]), "one": Said(IDEAL[:11], IDEAL[-1])}
    assert stack(candidates, np.zeros((11, 6)), floor="last", usual={"one": 1.0}) is None


def test_a_band_is_adapted_a_part_of_the_way_to_its_misses_and_its_median_stays() -> None:
    noise = np.random.default_rng(1)
    sigma = noise.uniform(0.5, 5, size=(800, 1, 1))
    came = noise.normal(size=(800, 3)) * sigma[:, 0]
    said = np.broadcast_to(np.array([-0.32, 0.0, 2.56])[:, None], (800, 3, 3)) * sigma
    band = adapted(Said(said, said[-1]), came)
    factors = band.quantiles[0, :, 0] / sigma[0, 0, 0]
    np.testing.assert_allclose(factors, [-0.32 * (1 + 0.25 * 3), 0.0, 2.56 * (1 - 0.25 * 0.5)], rtol=0.1)
    np.testing.assert_array_equal(band.now, band.quantiles[-1])
