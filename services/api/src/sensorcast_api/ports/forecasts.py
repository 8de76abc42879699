"""What the API needs to know of forecasts, how good they were, and the models they come from."""

from collections.abc import Sequence
from typing import Protocol

from sensorcast_api.status.models import ModelStatus
from sensorcast_common.forecast import Forecast
from sensorcast_common.reading import SeriesKey
from sensorcast_common.tables.skill import HourSkill


class Forecasts(Protocol):
    """The forecasts of each series."""

    async def latest(self, series: SeriesKey) -> Forecast | None:
        """The newest one."""
        ...

    async def known_at_or_before(self, series: SeriesKey, millis: int) -> Forecast | None:
        """The newest one that was known at a time."""
        ...

    async def known_between(self, series: SeriesKey, *, start: int, end: int) -> Sequence[Forecast]:
        """Those that were known in a range, `end` exclusive, oldest first."""
        ...


class SkillHours(Protocol):
    """How good forecasts were."""

    async def between(self, tenant: str, *, start: int, end: int) -> Sequence[HourSkill]:
        """What is known of the hours that begin in a range, `end` exclusive, oldest first."""
        ...


class Models(Protocol):
    """The trained models."""

    async def in_use(self, tenant: str) -> Sequence[ModelStatus]:
        """Those that forecasts of a tenant come from."""
        ...
