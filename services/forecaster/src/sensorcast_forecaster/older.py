"""What the hot store has no longer of devices that report rarely: read from the lake once a day, and kept."""

import asyncio
from collections import defaultdict
from dataclasses import dataclass
from typing import Final, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from sensorcast_common import logs
from sensorcast_common.errors import Retryable
from sensorcast_common.reading import SeriesKey
from sensorcast_forecaster.regularize import RawSeries

_REFRESH_MS: Final = 24 * 3_600_000
_RETRY_MS: Final = 3_600_000

log = logs.logger(__name__)


class RareHistory(Protocol):
    """The port to the lake; `training.history.LakeHistory` is one."""

    async def read_rare(self, tenant: str, metric: str, *, start: int, end: int, most: int) -> list[RawSeries]:
        """The series of a metric that have at most so many readings in a range, `end` exclusive.

        Raises:
            Retryable: They cannot be read now.
        """
        ...


@dataclass(frozen=True, slots=True)
class _Held:
    series: dict[str, RawSeries]
    until: int


class OlderPast:
    """Remembers the older past of whole metrics, since a query costs the same for one device as for all.

    Args:
        lake: Where it comes from.
        reach: How far back, in milliseconds.
        hot: What the hot store is asked for; the lake is read up to a day after that begins, so that the two still
            touch when the day is over.
        spacing_seconds: Devices that report more often are left out.
        max_points: Readings remembered at most of one metric, 16 bytes each; series beyond that do without.
    """

    def __init__(self, lake: RareHistory, *, reach: int, hot: int, spacing_seconds: int, max_points: int) -> None:
        if reach <= hot:
            raise ValueError(f"reach: {reach} must be more than the {hot} of the hot store")
        self.reach = reach
        self._lake = lake
        self._hot = hot
        self._spacing = spacing_seconds
        self._max_points = max_points
        self._held: dict[tuple[str, str], _Held] = {}
        self._busy: defaultdict[tuple[str, str], asyncio.Lock] = defaultdict(asyncio.Lock)

    async def read(self, series: SeriesKey, *, known_at: int) -> RawSeries | None:
        """The older past of a series, or `None` where there is none or the lake does not answer."""
        key = (series.tenant, series.metric)
        async with self._busy[key]:
            held = self._held.get(key)
            if held is None or known_at >= held.until:
                held = self._held[key] = await self._fetch(key, held, known_at)
        return held.series.get(series.device)

    async def _fetch(self, key: tuple[str, str], held: _Held | None, known_at: int) -> _Held:
        start, end = max(0, known_at - self.reach), max(1, known_at - self._hot + _REFRESH_MS)
        most = (end - start) // 1000 // self._spacing
        try:
            found = await self._lake.read_rare(*key, start=start, end=end, most=most)
        except (Retryable, BotoCoreError, ClientError) as error:
            # The hot store's part makes a forecast, too; what was read yesterday is better than nothing.
            log.warning("lake not read for forecasts", tenant=key[0], metric=key[1], error=str(error))
            return _Held({} if held is None else held.series, known_at + _RETRY_MS)
        kept: dict[str, RawSeries] = {}
        points = 0
        for raw in found:
            points += len(raw.ts)
            if points > self._max_points:
                log.warning("older past left out", reason="memory", tenant=key[0], metric=key[1], kept=len(kept))
                break
            kept[raw.series.device] = raw
        return _Held(kept, known_at + _REFRESH_MS)
