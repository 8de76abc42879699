"""The ASGI application: routes, errors and what surrounds them."""

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Final

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from sensorcast_api import document, problems
from sensorcast_api.answers import Answers
from sensorcast_api.fleet.overview import FleetOverview
from sensorcast_api.gate import Gate
from sensorcast_api.idempotency import Idempotent
from sensorcast_api.kept import AnswerCache
from sensorcast_api.middleware import RequestScope
from sensorcast_api.routes import (
    dashboards,
    devices,
    escalations,
    events,
    fleet,
    forecasts,
    incidents,
    keys,
    me,
    notices,
    pages,
    products,
    quarantine,
    readings,
    recipients,
    rehearsal,
    rules,
    series,
    silences,
    skill,
    status,
)
from sensorcast_api.routes.history import aggregates as past_aggregates
from sensorcast_api.routes.history import export as past_export
from sensorcast_api.routes.history import readings as past_readings
from sensorcast_api.routes.page import BUILT, page_router
from sensorcast_api.services import Services
from sensorcast_api.status.pipeline import Pipeline

_DESCRIPTION: Final = """
Sensor readings, forecasts and incidents of one tenant: the one that the API key belongs to.

Times are RFC 3339 in UTC. Lists are paged by cursor. Errors are `application/problem+json` (RFC 9457).
"""

_SENT_HEADERS: Final = [
    "Authorization",
    "X-API-Key",
    "Content-Type",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "Last-Event-ID",
    "X-Request-Id",
]
"""Headers that a page of another origin may send."""


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
    app.state.pipeline = Pipeline(services.stores, clock=services.clock)
    problems.install(app)
    resources: set[str] = set()
    for module in (
        devices,
        readings,
        fleet,
        me,
        series,
        past_readings,
        past_aggregates,
        past_export,
        dashboards,
        forecasts,
        skill,
        incidents,
        notices,
        rules,
        rehearsal,
        recipients,
        escalations,
        silences,
        products,
        quarantine,
        status,
        keys,
        events,
        pages,
    ):
        # Their routes as they are: an included router is matched twice for each request.
        app.router.routes.extend(module.router.routes)
        resources.update(map(str, module.router.tags))
    app.state.resources = frozenset(resources)
    app.include_router(page_router(page, dashboards=services.dashboards is not None))
    # The last one added is the outermost.
    app.add_middleware(Idempotent, store=services.stores.idempotency, clock=services.clock)
    app.add_middleware(Answers, cache=AnswerCache(seconds=services.limits.answer_seconds), hub=services.hub)
    app.add_middleware(Gate, credentials=services.credentials, rates=services.rates, metrics=services.metrics)
    if cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(cors_origins),
            allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=_SENT_HEADERS,
            expose_headers=["ETag", "Link", "Location", "Retry-After", "X-Request-Id", "Idempotency-Replayed"],
            max_age=600,
        )
    app.add_middleware(RequestScope, metrics=services.metrics)
    app.openapi = lambda: document.of(app)  # type: ignore[method-assign] # FastAPI's documented way to change the document
    return app
