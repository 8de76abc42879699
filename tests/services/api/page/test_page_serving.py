"""Serving the page: from memory, cached by hash, packed, under a strict policy, and honest where it is not built."""

import gzip
import re
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from tests.services.api.fakes import World

from sensorcast_api.asgi import make_app
from sensorcast_api.routes.page import BUILT, page_router

INDEX = "<!doctype html><title>Sensorcast</title><script type=module src=/assets/index-abc.js></script>"
LARGEST = 400 * 1024


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """A page as Vite builds it."""
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text(INDEX)
    (tmp_path / "assets/index-abc.js").write_text("console.log(1);" * 100)
    (tmp_path / "icon.svg").write_text("<svg/>")
    return tmp_path


def client(app: FastAPI) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api")


async def test_every_view_has_an_address_and_nothing_else_has(world: World, built: Path) -> None:
    async with client(make_app(world.services, page=built)) as browser:
        for path in (
            "/",
            "/devices/truck-1",
            "/incidents",
            "/incidents/1",
            "/rules",
            "/rules/too-warm",
            "/recipients",
            "/silences",
            "/products",
            "/products/vaccine",
            "/escalations",
            "/escalations/night",
            "/keys",
            "/history",
            "/status",
        ):
            answer = await browser.get(path)
            assert answer.text == INDEX, path
            assert answer.headers["cache-control"] == "no-cache"
        for path in ("/nowhere", "/assets/", "/assets/other.js", "/assets/..%2findex.html", "/index.html"):
            answer = await browser.get(path)
            assert answer.status_code == 404, path
            assert answer.headers["content-type"] == "application/problem+json"


async def test_nothing_inline_and_nobody_elses_server(world: World, built: Path) -> None:
    async with client(make_app(world.services, page=built)) as browser:
        policy = (await browser.get("/")).headers["content-security-policy"]
    directives = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert directives["default-src"] == "'none'"
    assert directives["script-src"] == directives["style-src"] == directives["connect-src"] == "'self'"
    assert "unsafe" not in policy
    assert "http" not in policy


async def test_dashboards_may_be_framed_only_where_they_are_configured(built: Path) -> None:
    for dashboards in (False, True):
        app = FastAPI()
        app.include_router(page_router(built, dashboards=dashboards))
        async with client(app) as browser:
            policy = (await browser.get("/history")).headers["content-security-policy"]
        assert ("frame-src https://*.quicksight.aws.amazon.com" in policy) is dashboards


async def test_what_has_a_hash_is_kept_forever_and_the_rest_is_asked_for(world: World, built: Path) -> None:
    async with client(make_app(world.services, page=built)) as browser:
        script = await browser.get("/assets/index-abc.js")
        assert "immutable" in script.headers["cache-control"]
        assert script.headers["content-type"].startswith("text/javascript")
        icon = await browser.get("/icon.svg")
        again = await browser.get("/icon.svg", headers={"If-None-Match": icon.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")


async def test_it_is_packed_where_the_browser_takes_that(world: World, built: Path) -> None:
    async with client(make_app(world.services, page=built)) as browser:
        for accepted, packed in (("gzip, br", True), ("identity", False)):
            answer = await browser.get("/assets/index-abc.js", headers={"Accept-Encoding": accepted})
            assert ("content-encoding" in answer.headers) is packed
            assert answer.text == "console.log(1);" * 100


async def test_a_page_that_is_not_built_is_said_to_be_missing(world: World, tmp_path: Path) -> None:
    async with client(make_app(world.services, page=tmp_path)) as browser:
        answer = await browser.get("/")
        assert answer.status_code == 404
        assert "make web" in answer.text
        assert (await browser.get("/docs")).status_code == 200


def test_the_built_page_is_small_and_refers_to_itself_alone(page_is_built: None) -> None:
    files = [file for file in BUILT.rglob("*") if file.is_file()]
    assert sum(len(gzip.compress(file.read_bytes(), 9)) for file in files) < LARGEST
    index = (BUILT / "index.html").read_text(encoding="utf-8")
    assert not re.search(r"<style|<script(?![^>]* src=)| on\w+=|(src|href)=\"(?!/)", index)
