"""The tests of the page need a browser and the built page; where one is missing they are skipped and say why."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from tests.services.api.page.browser import Browsing, find_chromium, launched
from tests.services.api.page.scene import Scene
from tests.services.api.page.scene import scene as open_scene

from sensorcast_api.routes.page import BUILT


@pytest.fixture(scope="session")
def page_is_built() -> None:
    """Skips where the page was not built."""
    if not (BUILT / "index.html").exists():
        pytest.skip("the page is not built: `make web` builds it, which needs Node.js 20.19 or later")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browsing(page_is_built: None) -> AsyncIterator[Browsing]:
    """One browser for all tests; skips where none is installed."""
    if find_chromium() is None:
        pytest.skip("Chromium is not installed: `make chromium` installs it as root on Debian")
    async with launched() as browser:
        yield Browsing(browser)


@pytest_asyncio.fixture(loop_scope="session")
async def scene(browsing: Browsing) -> AsyncIterator[Scene]:
    """The small fleet behind a real server."""
    async with open_scene() as opened:
        yield opened
