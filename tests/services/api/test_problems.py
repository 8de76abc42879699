"""Every error is a problem that names what is wrong and no internals."""

import pytest
from tests.services.api.fakes import World

from sensorcast_common.forecast import Forecast
from sensorcast_common.reading import SeriesKey
from sensorcast_common.tables.api_keys import Role

READINGS = "/v1/devices/truck-1/readings"


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/v1/devices?limit=0", "limit"),
        ("/v1/devices?limit=201", "limit"),
        ("/v1/devices?limit=ten", "limit"),
        ("/v1/devices?cursor=rubbish", "cursor"),
        ("/v1/devices?cursor=%F0%9F%98%80", "cursor"),
        ("/v1/devices?cursor=" + "A" * 2000, "cursor"),
        ("/v1/devices/-no-name", "device"),
        (READINGS, "metric"),
        (f"{READINGS}?metric=a%23b", "metric"),
        (f"{READINGS}?metric=temperature&start=yesterday", "start"),
        (f"{READINGS}?metric=temperature&start=1780000000", "start"),
        (f"{READINGS}?metric=temperature&start=2026-01-31T08:15:00", "start"),
        (f"{READINGS}?metric=temperature&start=2026-13-31T08:15:00Z", "start"),
        (f"{READINGS}?metric=temperature&start=1999-01-31T08:15:00Z", "start"),
        (f"{READINGS}?metric=temperature&end=2101-01-31T08:15:00Z", "end"),
        (f"{READINGS}?metric=temperature&start=2026-02-01T00:00:00Z&end=2026-02-01T00:00:00Z", "end"),
        (f"{READINGS}?metric=temperature&start=2026-02-01T00:00:00Z&end=2026-02-09T00:00:00Z", "start"),
        (f"{READINGS}?metric=temperature&limit=10001", "limit"),
        ("/v1/devices/truck-1/forecasts", "metric"),
        ("/v1/devices/truck-1/forecasts?metric=temperature&known_at=now", "known_at"),
        ("/v1/incidents?state=half-open", "state.0"),
        ("/v1/incidents/7", "incident_id"),
        ("/v1/rules/-", "rule_id"),
        ("/v1/events?kind=gossip", "kind.0"),
        ("/v1/events?device=a%2Fb", "device.0"),
    ],
)
async def test_a_bad_parameter_is_named(world: World, path: str, field: str) -> None:
    async with world.client() as client:
        answer = await client.get(path)
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["type"] == "urn:sensorcast:problem:invalid-request"
    assert [each["field"] for each in problem["errors"]] == [field]
    assert problem["detail"].startswith(f"{field}: ")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"condition": {"above": 8}}, "name"),
        ({"name": "x" * 81, "condition": {"above": 8}}, "name"),
        ({"name": "r", "condition": {}}, "condition"),
        ({"name": "r", "condition": {"above": 1, "below": 2}}, "condition"),
        ({"name": "r", "condition": {"above": 1, "hold_seconds": -1}}, "condition.hold_seconds"),
        ({"name": "r", "condition": {"above": 1}, "sms": ["110"]}, "sms.0"),
        ({"name": "r", "condition": {"above": 1}, "device": "#"}, "device"),
        ({"name": "r", "condition": {"above": 1}, "tenant": "other"}, "tenant"),
    ],
)
async def test_a_bad_rule_is_named(world: World, body: dict[str, object], field: str) -> None:
    async with world.client(role=Role.OPERATOR) as client:
        answer = await client.put("/v1/rules/r1", json=body)
    assert answer.status_code == 422
    assert [(each["place"], each["field"]) for each in answer.json()["errors"]] == [("body", field)]


async def test_a_body_that_is_no_json_is_a_problem(world: World) -> None:
    async with world.client(role=Role.OPERATOR) as client:
        answer = await client.put("/v1/rules/r1", content=b"{", headers={"Content-Type": "application/json"})
        no_text = await client.put("/v1/rules/r1", content=b"<\xf3M", headers={"Content-Type": "application/json"})
        too_large = await client.put("/v1/rules/r1", json={"name": "x" * 70_000})
    for refused in (answer, no_text):
        assert refused.status_code == 422
        assert refused.json()["errors"] == [{"place": "body", "field": "body", "message": "not JSON"}]
    assert too_large.status_code == 413
    assert too_large.headers["content-type"] == "application/problem+json"


async def test_unknown_paths_and_methods_are_problems(world: World) -> None:
    async with world.client() as client:
        nowhere = await client.get("/v1/nowhere")
        wrong = await client.post("/v1/devices")
        several = await client.request("TRACE", "/v1/rules/too-warm")
        named = await client.request("TRACE", "/v1/rules/test")
    assert (nowhere.status_code, wrong.status_code) == (404, 405)
    assert wrong.headers["allow"] == "GET"
    assert (several.status_code, several.headers["allow"]) == (405, "DELETE, GET, PUT")
    assert (named.status_code, named.headers["allow"]) == (405, "POST")
    for answer in (nowhere, wrong):
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["correlation_id"] == answer.headers["x-request-id"]


async def test_a_failure_of_ours_shows_its_correlation_id_and_nothing_else(world: World) -> None:
    async def broken(series: SeriesKey) -> Forecast | None:
        raise RuntimeError("secret detail of the store")

    world.forecasts.latest = broken  # type: ignore[method-assign] # the fake breaks, as a store may
    async with world.client() as client:
        answer = await client.get(
            "/v1/devices/truck-1/forecasts?metric=temperature", headers={"X-Request-Id": "from-the-proxy-1"}
        )
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["correlation_id"] == "from-the-proxy-1"
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_security_headers_are_on_every_answer(world: World) -> None:
    async with world.client() as client:
        for path in ("/v1/devices", "/v1/nowhere", "/openapi.json", "/docs"):
            headers = (await client.get(path)).headers
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["x-frame-options"] == "DENY"
            assert "frame-ancestors 'none'" in headers["content-security-policy"]
            assert "unsafe-eval" not in headers["content-security-policy"]
            assert "access-control-allow-origin" not in headers


async def test_a_foreign_request_id_is_not_taken_over(world: World) -> None:
    async with world.client() as client:
        answer = await client.get("/v1/devices", headers={"X-Request-Id": "a b\tc<script>"})
    assert "<" not in answer.headers["x-request-id"]
