"""The fleet at a glance: what is shown of a device, how little is read for it, and who may see it."""

import asyncio

import pytest
from tests.services.api.fakes import NOW, World

from sensorcast_api import examples
from sensorcast_api.fleet.briefly import Briefly
from sensorcast_api.fleet.sparklines import LATE_MS, POINTS, STEP_MS, Sparklines
from sensorcast_common.clock import from_millis
from sensorcast_common.device import MetricState
from sensorcast_common.incident import Basis
from sensorcast_common.reading import SeriesKey
from sensorcast_common.tables.api_keys import Role

MINUTE = 60_000
SERIES = SeriesKey("acme", "truck-1", "temperature")
OPEN = "019a0c2e-5f2b-7c3d-9e4f-00000000000"


def watch(world: World) -> None:
    world.rules.items["acme", "too-warm"] = examples.RULE.model_copy(update={"tenant": "acme"})


async def test_a_device_comes_with_its_newest_value_hour_risk_and_incident(world: World) -> None:
    watch(world)
    world.readings.put("acme", "truck-1", NOW + 1000, 5.5)
    world.readings.put("acme", "truck-1", NOW - 30 * MINUTE, 4.5)
    world.forecasts.put("acme", "truck-1", NOW)
    world.incidents.put("acme", f"{OPEN}1", device="truck-1")
    async with world.client() as client:
        page = (await client.get("/v1/fleet")).json()
    first, second = page["items"]
    assert (first["device"], first["value"], first["ts"]) == ("truck-1", 5.5, "2026-05-28T20:26:41.000Z")
    assert first["sparkline"]["values"][-1] == 5.5
    assert first["sparkline"]["values"].count(4.5) == 1
    assert len(first["sparkline"]["values"]) == POINTS
    assert first["risk"]["probability"] == 0.62
    assert first["incident"]["incident_id"] == f"{OPEN}1"
    assert (second["value"], second["risk"], second["incident"]) == (4.2, None, None)
    assert page["now"] == "2026-05-28T20:26:40.000Z"


async def test_an_old_forecast_is_no_risk_of_the_next_hour(world: World) -> None:
    watch(world)
    world.forecasts.put("acme", "truck-1", NOW - 61 * MINUTE)
    async with world.client() as client:
        assert (await client.get("/v1/fleet")).json()["items"][0]["risk"] is None


async def test_what_is_watched_is_shown_rather_than_what_comes_first_by_name(world: World) -> None:
    state = MetricState(unit="%RH", last_ts=from_millis(NOW), last_value=60.0)
    device = world.devices.items["acme", "truck-1"]
    world.devices.items["acme", "truck-1"] = device.model_copy(
        update={"metrics": {"a": state, "humidity": state, "temperature": state}}
    )
    async with world.client() as client:
        assert (await client.get("/v1/fleet")).json()["items"][0]["metric"] == "temperature"
    rule = examples.RULE.model_copy(update={"tenant": "acme", "metric": "humidity"})
    anew = World()
    anew.devices.items, anew.rules.items = world.devices.items, {("acme", "dry"): rule}
    async with anew.client() as client:
        assert (await client.get("/v1/fleet")).json()["items"][0]["metric"] == "humidity"


async def test_the_most_urgent_incident_is_shown(world: World) -> None:
    for number, (basis, severity) in enumerate(
        [
            (Basis.PREDICTED, "critical"),
            (Basis.OBSERVED, "warning"),
            (Basis.OBSERVED, "critical"),
            (Basis.OBSERVED, "info"),
        ]
    ):
        incident = world.incidents.put("acme", f"{OPEN}{number}", device="truck-1")
        changed = incident.model_copy(update={"basis": basis, "severity": severity})
        world.incidents.items["acme", incident.incident_id] = changed
    async with world.client() as client:
        shown = (await client.get("/v1/fleet")).json()["items"][0]["incident"]
    assert shown["incident_id"] == f"{OPEN}2"


async def test_the_fleet_is_paged_and_ones_own(world: World) -> None:
    world.incidents.put("other", f"{OPEN}9", device="truck-1")
    async with world.client() as client:
        first = (await client.get("/v1/fleet", params={"limit": 1})).json()
        second = (await client.get("/v1/fleet", params={"limit": 1, "cursor": first["next_cursor"]})).json()
        assert (await client.get("/v1/fleet", params={"cursor": "nonsense"})).status_code == 422
    assert [each["device"] for each in first["items"] + second["items"]] == ["truck-1", "truck-2"]
    assert second["next_cursor"] is None
    assert first["items"][0]["incident"] is None


async def test_a_second_look_reads_only_what_is_new(world: World) -> None:
    sparklines = Sparklines(world.readings)
    world.readings.put(*SERIES[:2], NOW - 30 * MINUTE, 4.0)
    await sparklines.look(SERIES, now=NOW)
    assert world.readings.widest > (POINTS - 1) * STEP_MS
    world.readings.widest = 0
    # It arrives late, yet is seen; and what was read before stays.
    world.readings.put(*SERIES[:2], NOW - LATE_MS + 1000, 5.0)
    glance = await sparklines.look(SERIES, now=NOW + 10_000)
    assert world.readings.widest < 5 * MINUTE
    assert sorted(glance.means.values()) == [4.0, 5.0]
    assert glance.last_value == 5.0


async def test_what_is_asked_at_once_is_made_once_and_a_failure_is_not_kept() -> None:
    asked: list[str] = []
    now = 0.0

    async def make(key: str) -> int:
        asked.append(key)
        await asyncio.sleep(0)
        if len(asked) == 1:
            raise ConnectionError
        return len(asked)

    briefly = Briefly(make, seconds=5, capacity=2, monotonic=lambda: now)
    with pytest.raises(ConnectionError):
        await briefly.get("a")
    assert set(await asyncio.gather(briefly.get("a"), briefly.get("a"))) == {2}
    now = 4.9
    assert await briefly.get("a") == 2
    now = 5.0
    assert await briefly.get("a") == 3


async def test_a_caller_that_goes_away_takes_nobody_with_it() -> None:
    go = asyncio.Event()

    async def make(key: str) -> str:
        await go.wait()
        return key

    briefly = Briefly(make, seconds=5, capacity=2)
    gone, stays = asyncio.create_task(briefly.get("a")), asyncio.create_task(briefly.get("a"))
    await asyncio.sleep(0)
    gone.cancel()
    go.set()
    assert await stays == "a"


async def test_the_key_tells_its_tenant_and_role(world: World) -> None:
    async with world.client(role=Role.OPERATOR) as client:
        me = (await client.get("/v1/me")).json()
    assert (me["tenant"], me["role"]) == ("acme", "operator")
    assert "sc_" not in str(me)
