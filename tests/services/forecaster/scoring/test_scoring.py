"""Scores against cases worked out by hand."""

import math

import pytest
from tests.services.forecaster.scoring.said import HOUR, MINUTE, NOON, came, said

from sensorcast_common.clock import from_millis
from sensorcast_common.device import Device, MetricState
from sensorcast_common.errors import Poison
from sensorcast_common.rule import ForecastCondition
from sensorcast_common.skill import Skill, Tally
from sensorcast_forecaster.jobs import JobDevice
from sensorcast_forecaster.scoring.breaches import NO_FORECAST, score_breaches
from sensorcast_forecaster.scoring.messages import ScoreJob, hour_to_score, make_score_jobs, scoring_time
from sensorcast_forecaster.scoring.points import model_group, score_points

NAN = math.nan
WARM = {"warm": ForecastCondition(min_probability=0.6)}
BUILTIN = "builtin/1"


def test_losses_are_those_worked_out_by_hand() -> None:
    forecast = said(NOON, last_value=2.0, q10=[3, 3, 3, 3], q50=[4, 4, 4, 4], q90=[5, 5, 5, 5])
    tally = score_points(forecast, came(NOON, [4.0, 6.0, 2.0, 5.0]))
    # Pinball losses at 0.1, 0.5 and 0.9, each point twice their mean:
    # 4: 0.1, 0, 0.1 -> 0.4/3; 6: 0.3, 1, 0.9 -> 4.4/3; 2: 0.9, 1, 0.3 -> 4.4/3; 5: 0.2, 0.5, 0 -> 1.4/3
    assert tally.loss == pytest.approx((0.4 + 4.4 + 4.4 + 1.4) / 3)
    # Of a forecast without a band the loss is the absolute error: 2 + 4 + 0 + 3.
    assert tally.naive_loss == pytest.approx(9.0)
    assert tally.absolute == pytest.approx(17.0)
    assert (tally.forecasts, tally.points, tally.covered, tally.fallbacks) == (1, 4, 2, 0)
    skill = Skill.of(tally)
    assert (skill.wql, skill.wql_relative, skill.coverage) == (0.2078, 0.3926, 0.5)
    assert (skill.precision, skill.recall, skill.median_lead_minutes, skill.brier) == (None, None, None, None)


def test_a_point_is_the_mean_of_the_step_that_ends_at_it() -> None:
    observed = came(NOON, [1.0, 2.0, NAN, 4.0])
    cells = observed.cells(start=NOON + 15 * MINUTE, step=15 * MINUTE, count=4).tolist()
    assert cells[:2] + cells[3:] == [1.0, 2.0, 4.0]
    assert math.isnan(cells[2])


def test_a_forecast_counts_if_half_of_its_horizon_came() -> None:
    assert score_points(said(NOON), came(NOON, [4, NAN, NAN, 4])).points == 2
    assert score_points(said(NOON), came(NOON, [4, NAN, NAN, NAN])) == Tally(unobserved=1)


def test_a_foreseen_breach_is_a_true_warning_with_its_lead_time() -> None:
    # Inside until 12:45, outside from the quarter that ends at 13:00 on.
    observed = came(NOON - HOUR, [4, 4, 4, 4, 4, 5, 6, 9, 9, 9, 9, 9, 9])
    known = [
        said(NOON, probability=0.1),
        said(NOON + 15 * MINUTE, probability=0.7),
        said(NOON + 30 * MINUTE, probability=0.9),
    ]
    found = score_breaches(known, observed, start=NOON, end=NOON + HOUR + 1, conditions=WARM)
    tally = found[BUILTIN]
    assert (tally.warnings, tally.true_warnings) == (1, 1)
    assert (tally.breaches, tally.foreseen, tally.leads) == (1, 1, {45: 1})
    assert tally.risks == 3
    assert tally.brier == pytest.approx(0.81 + 0.09 + 0.01)


def test_a_warning_that_nothing_follows_is_false_and_counted_once_per_run() -> None:
    observed = came(NOON - HOUR, [4] * 16)
    # It wavers above half of the rule's probability: still the same warning; then it falls below, and comes again.
    known = [
        said(NOON + at * 5 * MINUTE, probability=probability)
        for at, probability in enumerate([0.7, 0.4, 0.8, 0.2, 0.65])
    ]
    tally = score_breaches(known, observed, start=NOON, end=NOON + HOUR, conditions=WARM)[BUILTIN]
    assert (tally.warnings, tally.true_warnings, tally.breaches) == (2, 0, 0)


def test_a_breach_that_no_forecast_predicted_is_missed_and_one_without_forecasts_too() -> None:
    observed = came(NOON - HOUR, [4, 4, 4, 4, 4, 4, 9, 9, 9])
    missed = score_breaches([said(NOON, probability=0.5)], observed, start=NOON, end=NOON + HOUR, conditions=WARM)
    assert (missed[BUILTIN].breaches, missed[BUILTIN].foreseen) == (1, 0)
    late = said(NOON + 45 * MINUTE, probability=0.99, last_value=9.0)
    alone = score_breaches([late], observed, start=NOON, end=NOON + HOUR, conditions=WARM)
    assert alone == {NO_FORECAST: Tally(breaches=1)}


def test_each_hour_counts_its_own_warnings_and_breaches() -> None:
    observed = came(NOON - HOUR, [4, 4, 4, 4, 4, 4, 4, 4, 4, 9, 9, 9, 9, 9, 9, 9])
    known = [said(NOON + at * 15 * MINUTE, probability=0.9) for at in range(3)]
    first = score_breaches(known, observed, start=NOON, end=NOON + HOUR, conditions=WARM)[BUILTIN]
    second = score_breaches(known, observed, start=NOON + HOUR, end=NOON + 2 * HOUR, conditions=WARM)[BUILTIN]
    assert (first.warnings, first.true_warnings, first.breaches) == (1, 0, 0)
    assert (second.warnings, second.breaches, second.leads) == (0, 1, {60: 1})


def test_excursions_close_together_are_one_and_one_whose_beginning_nobody_saw_is_none() -> None:
    def breaches(quarters: list[float], *, start: int = NOON - HOUR) -> int:
        known = [said(NOON - 30 * MINUTE, probability=0.1)]
        found = score_breaches(known, came(start, quarters), start=NOON, end=NOON + 2 * HOUR, conditions=WARM)
        return Tally.total(found.values()).breaches

    assert breaches([4, 4, 4, 4, 9, 9, 9, 9, 9, 9, 9, 4]) == 1
    assert breaches([4, 4, 4, 4, 9, 4, 9, 4, 4, 4, 9, 4]) == 3
    assert breaches([4, 4, 4, 4, 9, NAN, NAN, NAN, 9, 4, 4, 4]) == 1
    assert breaches([9, 9, 9, 9], start=NOON) == 0


def test_tallies_add_up_and_the_median_lead_is_never_flattered() -> None:
    total = Tally.total(
        [Tally(breaches=2, foreseen=2, leads={10: 1, 40: 1}), Tally(breaches=2, foreseen=1, leads={10: 1})]
    )
    assert (total.breaches, total.foreseen, total.leads) == (4, 3, {10: 2, 40: 1})
    assert (Skill.of(total).recall, Skill.of(total).median_lead_minutes) == (0.75, 10)
    assert Skill.of(Tally(leads={10: 1, 40: 1})).median_lead_minutes == 10
    assert Tally.total([]) == Tally()


def test_models_are_told_apart_by_engine_and_training_only() -> None:
    assert model_group("builtin/1:linear+last") == BUILTIN
    assert model_group("builtin/1:boosted+last@20260101T022000Z") == "builtin/1@20260101T022000Z"


def test_the_hour_to_score_has_met_its_horizon_and_its_late_readings() -> None:
    grace = {"horizon_ms": HOUR, "grace_ms": 15 * MINUTE}
    assert hour_to_score(NOON + 20 * MINUTE, **grace) == NOON - 2 * HOUR
    assert hour_to_score(NOON + 14 * MINUTE, **grace) == NOON - 3 * HOUR


def test_a_device_stays_in_its_shard_and_every_device_has_one() -> None:
    def device(name: str) -> Device:
        state = MetricState(unit="Cel", last_ts=from_millis(NOON), last_value=4)
        seen = from_millis(NOON)
        return Device(tenant="acme", device=name, metrics={"temperature": state}, first_seen=seen, last_seen=seen)

    names = [f"truck-{number}" for number in range(100)]
    few = make_score_jobs(map(device, names[:50]), hour=NOON)
    many = make_score_jobs(map(device, names), hour=NOON)
    place = {each.device: job.shard for job in many for each in job.devices}
    assert place.keys() == set(names)
    assert {each.device: job.shard for job in few for each in job.devices}.items() <= place.items()
    assert ScoreJob.parse(many[0].text()) == many[0]


def test_an_unknown_scoring_message_is_poison() -> None:
    devices = [JobDevice(tenant="acme", device="fridge", metrics=["temperature"])]
    text = ScoreJob(hour=NOON, tenant="acme", shard=3, devices=devices).text()
    for change, field in ((('"shard":', '"shard":9'), "shard"), (('"hour":', '"hour":1'), "hour")):
        with pytest.raises(Poison, match=field):
            ScoreJob.parse(text.replace(*change))
    with pytest.raises(Poison, match="score"):
        scoring_time('{"score": 2}', sent_at=5)
    assert scoring_time('{"score": 1, "scheduled_at": "<aws.scheduler.scheduled-time>"}', sent_at=5) == 5
