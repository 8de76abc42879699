"""The fleet on the screen: worst first, found by filter, live, and fluid with a thousand devices."""

import re

import pytest
from playwright.async_api import expect
from tests.servers.broker import MosquittoServer
from tests.services.api.fakes import served
from tests.services.api.live import live
from tests.services.api.page.browser import PHONE, Browsing
from tests.services.api.page.scene import INCIDENT, Scene, present_world, put_device

from sensorcast_api.services import Limits
from sensorcast_common.clock import from_millis, rfc3339
from sensorcast_common.incident import IncidentState
from sensorcast_common.tables.api_keys import Role

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_devices_stand_worst_first_with_state_value_and_risk(scene: Scene, browsing: Browsing) -> None:
    async with browsing() as page:
        await page.goto(scene.link())
        rows = page.locator(".row-link")
        await expect(rows).to_have_count(3)
        assert [await row.locator(".row-device").inner_text() for row in await rows.all()] == [
            "truck-2",
            "truck-3",
            "truck-1",
        ]
        worst = await rows.first.inner_text()
        assert "Breach expected" in worst
        assert "82%" in worst
        assert "7.1\u202f°C" in worst
        assert "Silent" in await rows.nth(1).inner_text()
        # Which minute is the first of the sixty depends on the second.
        label = re.compile(r"^Last hour: from 5\.[34]")
        await expect(rows.first.get_by_role("img")).to_have_attribute("aria-label", label)


async def test_the_filter_finds_names_labels_and_states(scene: Scene, browsing: Browsing) -> None:
    async with browsing(viewport=PHONE) as page:
        await page.goto(scene.link())
        rows = page.locator(".row-link")
        await expect(rows).to_have_count(3)
        search = page.get_by_role("searchbox")
        await search.fill("TRUCK-1")
        await expect(rows).to_have_count(1)
        await search.fill("site north")
        await expect(rows).to_have_count(3)
        await search.fill("nowhere")
        await page.get_by_role("button", name="Show all").click()
        await page.get_by_role("button", name="1 silent").click()
        await expect(rows).to_have_count(1)
        await expect(rows.locator(".row-device")).to_have_text("truck-3")


async def test_the_fleet_is_filtered_by_label_and_the_address_remembers(scene: Scene, browsing: Browsing) -> None:
    devices = scene.world.devices.items
    devices["acme", "truck-1"] = devices["acme", "truck-1"].model_copy(update={"labels": {"site": "south"}})
    async with browsing() as page:
        await page.goto(scene.link())
        await expect(page.locator(".row-link")).to_have_count(3)
        await page.get_by_label("Filter by site").select_option("south")
        await expect(page.locator(".row-device")).to_have_text(["truck-1"])
        await page.reload()
        await expect(page.locator(".row-device")).to_have_text(["truck-1"])
        await page.get_by_label("Filter by site").select_option("Site: all")
        await expect(page.locator(".row-link")).to_have_count(3)


async def test_what_somebody_sees_to_needs_no_attention(scene: Scene, browsing: Browsing) -> None:
    incidents = scene.world.incidents.items
    incidents["acme", INCIDENT] = incidents["acme", INCIDENT].model_copy(
        update={"state": IncidentState.ACKNOWLEDGED, "acknowledged_by": "Anna"}
    )
    async with browsing() as page:
        await page.goto(scene.link())
        await expect(page.get_by_role("heading", name="1 device is seen to")).to_be_visible()
        await expect(page.locator(".row-link").first).to_contain_text("Anna sees to it")


async def test_a_reading_arrives_live(browsing: Browsing, mosquitto: MosquittoServer) -> None:
    world = present_world()
    async with live(world, mosquitto) as running, browsing() as page:
        await page.goto(Scene(world, running.address).link())
        row = page.locator(".row-link", has_text="truck-1")
        await expect(page.locator(".connection")).to_have_text("Live")
        await running.publish(
            "dt/acme/truck-1/readings", {"ts": rfc3339(from_millis(world.now)), "temperature": 5.9, "humidity": 61}
        )
        await expect(row.locator(".row-value")).to_have_text("5.9\u202f°C")


async def test_a_fleet_too_large_for_a_stream_is_asked_for_every_minute(browsing: Browsing) -> None:
    world = present_world(Limits(stream_fleet=2))
    async with served(world) as address, browsing() as page:
        await page.goto(Scene(world, address).link())
        await expect(page.locator(".connection")).to_have_text("Updated every minute")
        await expect(page.locator(".row-link")).to_have_count(3)
        assert await page.get_by_text("Connection lost").count() == 0


async def test_a_thousand_devices_stay_fluid(browsing: Browsing, mosquitto: MosquittoServer) -> None:
    world = present_world()
    for number in range(1_000):
        name = f"van-{number:04d}"
        put_device(world, name, last_ts=world.now - 5_000)
        world.readings.put("acme", name, world.now - 5_000, 4.0)
    async with live(world, mosquitto) as running, browsing() as page:
        await page.goto(Scene(world, running.address).link(Role.VIEWER))
        await expect(page.locator(".row-link")).to_have_count(1_003)
        await expect(page.locator(".connection")).to_have_text("Live")
        # The longest that the page did not react while 300 messages came in and somebody typed.
        await page.evaluate(
            """() => {
                window.longest = 0;
                let last = performance.now();
                const step = () => {
                    window.longest = Math.max(window.longest, performance.now() - last);
                    last = performance.now();
                    requestAnimationFrame(step);
                };
                requestAnimationFrame(step);
            }"""
        )
        for number in range(300):
            await running.publish(f"dt/acme/van-{number:04d}/readings", {"temperature": 4.5})
        # What is far from the screen is drawn when somebody comes near.
        row = page.locator(".row-link", has_text="van-0299")
        await row.scroll_into_view_if_needed()
        await expect(row.locator(".row-value")).to_have_text("4.5\u202f°C")
        await page.get_by_role("searchbox").press_sequentially("van-0123")
        await expect(page.locator(".row-link")).to_have_count(1)
        assert await page.evaluate("window.longest") < 1_500
