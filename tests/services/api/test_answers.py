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
