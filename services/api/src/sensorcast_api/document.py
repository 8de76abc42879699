"""The OpenAPI document: FastAPI's, with what stands before all routes: credentials, problems, keys of writes."""

from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from sensorcast_api import examples, problems
from sensorcast_api.idempotency import HEADER, KEY_PATTERN, WRITES

_IDEMPOTENCY_KEY: Final = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "description": (
        "Names this write, so that it is done once however often it is sent: for a day the first answer comes again. "
        "Another request under the same name is a 422, one that is under way a 409."
    ),
    "schema": {"type": "string", "pattern": f"^{KEY_PATTERN}$", "examples": ["4a7f9c1e"]},
}


def of(app: FastAPI) -> dict[str, Any]:
    """The document of an application, made once."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            routes=app.routes,
            openapi_version="3.1.0",
        )
        schemas = document["components"]["schemas"]
        for operations in document["paths"].values():
            for method, operation in operations.items():
                _complete(method, operation)
        document["components"]["securitySchemes"] = {
            "bearer": {
                "type": "http",
                "scheme": "bearer",
                "description": "An API key (`sc_...`) or a token of the issuer.",
            },
            "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "An API key (`sc_...`)."},
        }
        # FastAPI describes its own validation errors; ours are problems.
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        model = problems.Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas.update(model.pop("$defs", {}))
        schemas["Problem"] = model
        app.openapi_schema = document
    return app.openapi_schema


def _complete(method: str, operation: dict[str, Any]) -> None:
    """Say of an operation what no route says of itself."""
    operation["security"] = [{"bearer": []}, {"apiKey": []}]
    # FastAPI calls a stream a string; OpenAPI 3.1 has no word for one event of it.
    operation["responses"].get("200", {}).get("content", {}).get("text/event-stream", {}).pop("schema", None)
    if method.upper() in WRITES:
        operation.setdefault("parameters", []).append(_IDEMPOTENCY_KEY)
        operation["responses"].setdefault("409", examples.problems(409)[409])
