"""The past to learn from, as one: the newest days of the hot store, what is older of the lake."""

import asyncio
from collections.abc import Sequence
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from sensorcast_common import logs
from sensorcast_common.errors import Retryable
from sensorcast_forecaster.history import join
from sensorcast_forecaster.regularize import RawSeries
from sensorcast_forecaster.training.history import TrainingHistory

_DAY_MS: Final = 86_400_000
_MINUTE_MS: Final = 60_000

log = logs.logger(__name__)


class JoinedHistory(TrainingHistory):
    """Learns of the newest readings too, which the lake has not got yet, and of these alone where it does not answer.

    Args:
        hot: The newest days.
        lake: All others.
        hot_days: How far back the hot store is asked.
        max_points: Minute means that are read at most, taking each device to report every minute: of many devices the
            lake is asked for fewer days, so that they fit in memory.
    """

    def __init__(self, hot: TrainingHistory, lake: TrainingHistory, *, hot_days: float, max_points: int) -> None:
        self._hot = hot
        self._lake = lake
        self._hot_ms = round(hot_days * _DAY_MS)
        self._max_points = max_points

    async def read(self, tenant: str, metric: str, devices: Sequence[str], *, start: int, end: int) -> list[RawSeries]:
        """One series for each device that has readings; see `TrainingHistory`."""
        since = max(start, end - self._hot_ms)
        start = min(since, max(start, end - _MINUTE_MS * (self._max_points // max(1, len(devices)))))
        newest = await self._hot.read(tenant, metric, devices, start=since, end=end)
        if since == start:
            return newest
        try:
            older = await self._lake.read(tenant, metric, devices, start=start, end=since)
        except (Retryable, BotoCoreError, ClientError) as error:
            # A model of the newest days is worth more than none; the one in use stays if it validates better.
            log.warning("lake not read for training", tenant=tenant, metric=metric, error=str(error))
            return newest
        return await asyncio.to_thread(_joined, older, newest, since, start)


def _joined(older: Sequence[RawSeries], newest: Sequence[RawSeries], since: int, start: int) -> list[RawSeries]:
    """By device; one that changed its unit in between has what is newer, one that fell silent what is older."""
    before, after = ({raw.series: raw for raw in part} for part in (older, newest))
    both = [
        join(before.get(key), after.get(key), since=since, start=start) for key in sorted(before.keys() | after.keys())
    ]
    return [raw for raw in both if raw is not None]
