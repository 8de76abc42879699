"""A device is written when there is something to tell, and seldom else."""

import pytest

from sensorcast_common.clock import from_millis
from sensorcast_common.device import REFRESH_MS, Device, MetricState, Sighting
from sensorcast_common.tables.devices import is_news

NOW = 1_764_000_000_000
DAY_MS = 86_400_000


def state(ts: int, unit: str = "Cel") -> MetricState:
    return MetricState(unit=unit, last_ts=from_millis(ts), last_value=4.0)


def known(ts: int) -> Device:
    moment = from_millis(NOW)
    return Device(tenant="t", device="d", metrics={"a": state(ts)}, first_seen=moment, last_seen=moment)


@pytest.mark.parametrize(
    ("metrics", "received", "news"),
    [
        ({"a": state(NOW + 1000)}, NOW + 1000, False),
        ({"a": state(NOW + REFRESH_MS)}, NOW + REFRESH_MS, True),
        ({"b": state(NOW)}, NOW, True),
        ({"a": state(NOW + 1, "K")}, NOW, True),
        ({"a": state(NOW - DAY_MS)}, NOW + 1000, False),
    ],
)
def test_news_are_new_metrics_new_units_and_five_minutes(
    metrics: dict[str, MetricState], received: int, news: bool
) -> None:
    assert is_news(known(NOW), Sighting("t", "d", metrics, received, received)) is news


def test_device_that_catches_up_is_not_shown_a_day_behind() -> None:
    sighting = Sighting("t", "d", {"a": state(NOW)}, NOW + 1000, NOW + 1000)
    assert is_news(known(NOW - DAY_MS), sighting)
