"""A large flush is unpacked piece by piece."""

from tests.services.archiver.samples import reading

from sensorcast_archiver.accept import HotBatch
from sensorcast_archiver.hot import slices
from sensorcast_archiver.lake.rows import Rows


def of_size(size: int) -> HotBatch:
    return HotBatch(str(size), Rows.of(reading(i) for i in range(size)))


def test_slices_hold_every_batch_in_order_and_not_too_many_readings() -> None:
    batches = [of_size(size) for size in (3, 4, 3, 20, 1, 9, 1)]
    assert [[batch.batch_id for batch in part] for part in slices(batches, readings=10)] == [
        ["3", "4", "3"],
        ["20"],
        ["1", "9"],
        ["1"],
    ]
    assert list(slices([], readings=10)) == []
