"""What the page carries: first paint, the way from a device's publish to the drawn chart, and the frames of a fleet.

`python -m benchmarks.page_load [--rate N] [--seconds N] [--devices N]`

A real Mosquitto, the API in a process of its own with its stores in memory, and the built page in headless Chromium.
Readings carry the time of their publish. The chart leaves a mark in the browser's timeline when ECharts has rendered,
with the newest point that it holds; all clocks are this machine's. How steadily frames come is what
`requestAnimationFrame` says, beside an empty page in the same browser: without a graphics card, and with other work on
the machine, that floor is what the fleet can reach.
"""

import argparse
import asyncio
import json
import os
import statistics
import tempfile
import time
from bisect import bisect_left
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, Self, cast

import aiomqtt
from benchmarks.api_load import Server, running
from playwright.async_api import CDPSession, Page, expect
from tests.servers.broker import MosquittoServer
from tests.services.api.page.browser import Browsing, find_chromium, launched

WATCHED: Final = "truck-1"
FLEET: Final = 100

VISITS: Final = 7

PAINTED: Final = "performance.getEntriesByName('first-contentful-paint')[0].startTime"

RECORD_DRAWS: Final = """() => {
    window.draws = [];
    new PerformanceObserver((list) => {
        const drawn = list.getEntries().filter(({name}) => name === "chart-drawn");
        window.draws.push(...drawn.map(({detail}) => [detail.at, detail.newest]));
    }).observe({entryTypes: ["mark"]});
}"""

RECORD_FRAMES: Final = """() => {
    window.frames_ = [];
    let last = performance.now();
    const step = (now) => {
        window.frames_.push(now - last);
        last = now;
        requestAnimationFrame(step);
    };
    requestAnimationFrame((now) => { last = now; requestAnimationFrame(step); });
}"""

SCROLL: Final = """(scrolling) => {
    window.scrolling = scrolling;
    const step = () => {
        if (!window.scrolling) return;
        const most = document.documentElement.scrollHeight - innerHeight;
        const at = (performance.now() / 4000) % 2;
        scrollTo({top: most * (at < 1 ? at : 2 - at), behavior: "instant"});
        requestAnimationFrame(step);
    };
    step();
}"""


def percentiles(values: Sequence[float], *wanted: int) -> str:
    """Percentiles as text, in milliseconds."""
    cuts = statistics.quantiles(values, n=100)
    return ", ".join(f"p{each} {cuts[each - 1]:,.0f} ms" for each in wanted)


async def publish(
    broker: MosquittoServer, *, rate: int, seconds: float, devices: Sequence[str]
) -> list[tuple[str, int]]:
    """Send readings in turn for all devices, each with the time of its publish; returns device and time of each."""
    sent: list[tuple[str, int]] = []
    async with aiomqtt.Client(broker.host, broker.port) as client:
        began = time.perf_counter()
        for number in range(round(rate * seconds)):
            await asyncio.sleep(max(0.0, began + number / rate - time.perf_counter()))
            device, now = devices[number % len(devices)], time.time_ns() // 1_000_000
            payload = {"ts": now, "metric": "temperature", "value": 4 + number % 40 / 20, "unit": "Cel"}
            await client.publish(f"dt/acme/{device}/readings", json.dumps(payload), qos=0)
            sent.append((device, now))
    return sent


async def sign_in(page: Page, server: Server, path: str) -> None:
    """Open a view that is live."""
    await page.goto(f"http://127.0.0.1:{server.port}{path}#key={server.key}")
    await expect(page.locator(".connection")).to_have_text("Live")


async def chart_latency(browsing: Browsing, *, rate: int, seconds: float, devices: Sequence[str]) -> None:
    """Print how long readings of the watched device take until the chart has drawn them, while all devices send."""
    async with serving(FLEET) as (server, broker), browsing() as page:
        await page.add_init_script(f"({RECORD_DRAWS})()")
        await sign_in(page, server, f"/devices/{WATCHED}")
        await expect(page.locator(".chart-loading")).to_have_count(0)
        async with watching_all(server):
            began = time.perf_counter()
            sent = await publish(broker, rate=rate, seconds=seconds, devices=devices)
            took = time.perf_counter() - began
        wanted = [at for device, at in sent if device == WATCHED]
        await page.wait_for_function("last => window.draws.at(-1)?.[1] >= last", arg=wanted[-1], timeout=60_000)
        draws = cast(
            "list[tuple[int, int]]", await page.evaluate("window.draws.filter(([, newest]) => newest !== null)")
        )
    newest = [each for _, each in draws]
    waits = [draws[bisect_left(newest, at)][0] - at for at in wanted]
    print(
        f"MQTT publish to the drawn chart, {len(sent) / took:,.0f} readings/s for {took:.0f} s, of which "
        f"{len(wanted):,} are shown: {percentiles(waits, 50, 95, 99)}, longest {max(waits):,} ms"
    )


@asynccontextmanager
async def serving(devices: int) -> AsyncIterator[tuple[Server, MosquittoServer]]:
    """A broker, and the API that listens to it and knows so many devices."""
    with tempfile.TemporaryDirectory() as folder, MosquittoServer(state_dir=Path(folder)) as broker:
        async with running("page", broker.port, devices=devices) as server:
            yield server, broker


@asynccontextmanager
async def watching_all(server: Server) -> AsyncIterator[None]:
    """Somebody else watches the whole fleet, so that the API takes in everything that is published."""
    reader, writer = await server.connect()
    writer.write(server.request("/v1/events?kind=readings"))
    await reader.readuntil(b'"live":true')

    async def drain() -> None:
        while await reader.read(65_536):
            pass

    draining = asyncio.create_task(drain())
    try:
        yield
    finally:
        draining.cancel()
        writer.close()


async def first_paint(browsing: Browsing) -> None:
    """Print when a newcomer's browser, which has nothing of the page yet, shows something, and when the fleet."""
    paints: list[float] = []
    shown: list[float] = []
    async with serving(FLEET) as (server, _):
        for _ in range(VISITS):
            async with browsing() as page:
                began = time.perf_counter()
                await page.goto(f"http://127.0.0.1:{server.port}/#key={server.key}", wait_until="commit")
                await expect(page.locator(".row-link")).to_have_count(FLEET)
                shown.append((time.perf_counter() - began) * 1000)
                paints.append(cast("float", await page.evaluate(PAINTED)))
    print(
        f"First paint {statistics.median(paints):,.0f} ms (longest of {VISITS} {max(paints):,.0f}), "
        f"{FLEET} devices on the screen after {statistics.median(shown):,.0f} ms (longest {max(shown):,.0f})"
    )


class MainThread:
    """How much of a processor the page's main thread takes, whatever else the machine does.

    Args:
        session: Of the DevTools protocol, domain Performance.
    """

    def __init__(self, session: CDPSession) -> None:
        self._session = session

    @classmethod
    async def of(cls, page: Page) -> Self:
        """That of a page."""
        session = await page.context.new_cdp_session(page)
        await session.send("Performance.enable", {"timeDomain": "threadTicks"})
        return cls(session)

    async def seconds(self) -> float:
        """CPU seconds of all its tasks so far."""
        found = await self._session.send("Performance.getMetrics")
        return next(float(each["value"]) for each in found["metrics"] if each["name"] == "TaskDuration")


async def frames(page: Page, name: str, seconds: float, during: Callable[[], Awaitable[object]] | None = None) -> None:
    """Print the intervals between frames, and the work that they are, while something goes on."""
    thread = await MainThread.of(page)
    await page.evaluate(RECORD_FRAMES)
    began, worked = time.perf_counter(), await thread.seconds()
    await (during() if during else asyncio.sleep(seconds))
    busy = (await thread.seconds() - worked) / (time.perf_counter() - began)
    taken = cast("list[float]", await page.evaluate("window.frames_"))
    print(
        f"  {name}: {len(taken):,} frames, {percentiles(taken, 50, 95, 99)}, longest {max(taken):,.0f} ms, "
        f"main thread {busy:.0%} of a processor"
    )


async def fleet_frames(browsing: Browsing, *, rate: int, seconds: float, devices: int) -> None:
    """Print how steadily a fleet is drawn, beside an empty page in the same browser."""
    print(f"Frames, fleet of {devices:,} devices, {rate:,} readings/s:")
    async with serving(devices) as (server, broker), browsing() as page:
        await page.goto("about:blank")
        await frames(page, "an empty page", seconds)
        await sign_in(page, server, "/")
        await expect(page.locator(".row-link")).to_have_count(devices, timeout=60_000)
        names = [f"truck-{number}" for number in range(devices)]
        await frames(page, "the fleet, nothing comes", seconds)

        async def send() -> None:
            await publish(broker, rate=rate, seconds=seconds, devices=names)

        await frames(page, "readings come", seconds, send)
        await page.evaluate(SCROLL, True)
        await frames(page, "readings come, and somebody scrolls", seconds, send)
        await page.evaluate("window.scrolling = false")


async def measure(rate: int, seconds: float, devices: int) -> None:
    """Print all figures."""
    print(f"Load of the machine before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    async with launched() as browser:
        browsing = Browsing(browser)
        await first_paint(browsing)
        fleet = [f"truck-{number}" for number in range(FLEET)]
        await chart_latency(browsing, rate=rate, seconds=seconds, devices=fleet)
        await chart_latency(browsing, rate=rate, seconds=seconds, devices=[WATCHED])
        await fleet_frames(browsing, rate=rate, seconds=seconds, devices=devices)


def main() -> None:
    """Run as the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=1_000, help="readings per second")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each measurement")
    parser.add_argument("--devices", type=int, default=1_000, help="of the fleet whose frames are measured")
    given = parser.parse_args()
    if find_chromium() is None:
        raise SystemExit("Chromium is not installed: `make chromium` installs it as root on Debian")
    asyncio.run(measure(given.rate, given.seconds, given.devices))


if __name__ == "__main__":
    main()
