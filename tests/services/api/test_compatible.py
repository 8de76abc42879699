"""The document that clients know is kept, and nothing changes in it that would break them."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.services.api.compatible import Comparison
from tests.services.api.openapi_document import generated, known

Change = Callable[[dict[str, Any]], object]


def test_no_client_is_broken_and_the_kept_document_says_what_is() -> None:
    current = generated()
    assert Comparison(known(), json.loads(current)).breaks() == []
    assert known() == json.loads(current), "the document has changed compatibly: `make openapi` writes it down"


def paths(document: dict[str, Any], path: str, method: str = "get") -> dict[str, Any]:
    operation: dict[str, Any] = document["paths"][path][method]
    return operation


def schema(document: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = document["components"]["schemas"][name]
    return found


BREAKING: list[tuple[str, Change]] = [
    ("GET /v1/devices: is gone", lambda new: new["paths"].pop("/v1/devices")),
    ("GET /v1/devices limit: is gone", lambda new: paths(new, "/v1/devices")["parameters"].clear()),
    (
        "GET /v1/devices page: is required now",
        lambda new: paths(new, "/v1/devices")["parameters"].append(
            {"in": "query", "name": "page", "required": True, "schema": {"type": "string"}}
        ),
    ),
    ("GET /v1/devices 200.items[].device: is gone", lambda new: schema(new, "Device")["properties"].pop("device")),
    (
        "GET /v1/devices 200.items[].device: may be missing now",
        lambda new: schema(new, "Device")["required"].remove("device"),
    ),
    (
        "GET /v1/devices 200.items[].device: null may come now",
        lambda new: schema(new, "Device")["properties"].update(
            device={"anyOf": [{"type": "string"}, {"type": "null"}]}
        ),
    ),
    ("POST /v1/keys body.owner: is required now", lambda new: schema(new, "KeyBody")["required"].append("owner")),
    (
        "POST /v1/keys body.name: maxLength is 10 now",
        lambda new: schema(new, "KeyBody")["properties"]["name"].update(maxLength=10),
    ),
    ("POST /v1/keys body.role: viewer is not taken now", lambda new: schema(new, "Role")["enum"].remove("viewer")),
    ("POST /v1/keys 201: is gone", lambda new: paths(new, "/v1/keys", "post")["responses"].pop("201")),
]


@pytest.mark.parametrize(("said", "change"), BREAKING, ids=[said for said, _ in BREAKING])
def test_what_breaks_a_client_is_named(said: str, change: Change) -> None:
    old = json.loads(generated())
    new = copy.deepcopy(old)
    change(new)
    assert said in Comparison(old, new).breaks()


def test_what_a_client_may_ignore_breaks_nothing() -> None:
    old = json.loads(generated())
    new = copy.deepcopy(old)
    schema(new, "Device")["properties"]["colour"] = {"type": "string"}
    schema(new, "Device")["required"].append("colour")
    schema(new, "KeyBody")["properties"]["note"] = {"type": "string"}
    schema(new, "KeyBody")["properties"]["name"]["maxLength"] = 200
    schema(new, "IncidentState")["enum"].append("postponed")
    paths(new, "/v1/devices")["parameters"].append({"in": "query", "name": "x", "schema": {"type": "string"}})
    new["paths"]["/v1/new"] = {"get": {"responses": {}}}
    assert Comparison(old, new).breaks() == []
