"""How good forecasts were, by metric and model, for one's own tenant."""

import pytest
from tests.services.api.fakes import NOW, World

from sensorcast_common.skill import Tally
from sensorcast_common.tables.skill import HOUR_MS, HourSkill

HOUR = NOW // HOUR_MS * HOUR_MS


def fill(world: World) -> None:
    for back, shard in ((2, 0), (2, 1), (30, 0)):
        tally = Tally(forecasts=10, points=100, covered=80, loss=5.0, naive_loss=10.0, absolute=200.0)
        models = {"builtin/1": tally, "builtin/1@20260101T022000Z": tally}
        world.skill.items.append(HourSkill("acme", HOUR - back * HOUR_MS, "temperature", shard, models))
    world.skill.items.append(
        HourSkill("acme", HOUR - 3 * HOUR_MS, "humidity", 0, {"none": Tally(breaches=1, foreseen=0)})
    )


async def test_figures_are_of_the_hours_asked_for_by_metric_and_model(world: World) -> None:
    fill(world)
    async with world.client() as client:
        day = (await client.get("/v1/forecasts/skill")).json()
        two_days = (await client.get("/v1/forecasts/skill?hours=48&metric=temperature")).json()
    humidity, temperature = day["metrics"]
    assert (humidity["metric"], humidity["recall"], humidity["wql"]) == ("humidity", 0.0, None)
    assert temperature["forecasts"] == 40
    assert (temperature["wql"], temperature["wql_relative"], temperature["coverage"]) == (0.025, 0.5, 0.8)
    assert [each["model"] for each in temperature["models"]] == ["builtin/1", "builtin/1@20260101T022000Z"]
    assert [each["metric"] for each in two_days["metrics"]] == ["temperature"]
    assert two_days["metrics"][0]["forecasts"] == 60


async def test_anothers_figures_are_not_there(world: World) -> None:
    fill(world)
    async with world.client(tenant="other") as other:
        report = (await other.get("/v1/forecasts/skill")).json()
    assert (report["metrics"], report["scored_until"]) == ([], None)


@pytest.mark.parametrize("query", ["hours=0", "hours=169", "metric=a%23b"])
async def test_a_range_that_is_too_long_is_refused(world: World, query: str) -> None:
    async with world.client() as client:
        assert (await client.get(f"/v1/forecasts/skill?{query}")).status_code == 422
