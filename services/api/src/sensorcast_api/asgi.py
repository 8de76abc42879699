"""The ASGI application: routes, errors, security headers and the OpenAPI document."""

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.openapi.utils import get_openapi

from sensorcast_api import problems
from sensorcast_api.fleet.overview import FleetOverview
from sensorcast_api.middleware import RequestScope
from sensorcast_api.routes import (
    devices,
    events,
    fleet,
    forecasts,
    history,
    incidents,
    me,
    pages,
    readings,
    rules,
    skill,
)
from sensorcast_api.routes.page import BUILT, page_router
from sensorcast_api.services import Services

_DESCRIPTION: Final = """
Sensor readings, forecasts and incidents of one tenant: the one that the API key belongs to.

Times are RFC 3339 in UTC. Lists are paged by cursor. Errors are `application/problem+json` (RFC 9457).
"""


def make_app(services: Services, *, cors_origins: Sequence[str] = (), page: Path = BUILT) -> FastAPI:
    """The application.

    Args:
        services: What the routes work with.
        cors_origins: Web origins other than our own whose pages may call the API; none by default.
        page: Where the built page is.
    """
    app = FastAPI(
        title="Sensorcast",
        version=version("sensorcast-api"),
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
    )
    app.state.services = services
    app.state.fleet = FleetOverview(services.stores, clock=services.clock)
    problems.install(app)
    for module in (me, fleet, devices, readings, history, forecasts, skill, incidents, rules, events, pages):
        app.include_router(module.router)
    app.include_router(page_router(page))
    # It leaves event streams alone, and what is packed already.
    app.add_middleware(GZipMiddleware, minimum_size=1024, compresslevel=4)
    if cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(cors_origins),
            allow_methods=["GET", "PUT", "DELETE"],
            allow_headers=["Authorization", "X-API-Key", "Content-Type", "If-Match", "Last-Event-ID", "X-Request-Id"],
            expose_headers=["ETag", "X-Request-Id", "Retry-After"],
            max_age=600,
        )
    app.add_middleware(RequestScope, metrics=services.metrics)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign] # FastAPI's documented way to change the document
    return app


def _openapi(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            routes=app.routes,
            openapi_version="3.1.0",
        )
        schemas = document["components"]["schemas"]
        # FastAPI describes its own validation errors; ours are problems.
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        model = problems.Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas.update(model.pop("$defs", {}))
        schemas["Problem"] = model
        app.openapi_schema = document
    return app.openapi_schema
