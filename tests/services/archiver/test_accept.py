"""What no store could hold is refused with the name of the field."""

import math

import pytest
from tests.services.archiver.samples import T0, batch, reading

from sensorcast_archiver.accept import accept
from sensorcast_common.errors import Poison
from sensorcast_common.reading import Reading


def test_a_good_batch_is_accepted_in_both_forms() -> None:
    one, two = reading(0), reading(1, metric="humidity")
    accepted = accept(batch(two, one, batch_id="0190163D-8694-739B-AEA5-966C26F8AD91"))
    assert list(accepted.hot.rows.readings()) == [two, one]
    assert accepted.lake.rows is accepted.hot.rows
    assert accepted.oldest_received == one.received_at
    assert accepted.hot.batch_id == accepted.lake.batch_id == "0190163d-8694-739b-aea5-966c26f8ad91"


def test_an_empty_batch_is_accepted() -> None:
    assert accept(batch()).oldest_received == T0


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (reading()._replace(ts=-1), "ts: -1 is not between"),
        (reading()._replace(ts=10**13), "ts: 10000000000000 is not between"),
        (reading()._replace(received_at=-1), "received_at: -1 is not between"),
        (reading(value=math.nan), "value: nan is not finite"),
        (reading(value=math.inf), "value: inf is not finite"),
        (reading(tenant="a#b"), "tenant: 'a#b' is not a name"),
        (reading(device=""), "device: '' is not a name"),
        (reading(metric="m" * 65), "metric: 'mmm"),
    ],
)
def test_what_no_store_could_hold_is_poison(bad: Reading, reason: str) -> None:
    with pytest.raises(Poison) as caught:
        accept(batch(reading(), bad))
    assert caught.value.reason.startswith(reason)


def test_a_batch_id_that_is_no_uuid_is_poison() -> None:
    with pytest.raises(Poison, match="batch_id: 'nope' is not a UUID"):
        accept(batch(reading(), batch_id="nope"))
