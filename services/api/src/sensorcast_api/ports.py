"""What the API needs of the stores; the DynamoDB tables provide it, and so do the tests' fakes."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from sensorcast_common.device import Device
from sensorcast_common.forecast import Forecast
from sensorcast_common.incident import Incident, IncidentState
from sensorcast_common.reading import SeriesKey
from sensorcast_common.rule import Rule
from sensorcast_common.tables.api_keys import ApiKey
from sensorcast_common.tables.skill import HourSkill


class Series(Protocol):
    """One metric's readings: `ts` in milliseconds since 1970 UTC, ascending and unique, with a value each."""

    @property
    def ts(self) -> Sequence[int]:
        """Times."""
        ...

    @property
    def value(self) -> Sequence[float]:
        """Values, as many as times."""
        ...

    @property
    def unit(self) -> str:
        """SenML unit of all values."""
        ...


class Devices(Protocol):
    """The devices of a tenant."""

    async def list(self, tenant: str, *, limit: int, cursor: str | None) -> tuple[Sequence[Device], str | None]:
        """One page by name, and where the next one begins."""
        ...

    async def get(self, tenant: str, device: str) -> Device | None:
        """One device."""
        ...


class Readings(Protocol):
    """The hot store."""

    async def read(
        self, tenant: str, device: str, *, start: int, end: int, metrics: Collection[str] | None = None
    ) -> Mapping[str, Series]:
        """Readings of a device with `start` <= ts < `end`, by metric."""
        ...


class Forecasts(Protocol):
    """The forecasts of each series."""

    async def latest(self, series: SeriesKey) -> Forecast | None:
        """The newest one."""
        ...

    async def known_at_or_before(self, series: SeriesKey, millis: int) -> Forecast | None:
        """The newest one that was known at a time."""
        ...


class SkillHours(Protocol):
    """How good forecasts were."""

    async def between(self, tenant: str, *, start: int, end: int) -> Sequence[HourSkill]:
        """What is known of the hours that begin in a range, `end` exclusive, oldest first."""
        ...


class Incidents(Protocol):
    """The incidents of a tenant."""

    async def list(
        self, tenant: str, *, state: IncidentState | None = None, limit: int, cursor: str | None
    ) -> tuple[Sequence[Incident], str | None]:
        """One page, newest first, and where the next one begins."""
        ...

    async def get(self, tenant: str, incident_id: str) -> Incident | None:
        """One incident."""
        ...


class Rules(Protocol):
    """The alert rules of a tenant."""

    async def list(self, tenant: str) -> Sequence[Rule]:
        """All of them, by id."""
        ...

    async def get(self, tenant: str, rule_id: str) -> Rule | None:
        """One rule."""
        ...

    async def put(self, rule: Rule) -> None:
        """Store a rule as the version after the one that is there; raises `RuleConflict` where another is there."""
        ...

    async def delete(self, tenant: str, rule_id: str) -> bool:
        """Remove a rule; tells whether there was one."""
        ...


class ApiKeys(Protocol):
    """The API keys."""

    async def find(self, hashed: str) -> ApiKey | None:
        """The key with this hash."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """All of the above."""

    devices: Devices
    readings: Readings
    forecasts: Forecasts
    skill: SkillHours
    incidents: Incidents
    rules: Rules
    api_keys: ApiKeys
