"""Readings: half-open ranges, pages that lose and double nothing, bounded reads."""

import itertools
from datetime import UTC, datetime, timedelta

import httpx
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.services.api.fakes import NOW, World

from sensorcast_api.downsample import FEWEST, Method, chosen
from sensorcast_common.clock import from_millis, rfc3339

PATH = "/v1/devices/truck-1/readings"
HOUR = 3_600_000


def at(millis: int) -> str:
    return rfc3339(from_millis(millis))


async def walk(client: httpx.AsyncClient, path: str, params: dict[str, str], key: str) -> list[list[object]]:
    """All pages of a list."""
    pages: list[list[object]] = []
    cursor: str | None = None
    while True:
        answer = await client.get(path, params=params | ({"cursor": cursor} if cursor else {}))
        assert answer.status_code == 200, answer.text
        pages.append(answer.json()[key])
        cursor = answer.json()["next_cursor"]
        if cursor is None:
            return pages


async def test_the_last_hour_is_the_default_and_the_end_is_excluded(world: World) -> None:
    for ts in (NOW - HOUR - 1, NOW - HOUR, NOW - 1, NOW):
        world.readings.put("acme", "truck-1", ts, 0.1 + 0.2)
    async with world.client() as client:
        page = (await client.get(PATH, params={"metric": "temperature"})).json()
    assert [each["ts"] for each in page["readings"]] == [at(NOW - HOUR), at(NOW - 1)]
    assert page["readings"][0]["value"] == 0.1 + 0.2
    assert (page["start"], page["end"], page["unit"]) == (at(NOW - HOUR), at(NOW), "Cel")


async def test_offsets_are_understood_and_answered_in_utc(world: World) -> None:
    world.readings.put("acme", "truck-1", NOW - 1, 1.0)
    local = (datetime.fromtimestamp(NOW / 1000, UTC) - timedelta(hours=1)).isoformat().replace("+00:00", "-00:00")
    async with world.client() as client:
        answer = await client.get(PATH, params={"metric": "temperature", "start": local})
    assert answer.json()["start"] == at(NOW - HOUR)


async def test_an_unknown_metric_is_404(world: World) -> None:
    async with world.client() as client:
        answer = await client.get(PATH, params={"metric": "humidity"})
    assert answer.status_code == 404
    assert "metric" in answer.json()["detail"]


async def test_no_reading_in_the_range_is_an_empty_page_with_the_unit(world: World) -> None:
    async with world.client() as client:
        page = (await client.get(PATH, params={"metric": "temperature"})).json()
    assert (page["readings"], page["unit"], page["next_cursor"]) == ([], "Cel", None)


async def test_the_end_stays_where_the_first_page_had_it(world: World) -> None:
    for number in range(10):
        world.readings.put("acme", "truck-1", NOW - 10_000 + number * 1000, number)
    async with world.client() as client:
        first = (await client.get(PATH, params={"metric": "temperature", "limit": 5})).json()
        world.now += 5_000
        world.readings.put("acme", "truck-1", NOW + 1000, 99)
        cursor = first["next_cursor"]
        rest = (await client.get(PATH, params={"metric": "temperature", "limit": 50, "cursor": cursor})).json()
    assert [each["value"] for each in first["readings"] + rest["readings"]] == list(range(10))


async def test_a_cursor_of_another_range_is_refused(world: World) -> None:
    for number in range(10):
        world.readings.put("acme", "truck-1", NOW - 10_000 + number * 1000, number)
    async with world.client() as client:
        first = (await client.get(PATH, params={"metric": "temperature", "limit": 5})).json()
        answer = await client.get(
            PATH, params={"metric": "temperature", "cursor": first["next_cursor"], "end": at(NOW - HOUR)}
        )
        devices = await client.get("/v1/devices", params={"cursor": first["next_cursor"]})
    for refused in (answer, devices):
        assert refused.status_code == 422
        assert refused.json()["errors"][0]["field"] == "cursor"


async def test_a_small_page_of_a_long_range_is_a_small_read(world: World) -> None:
    start = NOW - 7 * 24 * HOUR
    for number in range(100):
        world.readings.put("acme", "truck-1", start + number * 1000, number)
    async with world.client() as client:
        params: dict[str, str | int] = {"metric": "temperature", "start": at(start), "end": at(NOW), "limit": 10}
        page = (await client.get(PATH, params=params)).json()
    assert len(page["readings"]) == 10
    assert world.readings.widest <= HOUR


async def test_a_change_of_unit_ends_the_page(world: World) -> None:
    changed = NOW - HOUR
    world.readings.unit = lambda ts: "Cel" if ts < changed else "K"
    for ts in range(NOW - 2 * HOUR, NOW, 600_000):
        world.readings.put("acme", "truck-1", ts, 1.0)
    async with world.client() as client:
        params = {"metric": "temperature", "start": at(NOW - 2 * HOUR), "end": at(NOW)}
        first = (await client.get(PATH, params=params)).json()
        second = (await client.get(PATH, params=params | {"cursor": first["next_cursor"]})).json()
    assert (first["unit"], len(first["readings"])) == ("Cel", 6)
    assert (second["unit"], len(second["readings"])) == ("K", 6)


@given(offsets=st.sets(st.integers(0, 3 * 24 * HOUR), max_size=60), limit=st.integers(1, 20), hours=st.integers(1, 72))
@settings(max_examples=40)
async def test_pages_hold_every_reading_once_in_order(offsets: set[int], limit: int, hours: int) -> None:
    world = World()
    start = NOW - hours * HOUR
    for offset in offsets:
        world.readings.put("acme", "truck-1", NOW - offset, float(offset))
    async with world.client() as client:
        params = {"metric": "temperature", "start": at(start), "end": at(NOW), "limit": str(limit)}
        pages = await walk(client, PATH, params, "readings")
    got = [each["ts"] for page in pages for each in page if isinstance(each, dict)]
    assert got == [at(NOW - offset) for offset in sorted(offsets, reverse=True) if start <= NOW - offset < NOW]
    assert all(len(page) <= limit for page in pages)


async def test_lists_of_devices_and_incidents_are_walked_without_double(world: World) -> None:
    for number in range(23):
        world.devices.put("acme", f"van-{number:02d}")
        state = "open" if number % 2 else "resolved"
        world.incidents.put("acme", f"019a0c2e-5f2b-7c3d-9e4f-0000000000{number:02d}", state=state)
    async with world.client() as client:
        devices = await walk(client, "/v1/devices", {"limit": "4"}, "items")
        opened = await walk(client, "/v1/incidents", {"limit": "4", "state": "open"}, "items")
        every = await walk(client, "/v1/incidents", {"limit": "5"}, "items")
    names = [each["device"] for page in devices for each in page if isinstance(each, dict)]
    assert names == ["truck-1", "truck-2", *(f"van-{number:02d}" for number in range(23))]
    assert [len(page) for page in opened] == [4, 4, 3]
    ids = [each["incident_id"] for page in every for each in page if isinstance(each, dict)]
    assert ids == sorted(set(ids), reverse=True)
    assert len(ids) == 23


async def test_the_forecast_that_was_known_then(world: World) -> None:
    for minutes in (0, 5, 10):
        world.forecasts.put("acme", "truck-1", NOW - minutes * 60_000)
    path = "/v1/devices/truck-1/forecasts"
    async with world.client() as client:
        newest = await client.get(path, params={"metric": "temperature"})
        earlier = await client.get(path, params={"metric": "temperature", "known_at": at(NOW - 6 * 60_000)})
        never = await client.get(path, params={"metric": "temperature", "known_at": at(NOW - HOUR)})
    assert newest.json()["known_at"] == at(NOW)
    assert earlier.json()["known_at"] == at(NOW - 600_000)
    assert never.status_code == 404


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 10_000), st.floats(-1e6, 1e6)), min_size=1, max_size=300),
    st.integers(FEWEST, 100),
    st.sampled_from(Method),
)
def test_fewer_points_keep_the_ends_and_the_extremes(
    steps: list[tuple[int, float]], points: int, method: Method
) -> None:
    ts = list(itertools.accumulate(step for step, _ in steps))
    value = [each for _, each in steps]
    kept = chosen(ts, value, points=points, method=method)
    assert len(kept) <= points
    assert kept == sorted(set(kept))
    assert {0, len(ts) - 1} <= set(kept)
    if method is Method.MINMAX:
        shown = [value[at] for at in kept]
        assert (min(shown), max(shown)) == (min(value), max(value))


async def test_a_thinned_range_is_one_page_that_shows_every_peak(world: World) -> None:
    for number in range(3_600):
        world.readings.put("acme", "truck-1", NOW - HOUR + number * 1000, 4.0 + number % 7 / 10)
    world.readings.put("acme", "truck-1", NOW - 1_234_000, 25.5)
    async with world.client() as client:
        for method in ("minmax", "lttb"):
            params: dict[str, str | int] = {"metric": "temperature", "points": 100, "method": method}
            page = (await client.get(PATH, params=params)).json()
            assert page["thinned_from"] == 3_600
            assert len(page["readings"]) <= 100
            assert max(each["value"] for each in page["readings"]) == 25.5
            assert (page["readings"][0]["ts"], page["next_cursor"]) == (at(NOW - HOUR), None)
        few = (await client.get(PATH, params={"metric": "temperature", "points": 5_000})).json()
    assert (few["thinned_from"], len(few["readings"])) == (None, 3_600)
