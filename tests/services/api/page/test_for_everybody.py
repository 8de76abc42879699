"""The page is for everybody: screen readers, keyboards, two languages, light and dark."""

from typing import Literal

import pytest
from playwright.async_api import ViewportSize, expect
from tests.services.api.page.browser import LAPTOP, PHONE, WEB, Browsing, serious_findings
from tests.services.api.page.scene import INCIDENT, Scene

from sensorcast_common.tables.api_keys import Role

VIEWS = [
    "/",
    "/devices/truck-2",
    "/escalations",
    "/escalations/+",
    "/history",
    "/incidents",
    f"/incidents/{INCIDENT}",
    "/keys",
    "/products",
    "/products/+",
    "/recipients",
    "/recipients/+",
    "/rules",
    "/rules/too-warm",
    "/silences",
    "/status",
]

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize(("scheme", "viewport"), [("light", LAPTOP), ("dark", PHONE)])
async def test_axe_finds_nothing_serious(
    scene: Scene, browsing: Browsing, scheme: Literal["light", "dark"], viewport: ViewportSize
) -> None:
    if not (WEB / "node_modules/axe-core").exists():
        pytest.skip("axe-core is not installed: `make web` installs it")
    async with browsing(scheme=scheme, viewport=viewport) as page:
        await page.goto(scene.address)
        await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        assert await serious_findings(page) == []
        await page.goto(scene.link(Role.ADMIN))
        await page.reload()
        for path in VIEWS:
            await page.goto(scene.address + path)
            await expect(page.get_by_role("heading", level=1)).to_be_visible()
            await expect(page.locator(".loading")).to_have_count(0)
            for summary in await page.locator("summary").all():
                await summary.click()
            assert await serious_findings(page) == [], path


async def test_nothing_is_wider_than_a_phone(scene: Scene, browsing: Browsing) -> None:
    async with browsing(viewport=ViewportSize(width=360, height=740), locale="de-DE") as page:
        await page.goto(scene.link(Role.ADMIN))
        await page.reload()
        for path in VIEWS:
            await page.goto(scene.address + path)
            await expect(page.get_by_role("heading", level=1)).to_be_visible()
            width = await page.evaluate("document.documentElement.scrollWidth")
            assert width <= 360, path


async def test_the_language_is_the_browsers_and_can_be_chosen(scene: Scene, browsing: Browsing) -> None:
    async with browsing(locale="de-DE") as page:
        await page.goto(scene.link())
        await expect(page.get_by_role("heading", name="1 Gerät braucht Aufmerksamkeit")).to_be_visible()
        await expect(page.locator(".row-link", has_text="truck-2")).to_contain_text("7,1\u202f°C")
        assert await page.evaluate("document.documentElement.lang") == "de"
        await page.get_by_label("Sprache").select_option("English")
        await expect(page.get_by_role("heading", name="1 device needs attention")).to_be_visible()
        await page.reload()
        await expect(page.get_by_role("heading", name="1 device needs attention")).to_be_visible()


async def test_colours_follow_the_system_and_can_be_chosen(scene: Scene, browsing: Browsing) -> None:
    async with browsing(scheme="dark") as page:
        await page.goto(scene.link())
        background = "getComputedStyle(document.body).backgroundColor"
        assert await page.evaluate(background) == "rgb(13, 19, 26)"
        await page.get_by_role("button", name="Switch to light colours").click()
        assert await page.evaluate(background) == "rgb(243, 245, 247)"
        await page.reload()
        assert await page.evaluate(background) == "rgb(243, 245, 247)"


async def test_the_keyboard_reaches_content_and_devices(scene: Scene, browsing: Browsing) -> None:
    async with browsing() as page:
        await page.goto(scene.link())
        await expect(page.locator(".row-link")).to_have_count(3)
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        assert await page.evaluate("document.activeElement.id") == "main"
        for _ in range(12):
            await page.keyboard.press("Tab")
            if await page.evaluate("document.activeElement.className") == "row-link":
                break
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", name="truck-2", exact=True)).to_be_visible()
