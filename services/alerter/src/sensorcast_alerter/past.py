"""The readings of the past, from the hot store."""

from collections.abc import Sequence

from sensorcast_common.reading import SeriesKey
from sensorcast_common.tables.hot_store import HotStore
from sensorcast_rules.measure import Point


class HotPast:
    """Reads one series of the hot store; see `sensorcast_rules.ports.Past`.

    Args:
        store: The hot store.
    """

    def __init__(self, store: HotStore) -> None:
        self._store = store

    async def read(self, series: SeriesKey, *, start: int, end: int) -> Sequence[Point]:
        """The readings of a series with `start` <= ts < `end`, by time; one value per time."""
        found = await self._store.read(
            series.tenant, series.device, start=max(0, start), end=max(0, end), metrics=[series.metric]
        )
        columns = found.get(series.metric)
        return [] if columns is None else [Point(*each) for each in zip(columns.ts, columns.value, strict=True)]
