"""The pipeline on the screen: what lags, what was refused, and trying it again."""

import pytest
from playwright.async_api import expect
from tests.services.api.page.browser import Browsing
from tests.services.api.page.scene import Scene
from tests.services.api.test_quarantine import TOPIC, set_aside

from sensorcast_common.tables.api_keys import Role

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_the_status_says_first_what_needs_a_look(scene: Scene, browsing: Browsing) -> None:
    async with browsing() as page:
        await page.goto(scene.link(path="/status"))
        heading = page.locator(".headline")
        await expect(heading).to_contain_text("2 messages of queue archive could not be handled.")
        await expect(heading).to_contain_text("1 device has sent nothing")
        await expect(page.get_by_text("2 of 3")).to_be_visible()


async def test_a_refused_message_is_looked_at_and_sent_again(scene: Scene, browsing: Browsing) -> None:
    world = scene.world
    for payload in (b'{"temperature": "warm"}', b"{"):
        await world.quarantine.put(set_aside(payload, at=world.now - 60_000), now=world.now)
    async with browsing() as page:
        await page.goto(scene.link(path="/status"))
        await expect(page.locator(".headline")).to_contain_text("2 messages were refused")
        message = page.get_by_role("listitem").filter(has_text="Not JSON")
        await expect(message).to_have_count(2)
        await message.first.locator("summary").click()
        text = await page.get_by_role("region", name="What it carried").inner_text()
        await message.first.get_by_role("button", name="Send again").click()
        await expect(message).to_have_count(1)
    assert world.resend.sent == [(TOPIC, text.encode())]


async def test_a_viewer_sees_the_status_without_the_quarantine(scene: Scene, browsing: Browsing) -> None:
    async with browsing() as page:
        await page.goto(scene.link(Role.VIEWER, "/status"))
        await expect(page.get_by_role("heading", name="Queues")).to_be_visible()
        assert await page.get_by_role("heading", name="Quarantine").count() == 0
