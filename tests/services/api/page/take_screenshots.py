"""Takes the pictures of the documentation from a running `sensorcast up`: `make screenshots`."""

import argparse
import asyncio
from pathlib import Path
from typing import Final, Literal

import httpx
from playwright.async_api import Page, ViewportSize, expect
from tests.services.api.page.browser import LAPTOP, PHONE, Browsing, find_chromium, launched

from sensorcast_local.running import DATA_DIR, Running

IMAGES: Final = Path(__file__).resolve().parents[4] / "docs/images"
LARGEST: Final = 150_000
"""Bytes of a picture, since people clone all of them."""

Scheme = Literal["light", "dark"]
EVERY_LOOK: Final = ("fleet", "device", "incident")
"""The other views are shown in two looks only."""

ONE_LOOK: Final = ("product", "recipients", "escalations", "silences", "keys")
"""And these in one."""

LOOKS: Final[list[tuple[str, ViewportSize, Scheme]]] = [
    ("", LAPTOP, "light"),
    ("-dark", LAPTOP, "dark"),
    ("-phone", PHONE, "light"),
    ("-phone-dark", PHONE, "dark"),
]


async def views(address: str, key: str) -> list[tuple[str, str]]:
    """Name and path of each picture: the device and the incident are those that are most worth a look."""
    async with httpx.AsyncClient(base_url=address, headers={"X-API-Key": key}) as client:
        fleet = (await client.get("/v1/fleet", params={"limit": 200})).json()["items"]
        incidents = (await client.get("/v1/incidents")).json()["items"]
        rules = (await client.get("/v1/rules")).json()["items"]
    worst = max(fleet, key=lambda each: (each["incident"] is not None, (each["risk"] or {}).get("probability", 0)))
    found = [
        ("fleet", "/"),
        ("device", f"/devices/{worst['device']}"),
        ("incidents", "/incidents"),
        ("history", "/history"),
        ("rules", "/rules"),
        ("product", "/products/+"),
        ("recipients", "/recipients"),
        ("escalations", "/escalations"),
        ("silences", "/silences"),
        ("keys", "/keys"),
        ("status", "/status"),
    ]
    if rules:
        found.append(("rule", f"/rules/{rules[0]['rule_id']}"))
    if incidents:
        found.append(("incident", f"/incidents/{incidents[0]['incident_id']}"))
    return found


async def settled(page: Page) -> None:
    """Wait until a view shows what it has."""
    await expect(page.get_by_role("heading", level=1)).to_be_visible()
    await expect(page.locator(".loading")).to_have_count(0)
    await expect(page.locator(".connection-connecting")).to_have_count(0)
    await expect(page.locator(".chart-loading")).to_have_count(0)
    await page.wait_for_timeout(600)


async def tried(page: Page) -> None:
    """Show what a rule would have done."""
    await page.get_by_role("button", name="Try the last day").click()
    said = page.locator(".preview-said")
    await expect(said).to_be_visible(timeout=90_000)
    await page.get_by_role("heading", name="What this rule would have done").scroll_into_view_if_needed()
    await page.mouse.wheel(0, 420)
    await page.wait_for_timeout(300)


async def take(data_dir: Path, images: Path) -> list[Path]:
    """Take all pictures.

    Raises:
        SystemExit: No `up` runs, no browser is installed, or a picture is too large.
    """
    running = Running.find(data_dir)
    if running is None or find_chromium() is None:
        raise SystemExit(f"a `sensorcast up` that runs with {data_dir} and an installed Chromium are needed")
    key = (data_dir / "api-key").read_text(encoding="utf-8").strip()
    taken: list[Path] = []
    async with launched() as browser:
        for look, viewport, scheme in LOOKS:
            async with Browsing(browser)(viewport=viewport, scheme=scheme) as page:
                if not look:
                    await page.goto(running.api_url)
                    await settled(page)
                    taken.append(await _shoot(page, images / "sign-in.png"))
                await page.goto(f"{running.api_url}/#key={key}")
                await expect(page.locator(".row-link").first).to_be_visible()
                for name, path in await views(running.api_url, key):
                    if look and (name in ONE_LOOK or (look != "-phone-dark" and name not in EVERY_LOOK)):
                        continue
                    await page.goto(running.api_url + path)
                    await settled(page)
                    if name == "rule":
                        await tried(page)
                    taken.append(await _shoot(page, images / f"{name}{look}.png"))
    return taken


async def _shoot(page: Page, file: Path) -> Path:
    size = len(await page.screenshot(path=file, animations="disabled"))
    if size > LARGEST:
        raise SystemExit(f"{file.name}: {size} bytes are more than {LARGEST}")
    return file


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", type=Path, default=DATA_DIR, help="That of the `sensorcast up` that runs.")
    parser.add_argument("--images", type=Path, default=IMAGES, help="Where the pictures go.")
    arguments = parser.parse_args()
    arguments.images.mkdir(parents=True, exist_ok=True)
    for picture in asyncio.run(take(arguments.data_dir, arguments.images)):
        print(f"{picture.name}: {picture.stat().st_size:,} bytes")  # noqa: T201 - what was asked for
