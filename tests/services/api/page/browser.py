"""The installed Chromium, driven by Playwright, and what the page must never do while it is driven."""

import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, Literal, cast

from playwright.async_api import Browser, ConsoleMessage, Page, ViewportSize, async_playwright, expect

WEB: Final = Path(__file__).resolve().parents[4] / "services/api/web"
LAPTOP: Final = ViewportSize(width=1280, height=800)
PHONE: Final = ViewportSize(width=390, height=844)

_NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_ARGUMENTS: Final = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def find_chromium() -> str | None:
    """The browser that is installed, `None` where there is none."""
    return next((found for name in _NAMES if (found := shutil.which(name))), None)


# The machine may be busy with other tests; what is fast enough is measured, not waited for.
expect.set_options(timeout=45_000)


class Complaints:
    """What the browser complained of: script failures, and whatever the Content-Security-Policy forbade."""

    def __init__(self, page: Page) -> None:
        self.found: list[str] = []
        page.on("pageerror", lambda error: self.found.append(f"script: {error}"))
        page.on("console", self._hear)

    def _hear(self, message: ConsoleMessage) -> None:
        # A request that fails is part of some tests; what the page makes of it is what they look at.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.found.append(f"console: {message.text}")


@asynccontextmanager
async def launched() -> AsyncIterator[Browser]:
    """The browser, for all tests."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find_chromium(), args=_ARGUMENTS)
        yield browser
        await browser.close()


class Browsing:
    """Opens tabs that know nothing of each other."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser

    @asynccontextmanager
    async def __call__(
        self,
        *,
        viewport: ViewportSize = LAPTOP,
        scheme: Literal["light", "dark"] = "light",
        locale: str = "en-GB",
    ) -> AsyncIterator[Page]:
        """A fresh tab; at the end nothing must have been complained of."""
        context = await self._browser.new_context(viewport=viewport, color_scheme=scheme, locale=locale)
        try:
            context.set_default_timeout(20_000)
            page = await context.new_page()
            complaints = Complaints(page)
            yield page
            assert complaints.found == []
        finally:
            await context.close()


async def serious_findings(page: Page) -> Sequence[str]:
    """What axe-core finds that keeps people out, as rule and place."""
    await page.evaluate((WEB / "node_modules/axe-core/axe.min.js").read_text(encoding="utf-8"))
    found = await page.evaluate(
        """async () => (await axe.run(document, {resultTypes: ["violations"]})).violations
            .filter(({impact}) => impact === "serious" || impact === "critical")
            .flatMap(({id, nodes}) => nodes.map(({target, failureSummary}) => `${id}: ${target}: ${failureSummary}`))"""
    )
    return cast("list[str]", found)
