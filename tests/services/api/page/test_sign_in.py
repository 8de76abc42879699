"""Signing in: with a link, with a key, and with one that opens nothing."""

import re

import pytest
from playwright.async_api import expect
from tests.services.api.page.browser import Browsing
from tests.services.api.page.scene import Scene

from sensorcast_common.tables.api_keys import Role

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_link_signs_in_and_leaves_no_key_in_the_address(scene: Scene, browsing: Browsing) -> None:
    async with browsing() as page:
        await page.goto(scene.link())
        await expect(page.get_by_role("heading", name="1 device needs attention")).to_be_visible()
        assert page.url == f"{scene.address}/"
        assert await page.evaluate("Object.keys(localStorage).length") == 0
        await page.reload()
        await expect(page.get_by_role("link", name="truck-2").first).to_be_visible()
        await page.get_by_role("button", name="Sign out").click()
        await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        assert await page.evaluate("Object.keys(sessionStorage).length") == 0


async def test_a_link_signs_in_also_where_the_page_is_open(scene: Scene, browsing: Browsing) -> None:
    async with browsing() as page:
        await page.goto(scene.address)
        await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        await page.goto(scene.link())
        await expect(page.get_by_role("heading", name="1 device needs attention")).to_be_visible()
        assert page.url == f"{scene.address}/"


async def test_a_key_is_typed_and_a_wrong_one_refused_in_words(scene: Scene, browsing: Browsing) -> None:
    key = scene.world.keys.make("acme", Role.VIEWER, expires_at=scene.world.now + 1000 * 3600)
    async with browsing() as page:
        await page.goto(scene.address)
        await page.get_by_role("button", name="Sign in").click()
        await expect(page.get_by_role("alert")).to_have_text("Enter your API key.")
        await page.get_by_label("API key", exact=True).fill("sc_" + "x" * 43)
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("alert")).to_have_text(re.compile("opens nothing"))
        await page.get_by_label("API key", exact=True).fill(key)
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", name="1 device needs attention")).to_be_visible()


async def test_a_key_that_is_revoked_while_the_page_is_open_ends_the_session(scene: Scene, browsing: Browsing) -> None:
    link = scene.link()
    async with browsing() as page:
        await page.goto(link)
        await expect(page.get_by_role("link", name="truck-1").first).to_be_visible()
        scene.world.keys.take_back(link.rpartition("=")[2])
        scene.world.monotonic += 3600
        await page.get_by_role("link", name="Rules").click()
        await expect(page.get_by_role("alert")).to_have_text(re.compile("no longer valid"))


async def test_an_address_of_a_view_opens_that_view(scene: Scene, browsing: Browsing) -> None:
    async with browsing() as page:
        await page.goto(scene.link(path="/devices/truck-1"))
        await expect(page.get_by_role("heading", name="truck-1", exact=True)).to_be_visible()
        await page.get_by_role("navigation", name="Main").get_by_role("link", name="Fleet").click()
        await expect(page.get_by_role("heading", name="1 device needs attention")).to_be_visible()
        await page.go_back()
        await expect(page.get_by_role("heading", name="truck-1", exact=True)).to_be_visible()
