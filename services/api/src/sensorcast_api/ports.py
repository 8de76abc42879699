"""What the API needs of the stores; the DynamoDB tables provide it, and so do the tests' fakes."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from sensorcast_api.status.models import ModelStatus
from sensorcast_api.status.queues import QueueStatus
from sensorcast_common.device import Device
from sensorcast_common.escalation import Escalation
from sensorcast_common.forecast import Forecast
from sensorcast_common.incident import Incident, IncidentEntry, IncidentState
from sensorcast_common.product import ProductProfile
from sensorcast_common.quarantine import Quarantined
from sensorcast_common.reading import SeriesKey
from sensorcast_common.recipient import Recipient
from sensorcast_common.rule import Rule, RuleVersion
from sensorcast_common.silence import Silence
from sensorcast_common.tables.api_keys import ApiKey, Role
from sensorcast_common.tables.device_labels import Unchanged
from sensorcast_common.tables.idempotency import Claim, KeptAnswer
from sensorcast_common.tables.incidents import StoredIncident
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

    async def list(
        self, tenant: str, *, limit: int, cursor: str | None, labels: Mapping[str, str] = ...
    ) -> tuple[Sequence[Device], str | None]:
        """One page by name of those with all of these labels, and where the next one begins."""
        ...

    async def get(self, tenant: str, device: str) -> Device | None:
        """One device."""
        ...


class Labels(Protocol):
    """The names and labels of devices."""

    async def change(
        self,
        tenant: str,
        device: str,
        changes: Mapping[str, str | None],
        *,
        name: str | Unchanged | None = ...,
        expected: int | None = None,
    ) -> Device | None:
        """Change labels and name; `None` where there is no such device; raises `LabelConflict`, `Retryable`."""
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

    async def known_between(self, series: SeriesKey, *, start: int, end: int) -> Sequence[Forecast]:
        """Those that were known in a range, `end` exclusive, oldest first."""
        ...


class SkillHours(Protocol):
    """How good forecasts were."""

    async def between(self, tenant: str, *, start: int, end: int) -> Sequence[HourSkill]:
        """What is known of the hours that begin in a range, `end` exclusive, oldest first."""
        ...


class Incidents(Protocol):
    """The incidents of a tenant."""

    async def list(
        self, tenant: str, *, states: Collection[IncidentState] = (), limit: int, cursor: str | None
    ) -> tuple[Sequence[Incident], str | None]:
        """One page, newest first, and where the next one begins."""
        ...

    async def get(self, tenant: str, incident_id: str) -> Incident | None:
        """One incident."""
        ...

    async def load(self, tenant: str, incident_id: str) -> StoredIncident | None:
        """One incident with its outbox."""
        ...


class Journal(Protocol):
    """What people do with incidents; see `sensorcast_common.tables.incident_journal` for the errors."""

    async def acknowledge(self, tenant: str, incident_id: str, *, by: str, note: str | None, now: int) -> Incident:
        """Note who sees to an open incident."""
        ...

    async def comment(self, tenant: str, incident_id: str, *, by: str, note: str, now: int) -> IncidentEntry:
        """Add a comment."""
        ...

    async def history(self, tenant: str, incident_id: str) -> Sequence[IncidentEntry]:
        """Every transition and comment, oldest first."""
        ...


class Rules(Protocol):
    """The alert rules of a tenant."""

    async def list(self, tenant: str) -> Sequence[Rule]:
        """All of them, by id."""
        ...

    async def get(self, tenant: str, rule_id: str) -> Rule | None:
        """One rule."""
        ...

    async def put(self, rule: Rule, *, by: str) -> None:
        """Store a rule as the version after the one that is there; raises `RuleConflict` where another is there."""
        ...

    async def delete(self, tenant: str, rule_id: str, *, by: str) -> bool:
        """Remove a rule; tells whether there was one; raises `VersionConflict` where it was changed meanwhile."""
        ...

    async def versions(self, tenant: str, rule_id: str) -> Sequence[RuleVersion]:
        """What a rule said from when on and who changed it, newest first."""
        ...


ThingT = TypeVar("ThingT")


class Kept(Protocol[ThingT]):
    """Recipients, escalations or silences; see `sensorcast_common.tables.contact_items` for the errors."""

    async def list(self, tenant: str) -> Sequence[ThingT]:
        """All of a tenant, by id."""
        ...

    async def get(self, tenant: str, identity: str) -> ThingT | None:
        """One of them."""
        ...

    async def put(self, thing: ThingT) -> None:
        """Store it as the version after the one that is there."""
        ...

    async def delete(self, tenant: str, identity: str) -> bool:
        """Remove one; tells whether there was one."""
        ...


class ContactStores(Protocol):
    """Who is told of incidents."""

    @property
    def recipients(self) -> Kept[Recipient]:
        """Who is told."""
        ...

    @property
    def escalations(self) -> Kept[Escalation]:
        """In which order."""
        ...

    @property
    def silences(self) -> Kept[Silence]:
        """When nobody is."""
        ...


class Products(Protocol):
    """The product profiles of a tenant."""

    async def list(self, tenant: str) -> Sequence[ProductProfile]:
        """All of them, by id."""
        ...

    async def get(self, tenant: str, product_id: str) -> ProductProfile | None:
        """One profile."""
        ...

    async def put(self, profile: ProductProfile, *, by: str) -> None:
        """Store a profile as the version after the one that is there; raises `ProductConflict` otherwise."""
        ...

    async def delete(self, tenant: str, product_id: str, *, by: str) -> bool:
        """Remove a profile; tells whether there was one."""
        ...


class ApiKeys(Protocol):
    """The API keys."""

    async def find(self, hashed: str) -> ApiKey | None:
        """The key with this hash."""
        ...

    async def page(self, tenant: str, *, limit: int, cursor: str | None) -> tuple[Sequence[ApiKey], str | None]:
        """One page of a tenant's keys, oldest first, and where the next one begins."""
        ...

    async def create(
        self, *, tenant: str, role: Role, expires_at: int, now: int, name: str = "", scopes: Collection[str] = ()
    ) -> tuple[str, ApiKey]:
        """Make a key; the key itself is not kept."""
        ...

    async def revoke(self, key_id: str, *, now: int, tenant: str | None = None) -> ApiKey | None:
        """Make a key open nothing; `None` if the tenant has no such key."""
        ...


class Quarantine(Protocol):
    """Payloads that could not be accepted."""

    async def put(self, message: Quarantined, *, now: int) -> None:
        """Keep one; the same one again changes nothing."""
        ...

    async def list(self, tenant: str, *, limit: int, cursor: str | None) -> tuple[Sequence[Quarantined], str | None]:
        """One page, newest first, without payloads, and where the next one begins."""
        ...

    async def get(self, tenant: str, message_id: str) -> Quarantined | None:
        """One message with its payload."""
        ...

    async def delete(self, tenant: str, message_id: str) -> bool:
        """Forget a message; tells whether there was one."""
        ...

    async def count(self, tenant: str) -> int:
        """How many there are."""
        ...


class Idempotency(Protocol):
    """Writes that named themselves."""

    async def claim(self, name: str, fingerprint: str, *, now: int) -> Claim:
        """Begin a write, unless one of this name has begun."""
        ...

    async def finish(self, name: str, answer: KeptAnswer) -> None:
        """Keep what it was answered."""
        ...

    async def release(self, name: str) -> None:
        """Forget it: it failed."""
        ...


class Resend(Protocol):
    """Publishes on the broker."""

    async def publish(self, topic: str, payload: bytes) -> None:
        """Publish and wait until the broker has taken it; raises `BrokerAway` where it has not."""
        ...


class Queues(Protocol):
    """The stack's queues."""

    async def look(self) -> Sequence[QueueStatus]:
        """How many messages wait in each."""
        ...


class Models(Protocol):
    """The trained models."""

    async def in_use(self, tenant: str) -> Sequence[ModelStatus]:
        """Those that forecasts of a tenant come from."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """All of the above."""

    devices: Devices
    labels: Labels
    readings: Readings
    forecasts: Forecasts
    skill: SkillHours
    incidents: Incidents
    journal: Journal
    rules: Rules
    contacts: ContactStores
    products: Products
    api_keys: ApiKeys
    quarantine: Quarantine
    idempotency: Idempotency
    queues: Queues
    models: Models
