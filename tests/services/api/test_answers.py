"""What every answer goes through: ETags, packing, tables."""

import csv
import gzip
import io

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from tests.services.api.fakes import NOW, World

from sensorcast_api import table
from sensorcast_api.answers import matches
from sensorcast_api.encoding import choose, qualities
from sensorcast_api.kept import AnswerCache, KeptAnswer
from sensorcast_api.services import Limits
from sensorcast_api.stream.hub import Kind, LiveEvent
from sensorcast_common.tables.api_keys import Role

CSV = {"Accept": "text/csv"}


async def test_an_answer_that_the_client_has_is_not_sent_again(world: World) -> None:
    async with world.client() as client:
        first = await client.get("/v1/devices/truck-1")
        etag = first.headers["etag"]
        same = await client.get("/v1/devices/truck-1", headers={"If-None-Match": f'"x", {etag}'})
        assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", etag)
        assert "content-type" not in same.headers
        assert first.headers["cache-control"] == "private, no-cache"
        assert {"Authorization", "Accept"} <= set(first.headers["vary"].split(", "))
        device = world.devices.items["acme", "truck-1"]
        world.devices.items["acme", "truck-1"] = device.model_copy(update={"labels": {"site": "south"}})
        changed = await client.get("/v1/devices/truck-1", headers={"If-None-Match": etag})
        assert (changed.status_code, changed.json()["labels"]) == (200, {"site": "south"})
        missing = await client.get("/v1/devices/truck-0", headers={"If-None-Match": "*"})
        assert (missing.status_code, missing.headers["cache-control"]) == (404, "no-store")


@pytest.mark.parametrize(("taken", "coding"), [("gzip, zstd", "zstd"), ("gzip, zstd;q=0.1", "gzip"), ("br", None)])
async def test_long_answers_are_packed_as_the_client_takes_them(world: World, taken: str, coding: str | None) -> None:
    for number in range(40):
        world.devices.put("acme", f"van-{number}")
    async with world.client() as client:
        plain = await client.get("/v1/devices", headers={"Accept-Encoding": "identity"})
        request = client.build_request("GET", "/v1/devices", headers={"Accept-Encoding": taken})
        answer = await client.send(request, stream=True)
        raw = b"".join([piece async for piece in answer.aiter_raw()])
        assert "content-encoding" not in (await client.get("/v1/me")).headers
    assert answer.headers.get("content-encoding") == coding
    assert int(answer.headers["content-length"]) == len(raw)
    unpack = {
        "zstd": lambda data: zstandard.ZstdDecompressor().decompressobj().decompress(data),
        "gzip": gzip.decompress,
    }
    assert unpack.get(str(coding), bytes)(raw) == plain.content
    assert answer.headers["etag"] == plain.headers["etag"]


@given(st.text(max_size=60))
def test_no_header_is_too_strange(text: str) -> None:
    assert all(0 <= weight <= 1 for weight in qualities(text).values())
    assert choose(text) in (None, "gzip", "zstd")
    assert isinstance(table.wanted(text), bool)
    assert matches(text, 'W/"a"') in (True, False)


def test_refused_codings_are_not_used() -> None:
    assert choose("*") == "zstd"
    assert choose("*, zstd;q=0") == "gzip"
    assert choose("identity, *;q=0") is None
    assert choose("") is None


def test_a_table_comes_to_those_who_ask_for_one() -> None:
    assert table.wanted("text/csv")
    assert table.wanted("text/csv, */*;q=0.8")
    assert table.wanted("application/json;q=0.5, text/csv")
    assert not table.wanted("application/json, text/csv")
    assert not table.wanted("text/csv;q=0")
    assert not table.wanted("*/*")


async def test_readings_as_a_table_lead_to_the_next_page(world: World) -> None:
    for number in range(3):
        world.readings.put("acme", "truck-1", NOW - 3000 + number * 1000, number + 0.1)
    async with world.client() as client:
        params: dict[str, str | int] = {"metric": "temperature", "limit": 2}
        answer = await client.get("/v1/devices/truck-1/readings", params=params, headers=CSV)
        assert answer.headers["content-type"].startswith("text/csv")
        link = answer.headers["link"]
        assert link.endswith('>; rel="next"')
        rest = await client.get(link[1 : link.index(">")], headers=CSV)
    rows = list(csv.DictReader(io.StringIO(answer.text))) + list(csv.DictReader(io.StringIO(rest.text)))
    assert list(rows[0]) == ["device", "metric", "unit", "ts", "value"]
    assert [float(row["value"]) for row in rows] == [0.1, 1.1, 2.1]
    assert "link" not in rest.headers


async def test_every_list_is_a_table_and_nothing_in_it_is_a_formula(world: World) -> None:
    incident = world.incidents.put("acme", "019a0c2e-5f2b-7c3d-9e4f-000000000001")
    named = incident.model_copy(update={"rule_name": '=HYPERLINK("http://x")', "tenant": "acme"})
    world.incidents.items["acme", incident.incident_id] = named
    async with world.client() as client:
        incidents = await client.get("/v1/incidents", headers=CSV)
        devices = await client.get("/v1/devices", headers=CSV)
        single = await client.get("/v1/devices/truck-1", headers=CSV)
        problem = await client.get("/v1/devices?limit=0", headers=CSV)
    row = next(csv.DictReader(io.StringIO(incidents.text)))
    assert row["rule_name"] == '\'=HYPERLINK("http://x")'
    assert next(csv.DictReader(io.StringIO(devices.text)))["metrics.temperature.last_value"] == "4.2"
    assert single.headers["content-type"] == "application/json"
    assert problem.headers["content-type"] == "application/problem+json"


async def test_what_was_just_answered_is_answered_again_until_something_changes() -> None:
    world = World(limits=Limits(answer_seconds=60))
    incident = world.incidents.put("acme", "019a0c2e-5f2b-7c3d-9e4f-000000000001")
    async with (
        world.client() as client,
        world.client() as colleague,
        world.client(role=Role.OPERATOR) as operator,
        world.client(tenant="other") as other,
    ):
        first = await client.get("/v1/devices")
        world.devices.put("acme", "van-1")
        same = await colleague.get("/v1/devices")
        assert (same.content, same.headers["etag"]) == (first.content, first.headers["etag"])
        assert same.headers["x-request-id"] != first.headers["x-request-id"]
        again = await client.get("/v1/devices", headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert "van-1" in (await operator.get("/v1/devices")).text
        assert {each["tenant"] for each in (await other.get("/v1/devices")).json()["items"]} == {"other"}
        await operator.patch("/v1/devices/truck-1/labels", json={"labels": {"site": "south"}})
        assert "van-1" in (await client.get("/v1/devices")).text
        assert (await client.get("/v1/me")).json()["key_id"] != (await colleague.get("/v1/me")).json()["key_id"]
        before = (await client.get("/v1/incidents")).content
        world.incidents.items.clear()
        assert (await client.get("/v1/incidents")).content == before
        world.services.hub.publish(LiveEvent(Kind.INCIDENT, "acme", incident.device, NOW, b""))
        assert (await client.get("/v1/incidents")).json()["items"] == []
        assert (await client.get("/v1/devices/truck-0")).status_code == 404
        world.devices.put("acme", "truck-0")
        assert (await client.get("/v1/devices/truck-0")).status_code == 200


def test_what_is_kept_is_bounded_in_bytes_and_time() -> None:
    now = 0.0
    cache = AnswerCache(seconds=1, capacity=10_000, monotonic=lambda: now)
    for number in range(20):
        cache.keep(number, KeptAnswer((), b"x" * 1_000, "", None))
    assert [number for number in range(20) if cache.find(number)] == [16, 17, 18, 19]
    now = 1.0
    assert cache.find(19) is None
    assert not AnswerCache(seconds=0).keeps
