"""Reads numbers from the services' /metrics pages."""

from dataclasses import dataclass, field
from typing import Final

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from sensorcast_local.command import LOOPBACK

TIMEOUT: Final = aiohttp.ClientTimeout(total=2)


@dataclass(frozen=True, slots=True)
class Page:
    """One service's metrics at one moment.

    Attributes:
        values: Sum over all labels by sample name.
    """

    values: dict[str, float] = field(default_factory=dict)

    def get(self, name: str) -> float | None:
        """The sum of a sample over its labels; `None` where the page has none of that name."""
        return self.values.get(name)

    def mean(self, histogram: str, *, since: "Page") -> float | None:
        """Mean of what a histogram has observed since an earlier page; `None` where it has observed nothing."""
        count = self.values.get(f"{histogram}_count", 0.0) - since.values.get(f"{histogram}_count", 0.0)
        total = self.values.get(f"{histogram}_sum", 0.0) - since.values.get(f"{histogram}_sum", 0.0)
        return total / count if count > 0 else None


def parse(text: str) -> Page:
    """Read the text form of Prometheus."""
    values: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            values[sample.name] = values.get(sample.name, 0.0) + sample.value
    return Page(values)


async def fetch(http: aiohttp.ClientSession, port: int) -> Page | None:
    """A service's page; `None` where it does not answer."""
    try:
        async with http.get(f"http://{LOOPBACK}:{port}/metrics", timeout=TIMEOUT) as response:
            return parse(await response.text()) if response.status == 200 else None
    except (aiohttp.ClientError, TimeoutError):
        return None


async def answers(http: aiohttp.ClientSession, port: int, path: str) -> bool:
    """Whether a service says yes at `path`, such as /readyz."""
    try:
        async with http.get(f"http://{LOOPBACK}:{port}{path}", timeout=TIMEOUT) as response:
            return response.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False
