"""A write is due by time, by weight, by count, or because the service stops."""

import pytest

from sensorcast_archiver.accumulate import Pending


def pending() -> Pending[str]:
    return Pending(seconds=10, weight=100, count=3)


def test_nothing_is_due_while_nothing_waits() -> None:
    assert pending().due_in(50.0) is None


def test_a_write_is_due_some_time_after_the_first_item() -> None:
    waiting = pending()
    waiting.add("a", weight=1, now=5.0)
    waiting.add("b", weight=1, now=12.0)
    assert waiting.due_in(12.0) == 3.0
    assert waiting.due_in(15.0) == 0.0
    assert waiting.due_in(99.0) == 0.0


def test_the_time_starts_anew_after_a_write() -> None:
    waiting = pending()
    waiting.add("a", weight=1, now=5.0)
    assert waiting.take() == ["a"]
    assert waiting.due_in(20.0) is None
    waiting.add("b", weight=1, now=20.0)
    assert waiting.due_in(20.0) == 10.0


def test_weight_and_count_make_it_due_at_once() -> None:
    heavy, many = pending(), pending()
    heavy.add("a", weight=100, now=0.0)
    assert heavy.due_in(0.0) == 0.0
    for item in "abc":
        many.add(item, weight=1, now=0.0)
    assert many.due_in(0.0) == 0.0
    assert many.take() == ["a", "b", "c"]


def test_a_write_does_not_wait_once_it_is_hurried() -> None:
    waiting = pending()
    waiting.hurry()
    assert waiting.due_in(0.0) is None
    waiting.add("a", weight=1, now=0.0)
    assert waiting.due_in(0.0) == 0.0


def test_limits_must_be_positive() -> None:
    with pytest.raises(ValueError, match="seconds: 0 must be positive"):
        Pending[str](seconds=0, weight=1, count=1)
