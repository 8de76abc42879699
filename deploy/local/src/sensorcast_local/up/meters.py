"""Reads numbers from the services' /metrics pages."""

from collections.abc import Container
from dataclasses import dataclass
from typing import Final, NamedTuple

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from sensorcast_local.command import LOOPBACK

TIMEOUT: Final = aiohttp.ClientTimeout(total=2)


class Sample(NamedTuple):
    """One line of a metrics page."""

    name: str
    labels: dict[str, str]
    value: float


@dataclass(frozen=True, slots=True)
class Page:
    """One service's metrics at one moment."""

    samples: tuple[Sample, ...] = ()

    def total(self, name: str, **labels: Container[str]) -> float | None:
        """The sum of all samples of a name; `None` where there is none.

        Args:
            name: As on the page, with `_total` and the like.
            **labels: Values that a label may have to be counted.
        """
        values = [
            sample.value
            for sample in self.samples
            if sample.name == name and all(sample.labels.get(label) in wanted for label, wanted in labels.items())
        ]
        return sum(values) if values else None

    def mean(self, histogram: str, *, since: "Page", **labels: Container[str]) -> float | None:
        """Mean of what a histogram has observed since an earlier page; `None` where it has observed nothing."""
        count, total = (
            (self.total(f"{histogram}_{part}", **labels) or 0.0) - (since.total(f"{histogram}_{part}", **labels) or 0.0)
            for part in ("count", "sum")
        )
        return total / count if count > 0 else None


def parse(text: str) -> Page:
    """Read the text form of Prometheus."""
    return Page(
        tuple(
            Sample(sample.name, dict(sample.labels), sample.value)
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        )
    )


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
