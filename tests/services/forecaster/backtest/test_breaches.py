"""What counts as a predicted breach, and how early it was foreseen."""

import math

import numpy as np
import pytest

from sensorcast_forecaster.backtest.breaches import excursions, judge, precision_at, questions
from sensorcast_forecaster.window import Limit, Values

WARM = Limit("limit", "above", 8.0)
NAN = float("nan")


def series(*values: float) -> Values:
    return np.array(values, dtype=np.float64)


CELLS = series(5, 6, 7, 9, 9, 7, 6, 5, 5, 5, 8, 9, 5, 5, 5)


def test_question_is_asked_only_from_inside_the_limit() -> None:
    asked = questions(CELLS, np.arange(12), horizon=3, limit=WARM)
    assert 3 not in asked.asked
    assert 4 not in asked.asked
    assert 10 in asked.asked, "the limit itself is inside"
    assert dict(zip(asked.asked.tolist(), asked.steps.tolist(), strict=True)) == {
        0: 3, 1: 2, 2: 1, 5: 0, 6: 0, 7: 0, 8: 3, 9: 2, 10: 1,
    }  # fmt: skip


def test_missing_future_is_not_a_future_without_breach() -> None:
    cells = series(5, NAN, 5, 5, 9, NAN)
    asked = questions(cells, np.array([0, 3]), horizon=2, limit=WARM)
    assert asked.asked.tolist() == [1]
    assert asked.came.tolist() == [True]


def test_hits_misses_false_alarms_and_brier_are_counted_per_question() -> None:
    asked = questions(CELLS, np.array([0, 1, 5, 6]), horizon=3, limit=WARM)
    score = judge(asked, [0.9, 0.4, 0.5, 0.0])
    assert (score.hits, score.misses, score.false_alarms, score.questions) == (1, 1, 1, 4)
    assert (score.precision, score.recall) == (0.5, 0.5)
    assert score.brier == pytest.approx((0.01 + 0.36 + 0.25 + 0) / 4)


def test_lead_is_that_of_the_earliest_hit_of_each_excursion() -> None:
    asked = questions(CELLS, np.arange(12), horizon=3, limit=WARM)
    early = {1: 1.0, 2: 1.0, 10: 1.0}
    score = judge(asked, [early.get(int(at), 0.0) for at in asked.asked])
    assert score.lead_steps == 1.5


def test_nothing_predicted_has_no_precision_and_no_lead() -> None:
    score = judge(questions(CELLS, np.arange(12), horizon=3, limit=WARM), np.zeros(9))
    assert math.isnan(score.precision)
    assert math.isnan(score.lead_steps)
    assert score.recall == 0


def test_excursion_is_a_run_that_begins_inside() -> None:
    assert excursions(CELLS, WARM) == 2
    assert excursions(series(9, 9, 5, 9, NAN, 9), WARM) == 1
    assert excursions(-CELLS, Limit("limit", "below", -8.0)) == 2


def test_precision_at_equal_recall_warns_only_as_often_as_it_must() -> None:
    # Breaches come after the questions 0, 1, 2, 8, 9 and 10, none after 5, 6 and 7.
    asked = questions(CELLS, np.arange(12), horizon=3, limit=WARM)
    said = [0.9, 0.8, 0.3, 0.85, 0.2, 0.1, 0.7, 0.05, 0.05]
    assert precision_at(asked, said, recall=1 / 6) == 1.0
    assert precision_at(asked, said, recall=0.5) == pytest.approx(3 / 4)
    # Two that are equally likely are warned of together.
    assert precision_at(asked, said, recall=5 / 6) == pytest.approx(6 / 9)
    assert math.isnan(precision_at(asked, said, recall=0.0))
