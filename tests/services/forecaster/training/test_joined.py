"""What is learnt from is read from hot store and lake as one past, and from the hot store alone where it must be."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from sensorcast_common.errors import Retryable
from sensorcast_common.reading import SeriesKey
from sensorcast_forecaster.regularize import RawSeries
from sensorcast_forecaster.training.history import TrainingHistory
from sensorcast_forecaster.training.joined import JoinedHistory

HOUR, DAY = 3_600_000, 86_400_000
NOW = 1_767_225_600_000


@dataclass(slots=True)
class Hourly(TrainingHistory):
    """A reading an hour of each device, from a time to another; its value is its time."""

    first: int = 0
    last: int = NOW
    unit: str = "Cel"
    fault: Exception | None = None
    asked: list[tuple[int, int]] = field(default_factory=list)

    async def read(self, tenant: str, metric: str, devices: Sequence[str], *, start: int, end: int) -> list[RawSeries]:
        """Those in the range."""
        self.asked.append((start, end))
        if self.fault is not None:
            raise self.fault
        ts = np.arange(-(-max(start, self.first) // HOUR) * HOUR, min(end, self.last + 1), HOUR, dtype=np.int64)
        if not len(ts):
            return []
        return [
            RawSeries(SeriesKey(tenant, device, metric), self.unit, ts, ts.astype(np.float64)) for device in devices
        ]


Raws = list[RawSeries]


async def read(hot: Hourly, lake: Hourly, *, devices: int = 1, days: int = 60, max_points: int = 1_000_000) -> Raws:
    joined = JoinedHistory(hot, lake, hot_days=7, max_points=max_points)
    names = [f"fridge-{number}" for number in range(devices)]
    return await joined.read("acme", "temperature", names, start=NOW - days * DAY, end=NOW + 1)


async def test_each_reading_is_there_once() -> None:
    (raw,) = await read(Hourly(), Hourly())
    np.testing.assert_array_equal(raw.ts, np.arange(NOW - 60 * DAY, NOW + 1, HOUR))
    np.testing.assert_array_equal(raw.values, raw.ts)


async def test_the_lake_is_not_asked_for_what_the_hot_store_has() -> None:
    lake = Hourly()
    (raw,) = await read(Hourly(), lake, days=5)
    assert (len(raw.ts), lake.asked) == (5 * 24 + 1, [])


@pytest.mark.parametrize("fault", [Retryable("athena: failed", after=60)])
async def test_a_lake_that_does_not_answer_leaves_the_hot_store(fault: Exception) -> None:
    (raw,) = await read(Hourly(), Hourly(fault=fault))
    assert raw.ts[0] == NOW + 1 - 7 * DAY + HOUR - 1


async def test_of_many_devices_fewer_days_are_read_but_no_fewer_than_the_hot_store_has() -> None:
    lake = Hourly()
    await read(Hourly(), lake, devices=10, max_points=10 * 14 * 1440)
    assert lake.asked == [(NOW + 1 - 14 * DAY, NOW + 1 - 7 * DAY)]
    hot, lake = Hourly(), Hourly()
    await read(hot, lake, devices=10, max_points=10)
    assert (hot.asked, lake.asked) == ([(NOW + 1 - 7 * DAY, NOW + 1)], [])


async def test_a_device_that_is_silent_now_is_learnt_from_and_one_with_a_new_unit_only_as_it_is() -> None:
    (silent,) = await read(Hourly(first=NOW + 1), Hourly())
    assert silent.ts[-1] < NOW + 1 - 7 * DAY
    (changed,) = await read(Hourly(), Hourly(unit="K"))
    assert (changed.unit, len(changed.ts)) == ("Cel", 7 * 24)
