"""Recipients and silences on the screen."""

import re

import pytest
from playwright.async_api import expect
from tests.services.api.page.browser import Browsing
from tests.services.api.page.scene import INCIDENT, Scene

from sensorcast_common.recipient import Span

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_recipient_is_made_and_changed(scene: Scene, browsing: Browsing) -> None:
    async with browsing() as page:
        await page.goto(scene.link(path="/recipients"))
        await page.get_by_role("link", name="New recipient").click()
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_text("Give at least one way to reach them.")).to_be_visible()
        await page.get_by_label("Identifier").fill("anna")
        await page.get_by_label("Name").fill("Anna")
        await page.get_by_label("Roles").fill("Manager, driver")
        await page.get_by_label("SMS").fill("+49 151 12345678")
        await page.get_by_label("Time zone").fill("Europe/Berlin")
        await page.get_by_label("On duty").fill("mon-fri 8:00-17:00\nsat 09:00-12:00")
        await page.get_by_label("Quiet hours", exact=True).fill("22:00-06:00")
        await page.get_by_role("button", name="Save").click()
        await page.get_by_role("link", name="Anna").click()
        await expect(page.get_by_label("On duty")).to_have_value("mon-fri 08:00-17:00\nsat 09:00-12:00")
        await page.get_by_label("Mail").fill("anna@example.org")
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_role("link", name="Anna")).to_contain_text("anna@example.org")
    stored = await scene.world.contacts.recipients.get("acme", "anna")
    assert stored is not None
    assert (stored.version, stored.roles, stored.sms) == (2, ["manager", "driver"], "+4915112345678")
    assert stored.schedule[1] == Span(start="09:00", end="12:00", days=["sat"])
    assert stored.quiet_hours == Span(start="22:00", end="06:00")


async def test_an_incident_is_kept_quiet_for_a_while(scene: Scene, browsing: Browsing) -> None:
    async with browsing() as page:
        await page.goto(scene.link(path=f"/incidents/{INCIDENT}"))
        await page.get_by_role("button", name=re.compile("^4 ")).click()
        await expect(page.get_by_text("Nobody is told until")).to_be_visible()
        [silence] = await scene.world.contacts.silences.list("acme")
        assert (silence.device, silence.metric, silence.rule) == ("truck-2", "temperature", "too-warm")
        assert (silence.end - silence.start).total_seconds() == 4 * 3600
        await page.goto(f"{scene.address}/silences")
        await expect(page.get_by_role("listitem").filter(has_text="truck-2 · temperature · too-warm")).to_be_visible()
        await page.get_by_role("button", name="End now").click()
        await expect(page.get_by_role("heading", name="Nothing is silenced")).to_be_visible()


async def test_devices_of_a_site_are_silenced_ahead_of_maintenance(scene: Scene, browsing: Browsing) -> None:
    async with browsing() as page:
        await page.goto(scene.link(path="/silences"))
        await page.get_by_role("button", name="Silence", exact=True).click()
        await expect(page.get_by_role("alert").first).to_contain_text("Name devices or labels")
        await page.get_by_label("Labels").fill("site: north")
        await page.get_by_label("Reason").fill("Defrosting")
        await page.get_by_role("button", name="Silence", exact=True).click()
        await expect(page.get_by_text("Defrosting", exact=True)).to_be_visible()
    [silence] = await scene.world.contacts.silences.list("acme")
    assert silence.labels == {"site": "north"}
