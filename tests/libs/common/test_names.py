"""Names from topics are checked before they become keys."""

import pytest

from sensorcast_common.names import Names, ReadingsTopic, is_name


def test_a_topic_gives_tenant_and_device() -> None:
    assert ReadingsTopic.parse("dt/acme/truck-7/readings") == ReadingsTopic(tenant="acme", device="truck-7")


@pytest.mark.parametrize(
    ("topic", "part"),
    [
        ("dt/acme/truck-7", "expected dt/"),
        ("dt/acme/truck-7/alerts", "expected dt/"),
        ("dt//truck-7/readings", "tenant ''"),
        ("dt/ac#me/truck-7/readings", "tenant"),
        ("dt/acme/tr uck/readings", "device"),
        ("dt/acme/" + "x" * 65 + "/readings", "device"),
    ],
)
def test_a_bad_topic_is_refused_by_part(topic: str, part: str) -> None:
    with pytest.raises(ValueError, match=part):
        ReadingsTopic.parse(topic)


@pytest.mark.parametrize("text", ["a'b", "a;b", "a/b", "a+b", "a#b", "-a", "", "ä", "a\n"])
def test_what_could_mean_something_elsewhere_is_no_name(text: str) -> None:
    assert not is_name(text)


def test_two_stacks_share_no_name() -> None:
    one, two = Names("one"), Names("two")
    assert not set(one.queues + one.tables) & set(two.queues + two.tables)
