"""The state of the pipeline: what a tenant sees of it, and how little is asked for it."""

from tests.services.api.fakes import NOW, World
from tests.services.api.test_quarantine import set_aside

from sensorcast_api import examples
from sensorcast_api.status.pipeline import summed
from sensorcast_common.clock import from_millis

MINUTE = 60_000


async def test_the_state_is_of_the_tenant_and_of_the_queues_all_share(world: World) -> None:
    world.now = NOW + MINUTE
    world.readings.put("acme", "truck-1", NOW + 55_000, 4.0)
    world.readings.put("other", "truck-1", NOW + 59_000, 4.0)
    world.forecasts.put("acme", "truck-1", NOW)
    world.forecasts.put("other", "truck-9", NOW + MINUTE)
    await world.quarantine.put(set_aside(b"{"), now=NOW)
    await world.quarantine.put(set_aside(b"{", topic="dt/other/truck-9/readings"), now=NOW)
    async with world.client() as client:
        status = (await client.get("/v1/status")).json()
        assert (await client.get("/v1/status")).json() == status
    async with world.client(tenant="other") as client:
        assert (await client.get("/v1/status")).json()["queues"] == status["queues"]
    assert status["queues"] == [
        {"queue": "archive", "waiting": 3, "in_work": 1, "oldest_seconds": None, "dead_letters": 2}
    ]
    assert status["quarantined"] == 1
    assert (status["readings"]["devices"], status["readings"]["reporting"]) == (2, 2)
    assert status["readings"]["newest_seconds"] == 5.0
    forecasts = status["forecasts"]
    assert (forecasts["series"], forecasts["fresh"], forecasts["models"]) == (2, 1, {"ets/1": 1})
    assert world.queues.looks == 1


async def test_a_silent_fleet_is_seen_as_such(world: World) -> None:
    world.now = NOW + 60 * MINUTE
    async with world.client() as client:
        status = (await client.get("/v1/status")).json()
    assert status["readings"] == {"devices": 2, "reporting": 0, "newest_at": None, "newest_seconds": None}
    assert status["forecasts"]["series"] == 0


def test_a_forecast_that_is_three_rounds_old_is_late() -> None:
    fresh = examples.FORECAST.model_copy(update={"known_at": from_millis(NOW - 15 * MINUTE)})
    late = examples.FORECAST.model_copy(update={"known_at": from_millis(NOW - 15 * MINUTE - 1)})
    status = summed([fresh, late], series=3, now=NOW)
    assert (status.series, status.fresh, status.newest_at) == (3, 1, fresh.known_at)
