"""The OpenAPI document is valid, its examples too, and its page needs nobody else's server."""

import re
from collections.abc import Iterator
from typing import cast

import pytest
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from tests.services.api.fakes import World

Json = dict[str, "object"]


def document(world: World) -> Json:
    return cast("Json", world.app.openapi())


def examples(spec: Json) -> Iterator[tuple[str, Json, object]]:
    """Where an example is, the schema it must fit, and the example."""
    for path, operations in cast("dict[str, dict[str, Json]]", spec["paths"]).items():
        for method, operation in operations.items():
            for status, response in cast("dict[str, Json]", operation["responses"]).items():
                for media in cast("dict[str, Json]", response.get("content", {})).values():
                    if "example" in media:
                        yield f"{method} {path} {status}", cast("Json", media.get("schema", {})), media["example"]
            for parameter in cast("list[Json]", operation.get("parameters", [])):
                schema = cast("Json", parameter["schema"])
                for example in cast("list[object]", schema.get("examples", [])):
                    yield f"{method} {path} {parameter['name']}", schema, example
    for name, schema in cast("dict[str, Json]", cast("Json", spec["components"])["schemas"]).items():
        for example in cast("list[object]", schema.get("examples", [])):
            yield name, schema, example


def test_the_document_is_valid_openapi_3_1(world: World) -> None:
    spec = document(world)
    assert str(spec["openapi"]).startswith("3.1")
    OpenAPIV31SpecValidator(spec).validate()


def test_every_example_fits_its_schema(world: World) -> None:
    spec = document(world)
    found = list(examples(spec))
    assert len(found) > 30
    for where, schema, example in found:
        validator = OAS31Validator({**schema, "components": spec["components"]})
        problems = [error.message for error in validator.iter_errors(example)]
        assert not problems, where


def test_every_read_shows_an_example_and_every_route_its_problems(world: World) -> None:
    for path, operations in cast("dict[str, dict[str, Json]]", document(world)["paths"]).items():
        for method, operation in operations.items():
            responses = cast("dict[str, Json]", operation["responses"])
            assert {"401", "422"} <= responses.keys(), (method, path)
            assert operation["security"], (method, path)
            if "200" in responses:
                media = cast("dict[str, Json]", responses["200"]["content"])
                # Binary files are described by their text form.
                assert any("example" in each for each in media.values()), (method, path)
                assert all("example" in each for name, each in media.items() if "vnd" not in name), (method, path)
            for status, response in responses.items():
                if status >= "400":
                    assert list(cast("Json", response["content"])) == ["application/problem+json"], (method, path)


async def test_the_page_loads_from_this_server_alone(world: World) -> None:
    async with world.client(key="") as client:
        page = await client.get("/docs")
        policy = page.headers["content-security-policy"]
        assert "script-src 'self';" in policy
        assert "default-src 'none'" in policy
        assert "<script>" not in page.text
        linked = re.findall(r'(?:src|href)="([^"]+)"', page.text)
        assert len(linked) == 4
        for address in linked:
            assert address.startswith("/"), address
            answer = await client.get(address)
            assert answer.status_code == 200, address
            assert len(answer.content) > 50


@pytest.mark.parametrize("path", ["/docs/../pages.py", "/docs/redoc.standalone.js", "/docs/..%2fcore.py"])
async def test_no_other_file_is_served(world: World, path: str) -> None:
    async with world.client(key="") as client:
        assert (await client.get(path)).status_code == 404
