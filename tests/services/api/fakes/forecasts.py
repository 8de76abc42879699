"""Forecasts, how good they were, and models, in memory."""

from collections.abc import Sequence

from tests.services.api.fakes.times import NOW

from sensorcast_api import examples
from sensorcast_api.ports import Forecasts, Models, SkillHours
from sensorcast_api.status.models import ModelStatus
from sensorcast_common.clock import from_millis, to_millis
from sensorcast_common.forecast import Forecast
from sensorcast_common.reading import SeriesKey
from sensorcast_common.tables.skill import HourSkill


class FakeForecasts(Forecasts):
    def __init__(self) -> None:
        self.items: list[Forecast] = []
        self.reads: list[SeriesKey] = []

    def put(self, tenant: str, device: str, known_at: int) -> None:
        changed = {"tenant": tenant, "device": device, "known_at": from_millis(known_at)}
        self.items.append(examples.FORECAST.model_copy(update=changed))

    async def latest(self, series: SeriesKey) -> Forecast | None:
        self.reads.append(series)
        return await self.known_at_or_before(series, NOW * 2)

    async def known_at_or_before(self, series: SeriesKey, millis: int) -> Forecast | None:
        fitting = [each for each in self.items if each.series == series and to_millis(each.known_at) <= millis]
        return max(fitting, key=lambda each: each.known_at, default=None)

    async def known_between(self, series: SeriesKey, *, start: int, end: int) -> Sequence[Forecast]:
        fitting = [each for each in self.items if each.series == series and start <= to_millis(each.known_at) < end]
        return sorted(fitting, key=lambda each: each.known_at)


class FakeSkill(SkillHours):
    def __init__(self) -> None:
        self.items: list[HourSkill] = []

    async def between(self, tenant: str, *, start: int, end: int) -> Sequence[HourSkill]:
        return [each for each in self.items if each.tenant == tenant and start <= each.hour < end]


class FakeModels(Models):
    def __init__(self) -> None:
        self.items: dict[str, Sequence[ModelStatus]] = {}

    async def in_use(self, tenant: str) -> Sequence[ModelStatus]:
        return self.items.get(tenant, [])
