"""Incidents on the screen: what, where, since when, how sure, what next."""

import pytest
from playwright.async_api import expect
from tests.servers.broker import MosquittoServer
from tests.services.api.live import live
from tests.services.api.page.browser import Browsing
from tests.services.api.page.scene import INCIDENT, MESSAGE, Scene, present_world, put_incident

from sensorcast_common.incident import Basis, IncidentState

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
