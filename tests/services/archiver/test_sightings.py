"""A device costs a write when it has something to tell, and seldom else."""

from tests.services.archiver.samples import T0, reading

from sensorcast_archiver.sightings import SeenDevices
from sensorcast_common.clock import to_millis
from sensorcast_common.device import Sighting
from sensorcast_common.reading import Reading

FIVE_MINUTES = 300.0


def tell(seen: SeenDevices, *readings: Reading) -> list[Sighting]:
    news = seen.news(readings)
    seen.recorded(news)
    return news


def test_a_new_device_is_told_with_its_newest_values() -> None:
    (news,) = SeenDevices(capacity=10).news([reading(5, 2.0), reading(9, 3.0), reading(7, 1.0, metric="humidity")])
    assert (news.tenant, news.device) == ("acme", "truck-1")
    assert {name: state.last_value for name, state in news.metrics.items()} == {"temperature": 3.0, "humidity": 1.0}
    assert to_millis(news.metrics["temperature"].last_ts) == T0 + 9000
    assert (news.first_received, news.last_received) == (T0 + 5080, T0 + 9080)


def test_it_is_told_again_after_five_minutes_and_not_before() -> None:
    seen = SeenDevices(capacity=10)
    assert tell(seen, reading(0))
    assert not tell(seen, reading(10))
    assert not tell(seen, reading(FIVE_MINUTES - 1))
    assert tell(seen, reading(FIVE_MINUTES))
    assert not tell(seen, reading(FIVE_MINUTES + 10))


def test_a_new_metric_or_unit_is_told_at_once() -> None:
    seen = SeenDevices(capacity=10)
    tell(seen, reading(0))
    assert tell(seen, reading(1, metric="humidity"))
    assert tell(seen, reading(2, unit="K"))
    assert not tell(seen, reading(3), reading(3, metric="humidity"))


def test_a_device_that_catches_up_on_its_past_is_told() -> None:
    seen = SeenDevices(capacity=10)
    received = T0 + 10**9
    tell(seen, reading(0)._replace(received_at=received))
    assert tell(seen, reading(FIVE_MINUTES)._replace(received_at=received + 1))


def test_what_was_not_recorded_is_news_again() -> None:
    seen = SeenDevices(capacity=10)
    assert seen.news([reading(0)])
    assert seen.news([reading(1)])


def test_the_device_silent_for_longest_is_forgotten_first() -> None:
    seen = SeenDevices(capacity=2)
    tell(seen, reading(0, device="a"))
    tell(seen, reading(1, device="b"))
    tell(seen, reading(2, device="a"))
    tell(seen, reading(3, device="c"))
    assert len(seen) == 2
    assert not tell(seen, reading(4, device="a"))
    assert tell(seen, reading(5, device="b"))


def test_devices_of_two_tenants_are_two() -> None:
    assert len(SeenDevices(capacity=10).news([reading(0, tenant="a"), reading(0, tenant="b")])) == 2
