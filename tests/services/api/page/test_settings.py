"""Products, escalations, API keys and the labels of devices on the screen."""

import pytest
from playwright.async_api import expect
from tests.services.api.page.browser import Browsing
from tests.services.api.page.scene import Scene

from sensorcast_common.escalation import Step
from sensorcast_common.notice import Channel
from sensorcast_common.tables.api_keys import Role, key_hash

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_product_is_made_and_a_rule_watches_it(scene: Scene, browsing: Browsing) -> None:
    async with browsing() as page:
        await page.goto(scene.link(path="/products"))
        await page.get_by_role("link", name="New product").click()
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_text("Give a limit, or a mean kinetic temperature.")).to_be_visible()
        await page.get_by_label("Identifier").fill("vaccine")
        await page.get_by_label("Name").fill("Vaccine")
        await page.get_by_label("Not below").fill("2")
        await page.get_by_label("Not above").fill("8")
        await page.get_by_label("At a time").fill("30")
        await page.get_by_label("Together").fill("2000")
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_text("Must be less than the window.")).to_be_visible()
        await page.get_by_label("Together").fill("60")
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_role("link", name="Vaccine")).to_contain_text("30 mins outside at a time")
        await page.get_by_label("Rules and people").get_by_role("link", name="Rules").click()
        await page.get_by_role("link", name="New rule").click()
        await page.get_by_role("button", name="Product").click()
        await page.get_by_role("combobox", name="Product").select_option("Vaccine")
        await page.get_by_label("Identifier").fill("vaccines")
        await page.get_by_label("Name").fill("Vaccines")
        await page.get_by_role("button", name="Save").click()
        await page.get_by_role("link", name="Vaccines").wait_for()
        # What a rule names stays, and the page says why.
        await page.goto(f"{scene.address}/products/vaccine")
        await page.get_by_role("button", name="Remove").click()
        await page.get_by_role("button", name="Remove for good").click()
        await expect(page.get_by_role("alert").filter(has_text="vaccines")).to_be_visible()
    stored = scene.world.products.items["acme", "vaccine"]
    assert (stored.below, stored.above, stored.consecutive_minutes, stored.cumulative_minutes) == (2, 8, 30, 60)


async def test_an_escalation_is_made_step_by_step(scene: Scene, browsing: Browsing) -> None:
    async with browsing() as page:
        await page.goto(scene.link(path="/escalations"))
        await expect(page.get_by_role("heading", name="No escalations yet")).to_be_visible()
        await page.get_by_role("link", name="New escalation").click()
        await page.get_by_label("Identifier").fill("night")
        await page.get_by_label("Information").uncheck()
        await page.get_by_label("Roles").fill("driver")
        await page.get_by_role("button", name="Add a step").click()
        second = page.get_by_role("listitem", name="Step 2")
        await second.get_by_label("After (minutes)").fill("0")
        await second.get_by_label("Roles").fill("Manager")
        await second.get_by_label("SMS").check()
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_text("Each step must come later than the one before.")).to_be_visible()
        await second.get_by_label("After (minutes)").fill("20")
        await page.get_by_label("Tell everybody again every").fill("30")
        await page.get_by_role("button", name="Save").click()
        row = page.get_by_role("link", name="night")
        await expect(row).to_contain_text(
            "at once: driver; after 20 mins: manager by SMS; then everybody again every 30 min"
        )
    stored = await scene.world.contacts.escalations.get("acme", "night")
    assert stored is not None
    assert stored.steps[1] == Step(after_minutes=20, roles=["manager"], channels=[Channel.SMS])
    assert stored.severities == ["warning", "critical"]


async def test_a_key_is_made_shown_once_and_revoked(scene: Scene, browsing: Browsing) -> None:
    async with browsing() as page:
        await page.goto(scene.link(Role.ADMIN, "/keys"))
        await page.get_by_label("Name").fill("dispatch room")
        await page.get_by_label("Role").select_option("operator")
        await page.get_by_role("button", name="Make key").click()
        shown = page.get_by_role("textbox", name="Key of dispatch room")
        secret = await shown.input_value()
        assert scene.world.keys.items[key_hash(secret)].role is Role.OPERATOR
        await page.get_by_role("button", name="Done").click()
        await expect(shown).to_have_count(0)
        assert secret not in await page.content()
        await page.get_by_role("button", name="Revoke: dispatch room").click()
        await page.get_by_role("button", name="Revoke for good").click()
        await expect(page.get_by_text("Expired and revoked keys (1)")).to_be_visible()
    assert scene.world.keys.items[key_hash(secret)].revoked_at is not None


async def test_only_admins_are_offered_keys(scene: Scene, browsing: Browsing) -> None:
    async with browsing() as page:
        await page.goto(scene.link(path="/rules"))
        await expect(page.get_by_role("link", name="Escalations")).to_be_visible()
        assert await page.get_by_role("link", name="API keys").count() == 0
        await page.goto(f"{scene.address}/keys")
        await expect(page.get_by_text("Only keys with the role admin")).to_be_visible()


async def test_a_device_is_named_and_labelled(scene: Scene, browsing: Browsing) -> None:
    async with browsing() as page:
        await page.goto(scene.link(path="/devices/truck-1"))
        await page.get_by_role("button", name="Name and labels").click()
        await page.get_by_label("Name", exact=True).fill("Big Red")
        await page.get_by_role("textbox", name="Site").fill("south")
        await page.get_by_role("button", name="Add label").click()
        await page.get_by_role("combobox", name="Label", exact=True).nth(1).fill("Driver")
        await page.get_by_role("textbox", name="Driver").fill("Anna")
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_role("alert").filter(has_text="Small letters")).to_be_visible()
        await page.get_by_role("combobox", name="Label", exact=True).nth(1).fill("driver")
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_role("heading", name="Big Red")).to_be_visible()
        await expect(page.get_by_text("truck-1 · Site: south · Driver: Anna")).to_be_visible()
        await page.goto(scene.address)
        await expect(page.locator(".row-device")).to_contain_text(["Big Red"])
        # The name stands wherever the device is spoken of.
        devices = scene.world.devices.items
        devices["acme", "truck-2"] = devices["acme", "truck-2"].model_copy(update={"name": "Old Blue"})
        await page.goto(f"{scene.address}/incidents")
        await expect(page.get_by_role("link", name="Old Blue: Temperature will probably be above 8")).to_be_visible()
    device = scene.world.devices.items["acme", "truck-1"]
    assert device.name == "Big Red"
    assert device.labels == {"site": "south", "driver": "Anna"}
