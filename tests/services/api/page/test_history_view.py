"""The past on the screen: what each device came to, how much of it was within limits, and files of it."""

import csv
import io
from pathlib import Path

import pytest
from playwright.async_api import expect
from tests.services.api.fakes import served
from tests.services.api.page.browser import Browsing
from tests.services.api.page.scene import Scene, present_world, with_past

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_the_past_tells_the_least_compliant_first_and_is_saved(browsing: Browsing, tmp_path: Path) -> None:
    world = with_past(present_world())
    for minute in range(150, 180):
        world.readings.put("acme", "truck-2", world.now - minute * 60_000, 9.5)
    async with served(world) as address, browsing() as page:
        await page.goto(Scene(world, address).link(path="/history"))
        await expect(page.get_by_role("heading", name="1 of 2 devices was outside its limits at times")).to_be_visible()
        rows = page.get_by_role("region", name="Each device in this range").get_by_role("row")
        await expect(rows.nth(1)).to_contain_text("truck-2")
        await expect(rows.nth(1)).to_contain_text("9.5")
        await expect(rows.nth(2)).to_contain_text("truck-1100%")
        # With a limit that nothing reached, everything was within.
        await page.get_by_label("Not above").fill("12")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", name="All 2 devices were within limits")).to_be_visible()
        async with page.expect_download() as downloading:
            await page.get_by_role("button", name="CSV").click()
        await (await downloading.value).save_as(tmp_path / "past.csv")
    lines = list(csv.DictReader(io.StringIO((tmp_path / "past.csv").read_text(encoding="utf-8"))))
    assert {line["device"] for line in lines} == {"truck-1", "truck-2"}
    assert len(lines) == 120 + 150


async def test_without_a_lake_the_past_says_so(scene: Scene, browsing: Browsing) -> None:
    async with browsing() as page:
        await page.goto(scene.link(path="/history"))
        await expect(page.get_by_text("This service runs without a lake")).to_be_visible()
