"""Rules on the screen: a change is checked, saved as the next version, and never undoes another's unseen."""

import pytest
from playwright.async_api import expect
from tests.services.api.fakes import served
from tests.services.api.page.browser import Browsing
from tests.services.api.page.scene import MINUTE, Scene, present_world, with_past

from sensorcast_common.tables.api_keys import Role

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_rule_is_changed(scene: Scene, browsing: Browsing) -> None:
    async with browsing() as page:
        await page.goto(scene.link(path="/rules"))
        await page.get_by_role("link", name="Chilled goods too warm").click()
        await page.get_by_label("Not above").fill("7,5")
        await page.get_by_label("Telephone numbers").fill("+49 151 12345678\nnobody")
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_text("Not a number such as")).to_be_visible()
        await page.get_by_label("Telephone numbers").fill("+49 151 12345678")
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_text("at most 7.5")).to_be_visible()
    rule = scene.world.rules.items["acme", "too-warm"]
    assert (rule.version, rule.limits(), rule.sms) == (2, [("above", 7.5)], ["+4915112345678"])


async def test_a_rule_is_tried_on_the_last_week(browsing: Browsing) -> None:
    world = with_past(present_world())
    world.forecasts.items.clear()
    for minute in range(150, 180):
        world.readings.put("acme", "truck-2", world.now - minute * MINUTE, 9.5)
    async with served(world) as address, browsing() as page:
        await page.goto(Scene(world, address).link(path="/rules/too-warm"))
        preview = page.get_by_role("region", name="What this rule would have done")
        await page.get_by_label("Telephone numbers").fill("+4915112345678\n+4915112345679")
        await preview.get_by_role("button", name="Try the last week").click()
        await expect(preview).to_contain_text("1 alert, 2 SMS")
        await expect(preview.get_by_role("link", name="truck-2")).to_be_visible()
        await expect(preview.get_by_role("img", name="truck-2, Temperature: 1 alerts")).to_be_visible()
        await page.get_by_label("Not above").fill("10")
        await preview.get_by_role("button", name="Try the last day").click()
        await expect(preview).to_contain_text("Nobody would have been alerted.")
        # Whatever becomes of the connection, it can be tried again.
        await page.route("**/v1/rules/test", lambda route: route.abort("timedout"))
        await preview.get_by_role("button", name="Try the last day").click()
        await expect(preview.get_by_role("alert")).to_contain_text("Sensorcast does not answer.")
        await expect(preview.get_by_role("button", name="Try the last day")).to_be_enabled()
        await page.unroute("**/v1/rules/test")
        # Rules of every kind can be tried, also before they have a name.
        await page.goto(f"{address}/rules/+")
        await page.get_by_role("button", name="Silence").click()
        await page.get_by_label("For more than").fill("20")
        await page.get_by_label("Devices").fill("truck-2")
        await preview.get_by_role("button", name="Try the last day").click()
        await expect(preview).to_contain_text("1 alert")


async def test_a_rule_of_another_kind_is_made(scene: Scene, browsing: Browsing) -> None:
    async with browsing() as page:
        await page.goto(scene.link(path="/rules/+"))
        await page.get_by_label("Identifier").fill("quiet")
        await page.get_by_label("Name").fill("Nothing heard")
        await page.get_by_label("Labels").fill("site: north")
        await page.get_by_role("button", name="Silence").click()
        await page.get_by_label("For more than").fill("20")
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_text("heard of at least every 20 min")).to_be_visible()
        await page.get_by_role("link", name="Nothing heard").click()
        await expect(page.get_by_label("For more than")).to_have_value("20")
        await page.get_by_role("button", name="Remove").click()
        await page.get_by_role("button", name="Remove for good").click()
        await expect(page.get_by_role("heading", name="Rules")).to_be_visible()
    assert ("acme", "quiet") not in scene.world.rules.items


async def test_anothers_change_is_not_undone_unseen(scene: Scene, browsing: Browsing) -> None:
    async with browsing() as page:
        await page.goto(scene.link(path="/rules/too-warm"))
        await page.get_by_label("Name").fill("Mine")
        rules = scene.world.rules.items
        theirs = rules["acme", "too-warm"].model_copy(update={"version": 2, "name": "Theirs"})
        rules["acme", "too-warm"] = theirs
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_role("alert")).to_contain_text("Somebody else changed this")
        await expect(page.get_by_label("Name")).to_have_value("Mine")
        await page.get_by_role("button", name="Load theirs").click()
        await expect(page.get_by_label("Name")).to_have_value("Theirs")
    assert scene.world.rules.items["acme", "too-warm"] == theirs


async def test_a_new_rule_is_made(scene: Scene, browsing: Browsing) -> None:
    async with browsing() as page:
        await page.goto(scene.link(path="/rules"))
        await page.get_by_role("link", name="New rule").click()
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_text("Give at least one limit.")).to_be_visible()
        await page.get_by_label("Identifier").fill("dry")
        await page.get_by_label("Name").fill("Too dry")
        await page.get_by_label("Metric").fill("humidity")
        await page.get_by_label("Not below").fill("40")
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_text("at least 40")).to_be_visible()
    assert scene.world.rules.items["acme", "dry"].limits() == [("below", 40)]


async def test_a_viewer_is_offered_no_change(scene: Scene, browsing: Browsing) -> None:
    async with browsing() as page:
        await page.goto(scene.link(Role.VIEWER, "/rules"))
        await expect(page.get_by_text("Your key may look at this")).to_be_visible()
        await expect(page.get_by_text("Chilled goods too warm")).to_be_visible()
        assert await page.get_by_role("link", name="New rule").count() == 0
        assert await page.get_by_role("link", name="Chilled goods too warm").count() == 0
