"""A device on the screen: its chart with forecast band and limits, its export, and live values."""

import csv
import io
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Page, expect
from tests.servers.broker import MosquittoServer
from tests.services.api.fakes import served
from tests.services.api.live import live
from tests.services.api.page.browser import Browsing
from tests.services.api.page.scene import HOUR, Scene, present_world, with_past

from sensorcast_common.clock import from_millis, rfc3339

BAND = """(element) => {
    const canvas = element.querySelector("canvas");
    if (!canvas) return 0;
    // Above the bar below the chart, which has the band's colour too.
    const height = canvas.height - 80;
    const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, height);
    let count = 0;
    for (let at = 0; at < data.length; at += 4) {
        const [red, , blue, opacity] = data.slice(at, at + 4);
        if (opacity > 40 && opacity < 65 && blue > red + 60) count += 1;
    }
    return count;
}"""

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def band(page: Page) -> int:
    """How many pixels of the chart have the colour of the forecast's band."""
    return int(await page.get_by_role("img", name="Chart of").evaluate(BAND))


async def test_the_chart_shows_history_band_and_limits(scene: Scene, browsing: Browsing) -> None:
    async with browsing() as page:
        await page.goto(scene.link(path="/devices/truck-2"))
        await expect(page.get_by_text("80% of outcomes")).to_be_visible()
        await expect(page.get_by_text("82% risk: above 8\u202f°C")).to_be_visible()
        await expect(page.get_by_text("Scroll or pinch")).to_be_visible()
        with_forecast = await band(page)
        scene.world.forecasts.items.clear()
        await page.reload()
        await expect(page.get_by_text("There is no forecast")).to_be_visible()
        await expect(page.get_by_text("Scroll or pinch")).to_be_visible()
        assert with_forecast > 1_000
        assert await band(page) < 100


async def test_what_the_chart_shows_can_be_read_as_a_table(scene: Scene, browsing: Browsing) -> None:
    async with browsing() as page:
        await page.goto(scene.link(path="/devices/truck-1"))
        await page.get_by_role("button", name="Humidity").click()
        await expect(page.get_by_text("Scroll or pinch")).to_be_visible()
        await page.get_by_text("Values as a table").click()
        rows = page.get_by_role("row")
        await expect(rows.first).to_have_text("TimeTemperatureHumidity")
        await expect(rows.nth(1)).to_contain_text("4.0\u202f°C60.0\u202f%")
        assert 20 < await rows.count() < 40


async def test_keys_zoom_the_chart(scene: Scene, browsing: Browsing) -> None:
    async with browsing() as page:
        await page.goto(scene.link(path="/devices/truck-1"))
        await expect(page.get_by_text("Scroll or pinch")).to_be_visible()
        chart = page.get_by_role("img", name="Chart of")
        whole = await chart.screenshot()
        await chart.focus()
        await page.keyboard.press("+")
        await page.keyboard.press("+")
        await page.wait_for_timeout(100)
        assert await chart.screenshot() != whole


async def test_a_chart_goes_from_minutes_to_months_over_hot_store_and_lake(browsing: Browsing) -> None:
    world = with_past(present_world())
    for hour in range(3, 24 * 40):
        world.readings.put("acme", "truck-1", world.now - hour * HOUR, 3.0 + hour % 3)
    async with served(world) as address, browsing() as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(urlsplit(request.url).path))
        month_ago = world.now - 30 * 24 * HOUR
        path = f"/devices/truck-1?from={month_ago - 6 * HOUR - 1}&to={month_ago - 1}"
        await page.goto(Scene(world, address).link(path=path))
        await expect(page.locator(".chart-loading")).to_have_count(0)
        await page.get_by_text("Values as a table").click()
        rows = page.get_by_role("row")
        await expect(rows).to_have_count(7)
        assert "/v1/history/readings" in asked
        for _ in range(5):
            await page.get_by_role("button", name="Zoom out").click()
        await expect(page.get_by_text("Least to greatest")).to_be_visible()
        await expect(page.locator(".chart-loading")).to_have_count(0)
        assert "/v1/history/aggregates" in asked
        assert await rows.count() > 20


async def test_a_chart_is_moved_by_hand_and_comes_back_to_now(scene: Scene, browsing: Browsing) -> None:
    async with browsing() as page:
        await page.goto(scene.link(path="/devices/truck-1"))
        await expect(page.locator(".chart-loading")).to_have_count(0)
        shown = page.locator(".steps-range")
        await expect(shown).to_contain_text("now")
        box = await page.get_by_role("img", name="Chart of").bounding_box()
        assert box is not None
        await page.mouse.move(box["x"] + 300, box["y"] + 100)
        await page.mouse.down()
        await page.mouse.move(box["x"] + 500, box["y"] + 100, steps=4)
        await page.mouse.up()
        await expect(shown).not_to_contain_text("now")
        await page.get_by_role("button", name="To now").click()
        await expect(shown).to_contain_text("now")


async def test_export_holds_what_is_shown_as_csv(scene: Scene, browsing: Browsing, tmp_path: Path) -> None:
    async with browsing() as page:
        await page.goto(scene.link(path="/devices/truck-1"))
        await page.get_by_role("button", name="Humidity").click()
        await page.get_by_role("button", name="1 h", exact=True).click()
        await expect(page.get_by_text("Scroll or pinch")).to_be_visible()
        async with page.expect_download() as downloading:
            await page.get_by_role("button", name="Export CSV").click()
        download = await downloading.value
        await download.save_as(tmp_path / "export.csv")
    assert download.suggested_filename.startswith("truck-1-")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "export.csv").read_text(encoding="utf-8"))))
    assert list(rows[0]) == ["time", "temperature", "humidity"]
    # The hour that is shown ends at some second within the last ten.
    assert 59 <= len(rows) <= 61
    half = rfc3339(from_millis(scene.world.now - 30 * 60_000 - 5_000))
    assert {"time": half, "temperature": "4.6", "humidity": "62"} in rows


async def test_a_live_value_joins_the_chart(browsing: Browsing, mosquitto: MosquittoServer) -> None:
    world = present_world()
    async with live(world, mosquitto) as running, browsing() as page:
        await page.goto(Scene(world, running.address).link(path="/devices/truck-1"))
        await expect(page.locator(".connection")).to_have_text("Live")
        await expect(page.get_by_text("Scroll or pinch")).to_be_visible()
        await running.publish(
            "dt/acme/truck-1/readings", {"ts": rfc3339(from_millis(world.now)), "metric": "temperature", "value": 6.6}
        )
        tile = page.get_by_role("button", name="Temperature")
        await expect(tile).to_contain_text("6.6\u202f°C")


async def test_a_device_that_is_not_there_is_said_to_be_missing(scene: Scene, browsing: Browsing) -> None:
    async with browsing() as page:
        await page.goto(scene.link(path="/devices/truck-9"))
        await expect(page.get_by_role("alert")).to_contain_text("This is not there")
        await expect(page.locator(".connection")).to_have_count(0)
        assert await page.get_by_text("Connection lost").count() == 0
