"""Incidents on the screen: what, where, since when, how sure, what next."""

import pytest
from playwright.async_api import expect
from tests.servers.broker import MosquittoServer
from tests.services.api.live import live
from tests.services.api.page.browser import Browsing
from tests.services.api.page.scene import INCIDENT, MESSAGE, MINUTE, Scene, present_world, put_forecast, put_incident

from sensorcast_common.clock import from_millis
from sensorcast_common.incident import Basis, IncidentState
from sensorcast_common.tables.api_keys import Role

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_an_incident_says_what_is_expected_how_sure_and_what_to_do(scene: Scene, browsing: Browsing) -> None:
    async with browsing() as page:
        await page.goto(scene.link(path="/incidents"))
        await page.get_by_role("link", name="truck-2: Temperature will probably be above 8").click()
        assert page.url.endswith(INCIDENT)
        await expect(page.get_by_role("heading", name="The forecast then, and what came")).to_be_visible()
        for text in (MESSAGE, "82% likely, by the forecast of", "Look after truck-2 before", "closes as a false alarm"):
            await expect(page.get_by_text(text)).to_be_visible()
        await expect(page.get_by_text("80% of outcomes")).to_be_visible()
        await page.get_by_role("link", name="Show truck-2").click()
        await expect(page.get_by_role("heading", name="truck-2", exact=True)).to_be_visible()


async def test_an_incident_is_acknowledged_and_commented(scene: Scene, browsing: Browsing) -> None:
    async with browsing() as page:
        await page.goto(scene.link(path=f"/incidents/{INCIDENT}"))
        await expect(page.get_by_text("Nobody yet.")).to_be_visible()
        note = page.get_by_label("Note")
        await note.fill("Driver is on the way")
        await page.get_by_role("button", name="I see to it").click()
        await expect(page.get_by_text("Seen to · since")).to_be_visible()
        await expect(page.get_by_role("button", name="I see to it")).to_have_count(0)
        await note.fill("The door seal was torn")
        await page.get_by_role("button", name="Add comment").click()
        entries = page.get_by_role("region", name="What happened").get_by_role("listitem")
        await expect(entries.first).to_contain_text("The door seal was torn")
        await expect(entries.nth(1)).to_contain_text("Driver is on the way")
        await page.get_by_role("link", name="All incidents").click()
        await expect(page.get_by_role("link", name="truck-2")).to_contain_text("sees to it")
    assert scene.world.incidents.items["acme", INCIDENT].note == "Driver is on the way"


async def test_a_viewer_sees_who_sees_to_it_and_is_asked_nothing(scene: Scene, browsing: Browsing) -> None:
    async with browsing() as page:
        await page.goto(scene.link(Role.VIEWER, f"/incidents/{INCIDENT}"))
        await expect(page.get_by_text("Nobody yet.")).to_be_visible()
        assert await page.get_by_label("Note").count() == 0


async def test_a_forecast_is_judged_by_what_came(scene: Scene, browsing: Browsing) -> None:
    put_forecast(scene.world, "truck-2", known_at=scene.world.now - 30 * MINUTE, probability=0.8)
    incident = scene.world.incidents.items["acme", INCIDENT]
    then = from_millis(scene.world.now - 30 * MINUTE)
    scene.world.incidents.items["acme", INCIDENT] = incident.model_copy(
        update={"opened_at": then, "forecast_known_at": then}
    )
    async with browsing() as page:
        await page.goto(scene.link(path=f"/incidents/{INCIDENT}"))
        # From 7 degrees on it said 6.8 to 8.6; what came stayed below 7.1.
        await expect(page.get_by_text("the median was off by")).to_contain_text("lay inside the band")


async def test_an_incident_changes_on_the_screen_as_it_happens(browsing: Browsing, mosquitto: MosquittoServer) -> None:
    world = present_world()
    world.incidents.items.clear()
    async with live(world, mosquitto) as served, browsing() as page:
        await page.goto(Scene(world, served.address).link(path="/incidents"))
        await expect(page.get_by_role("heading", name="No open incidents")).to_be_visible()
        await expect(page.locator(".connection")).to_have_text("Live")
        for basis, state, text in (
            (Basis.PREDICTED, IncidentState.OPEN, "truck-2: Temperature will probably be above"),
            (Basis.OBSERVED, IncidentState.OPEN, "truck-2: Temperature above"),
        ):
            put_incident(world, basis=basis, state=state)
            incident = world.incidents.items["acme", INCIDENT]
            await served.publish("alerts/acme/truck-2", incident.model_dump(mode="json") | {"event": "changed"})
            await expect(page.get_by_role("link", name=text)).to_be_visible()
        put_incident(world, state=IncidentState.RESOLVED)
        resolved = world.incidents.items["acme", INCIDENT].model_dump(mode="json")
        await served.publish("alerts/acme/truck-2", resolved | {"event": "resolved"})
        await expect(page.get_by_role("heading", name="No open incidents")).to_be_visible()
