"""A quick route answers as FastAPI's own does, also where something is wrong."""

from enum import StrEnum
from typing import Annotated

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, Header, Query, Request
from fastapi.routing import APIRoute
from pydantic import BaseModel
from tests.services.api.fakes import World

from sensorcast_api import problems
from sensorcast_api.parameters import DevicePath, Time
from sensorcast_api.problems import ProblemError
from sensorcast_api.quick_route import QuickRoute
from sensorcast_common.clock import UtcDatetime


class Size(StrEnum):
    SMALL = "small"
    GREAT = "great"


class Told(BaseModel):
    device: str
    start: UtcDatetime | None
    limit: int
    size: Size
    label: list[str]
    caller: str


async def _caller(request: Request) -> str:
    if "x-nobody" in request.headers:
        raise ProblemError(403, "Nobody is let in.")
    return request.headers.get("x-name", "")


async def tell(
    caller: Annotated[str, Depends(_caller)],
    device: DevicePath,
    start: Time | None = None,
    limit: Annotated[int, Query(ge=1, le=10, alias="most")] = 5,
    size: Size = Size.SMALL,
    label: Annotated[list[str], Query()] = [],  # noqa: B006 - FastAPI copies it
) -> Told:
    return Told(device=device, start=start, limit=limit, size=size, label=label, caller=caller)


def application() -> FastAPI:
    app = FastAPI()
    problems.install(app)
    for name, kind in (("quick", QuickRoute), ("thorough", APIRoute)):
        router = APIRouter(prefix=f"/{name}", route_class=kind)
        router.get("/{device}")(tell)
        app.router.routes.extend(router.routes)
    return app


@pytest.mark.parametrize(
    "rest",
    [
        "truck-1",
        "truck-1?most=3&size=great&start=2026-05-28T20:26:40%2B02:00",
        "truck-1?most=",
        "truck-1?most=11",
        "truck-1?most=3&most=4",
        "truck-1?most=x&size=tiny",
        "truck-1?size=",
        "truck-1?start=yesterday",
        "truck-1?label=a",
        "truck-1?label=a&label=b",
        "truck-1?unknown=1",
        "truck-1?most=3%",
        "truck%201",
        "%E4",
        "-",
    ],
)
@pytest.mark.parametrize("headers", [{"x-name": "anna"}, {"x-nobody": "1"}])
async def test_both_ways_answer_alike(rest: str, headers: dict[str, str]) -> None:
    transport = httpx.ASGITransport(application())
    async with httpx.AsyncClient(transport=transport, base_url="http://api", headers=headers) as client:
        quick, thorough = [await client.get(f"/{name}/{rest}") for name in ("quick", "thorough")]
    assert (quick.status_code, quick.content) == (thorough.status_code, thorough.content)
    assert quick.headers["content-type"] == thorough.headers["content-type"]


def test_what_takes_more_than_path_query_and_caller_is_no_quick_route() -> None:
    async def more(request: Request, name: Annotated[str, Header()]) -> str:
        return name + request.url.path

    plain = QuickRoute("/{device}", tell)
    assert plain.app != plain.thorough
    route = QuickRoute("/", more)
    assert route.app == route.thorough


def test_what_is_asked_most_is_quick(world: World) -> None:
    quick = {route.path for route in world.app.routes if isinstance(route, QuickRoute) and route.app != route.thorough}
    assert {"/v1/devices/{device}", "/v1/devices/{device}/readings", "/v1/devices"} <= quick
    assert "/v1/devices/{device}/labels" not in quick
