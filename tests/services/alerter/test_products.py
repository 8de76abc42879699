"""A product's budgets, minute by minute."""

import math
from datetime import timedelta

import pytest
from tests.services.alerter.observations import MIDNIGHT, forecast, limit_rule, reading
from tests.services.alerter.room import Room, opened_room, spans

from sensorcast_common.incident import Basis, Excursion, IncidentState
from sensorcast_common.product import ProductProfile
from sensorcast_common.rule import ForecastCondition, ProductCondition, Rule
from sensorcast_rules.budget import Kinetic, KineticMemory
from sensorcast_rules.measure import Point


def vaccine(**changes: object) -> Rule:
    profile = {"above": 8.0, "below": 2.0, "consecutive_minutes": 20.0, "cumulative_minutes": 30.0, **changes}
    return limit_rule(rule_id="chilled").model_copy(
        update={
            "condition": ProductCondition(product="vaccine", forecast=ForecastCondition()),
            "profile": ProductProfile.model_validate(
                {"tenant": "acme", "product_id": "vaccine", "name": "Vaccine", **profile}
            ),
        }
    )


def used(room: Room) -> Excursion:
    (incident,) = [*room.incidents, *room.pending]
    assert incident.excursion is not None
    return incident.excursion


async def warm(room: Room, start: int, minutes: int, value: float = 9.0) -> None:
    await room.play(*(reading(MIDNIGHT + (start + step) * 60_000, value) for step in range(minutes + 1)))


async def test_an_excursion_within_its_budget_is_pending_and_says_the_minutes_used() -> None:
    room = await opened_room(vaccine())
    await room.take(reading("00:00", 7))
    await warm(room, 1, 10)
    assert room.incidents == []
    assert used(room).minutes == pytest.approx(10.5)
    assert (used(room).consecutive_budget, used(room).cumulative_budget) == (20, 30)
    await warm(room, 12, 10)
    assert spans(room.incidents) == [("00:01:00", "open", None)]
    assert len(room.sms) == 1
    await room.take(reading("00:23", 7))
    assert room.only.state is IncidentState.RESOLVED
    assert used(room).minutes == pytest.approx(21.5, abs=0.6)


async def test_short_excursions_add_up_within_the_window_and_are_forgotten_after_it() -> None:
    room = await opened_room(vaccine(window_hours=2))
    for start in (0, 20, 40):
        await room.take(reading(MIDNIGHT + start * 60_000, 5))
        await warm(room, start + 1, 11)
        await room.take(reading(MIDNIGHT + (start + 13) * 60_000, 5))
    assert len(room.incidents) == 1
    assert (room.only.excursion or Excursion(product="", product_version=0)).cumulative_minutes > 30
    await room.take(reading("03:10", 5))
    await room.take(reading("03:11", 9))
    assert len(room.incidents) == 1
    assert [each.excursion.cumulative_minutes for each in room.pending if each.excursion] == [pytest.approx(0.25)]


async def test_a_forecast_that_uses_up_what_is_left_warns_before_the_budget_is_gone() -> None:
    room = await opened_room(vaccine())
    await room.take(reading("00:00", 7))
    await warm(room, 1, 9)
    stays = forecast("00:10", 1.0, last_value=9)
    await room.take(stays)
    assert room.bases == [Basis.PREDICTED]
    assert room.only.expected_at == stays.known_at + timedelta(minutes=15)
    assert used(room).foreseen_minutes == pytest.approx(69.5)
    assert len(room.sms) == 1
    await warm(room, 11, 10)
    assert room.bases == [Basis.OBSERVED]
    assert len(room.sms) == 1
    assert room.history(room.only) == ["pending", "opened", "observed"]


async def test_a_forecast_of_a_short_excursion_warns_nobody_but_shows_the_minutes_it_will_use() -> None:
    room = await opened_room(vaccine())
    await room.take(reading("00:00", 7))
    await warm(room, 1, 4)
    back = forecast("00:05", 1.0, last_value=9).model_copy(update={"q50": [7.0, *[5.0] * 11]})
    await room.take(back)
    assert room.incidents == []
    assert used(room).foreseen_minutes == pytest.approx(7, abs=0.1)


async def test_without_budgets_the_first_reading_outside_counts() -> None:
    room = await opened_room(vaccine(consecutive_minutes=None, cumulative_minutes=None))
    await room.take(reading("00:00", 9))
    assert room.only.kind == "product"


def test_the_mean_kinetic_temperature_is_that_of_the_formula() -> None:
    """Two temperatures for as long each: T_K = (dH/R) / -ln((exp(-dH/RT1) + exp(-dH/RT2)) / 2)."""
    profile = ProductProfile(tenant="t", product_id="p", name="p", mean_kinetic_above=25, window_hours=24)
    kinetic, memory = Kinetic(profile), None
    for minute in range(24 * 60 + 1):
        memory = kinetic.step(memory, Point(minute * 60_000, 20.0 if minute < 12 * 60 else 30.0))
    ratio = 83.144 / 8.314472e-3
    mean = (math.exp(-ratio / 293.15) + math.exp(-ratio / 303.15)) / 2
    assert isinstance(memory, KineticMemory)
    assert memory.measured == pytest.approx(ratio / -math.log(mean) - 273.15, abs=0.3)
    assert memory.measured is not None
    assert memory.measured > 25.5
    assert len(memory.sums) <= 25


async def test_a_mean_kinetic_temperature_that_is_too_high_opens_and_what_is_colder_ends_it() -> None:
    room = await opened_room(vaccine(above=None, below=None, mean_kinetic_above=8.0, window_hours=2))
    await warm(room, 0, 60, 7)
    await warm(room, 61, 60, 10)
    assert room.only.side == "kinetic"
    opened = used(room).mean_kinetic
    assert opened is not None
    assert 8 < opened < 10
    await warm(room, 122, 80, 3)
    assert room.only.state is IncidentState.RESOLVED
