"""The API's ports in memory, and a world with two tenants that know nothing of each other."""

import secrets
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import httpx
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from sensorcast_api import examples
from sensorcast_api.asgi import make_app
from sensorcast_api.credentials import AnyCredential
from sensorcast_api.keyring import KeyRing
from sensorcast_api.metrics import ApiMetrics
from sensorcast_api.oidc.tokens import Tokens
from sensorcast_api.ports import (
    ApiKeys,
    Devices,
    Forecasts,
    Idempotency,
    Incidents,
    Journal,
    Kept,
    Labels,
    Models,
    Products,
    Quarantine,
    Queues,
    Readings,
    Resend,
    Rules,
    SkillHours,
    Stores,
)
from sensorcast_api.quarantine.resend import BrokerAway
from sensorcast_api.rates import Rates
from sensorcast_api.server import HttpServer
from sensorcast_api.services import Limits, Services
from sensorcast_api.status.models import ModelStatus
from sensorcast_api.status.queues import QueueStatus
from sensorcast_api.stream.hub import Hub
from sensorcast_api.stream.subscriptions import Subscriptions
from sensorcast_common.clock import from_millis, to_millis
from sensorcast_common.device import Device
from sensorcast_common.escalation import Escalation
from sensorcast_common.forecast import Forecast
from sensorcast_common.incident import LIVE_STATES, Incident, IncidentEntry, IncidentState, Notice
from sensorcast_common.lifecycle import Lifecycle
from sensorcast_common.product import ProductProfile
from sensorcast_common.quarantine import Quarantined
from sensorcast_common.reading import SeriesKey
from sensorcast_common.recipient import Recipient
from sensorcast_common.rule import Rule, RuleVersion
from sensorcast_common.silence import Silence
from sensorcast_common.tables.api_keys import ApiKey, Role, key_hash
from sensorcast_common.tables.contact_items import ContactConflict, ContactKind, ModelT
from sensorcast_common.tables.contacts import ESCALATION, RECIPIENT, SILENCE
from sensorcast_common.tables.device_labels import LabelConflict, Unchanged
from sensorcast_common.tables.hot_chunk import SeriesColumns
from sensorcast_common.tables.idempotency import Claim, KeptAnswer, Stage
from sensorcast_common.tables.incident_journal import NotLive, entry_of
from sensorcast_common.tables.incidents import StoredIncident
from sensorcast_common.tables.products import ProductConflict
from sensorcast_common.tables.rules import RuleConflict
from sensorcast_common.tables.skill import HourSkill

NOW = 1_780_000_000_000
DAY = 86_400_000


class FakeDevices(Devices):
    def __init__(self) -> None:
        self.items: dict[tuple[str, str], Device] = {}

    def put(self, tenant: str, device: str) -> None:
        self.items[tenant, device] = examples.DEVICE.model_copy(update={"tenant": tenant, "device": device})

    async def list(
        self, tenant: str, *, limit: int, cursor: str | None, labels: Mapping[str, str] = MappingProxyType({})
    ) -> tuple[Sequence[Device], str | None]:
        if cursor == "broken":
            raise ValueError("cursor: not one of ours")
        found = [self.items[key] for key in sorted(self.items) if key[0] == tenant and key[1] > (cursor or "")]
        found = [device for device in found if labels.items() <= device.labels.items()]
        return found[:limit], found[limit - 1].device if len(found) > limit else None

    async def get(self, tenant: str, device: str) -> Device | None:
        return self.items.get((tenant, device))


class FakeLabels(Labels):
    def __init__(self, devices: FakeDevices) -> None:
        self.items = devices.items

    async def change(
        self,
        tenant: str,
        device: str,
        changes: Mapping[str, str | None],
        *,
        name: str | Unchanged | None = Unchanged.NAME,
        expected: int | None = None,
    ) -> Device | None:
        known = self.items.get((tenant, device))
        if known is None:
            return None
        if expected is not None and expected != known.labels_version:
            raise LabelConflict(known.labels_version)
        labels = {label: value for label, value in {**known.labels, **changes}.items() if value is not None}
        called = known.name if name is Unchanged.NAME else name
        update = {"name": called, "labels": labels, "labels_version": known.labels_version + 1}
        self.items[tenant, device] = known.model_copy(update=update)
        return self.items[tenant, device]


class FakeReadings(Readings):
    def __init__(self) -> None:
        self.points: dict[tuple[str, str, str], dict[int, float]] = {}
        self.unit: Callable[[int], str] = lambda _: "Cel"
        self.widest = 0

    def put(self, tenant: str, device: str, ts: int, value: float, metric: str = "temperature") -> None:
        self.points.setdefault((tenant, device, metric), {})[ts] = value

    async def read(
        self, tenant: str, device: str, *, start: int, end: int, metrics: Collection[str] | None = None
    ) -> Mapping[str, SeriesColumns]:
        self.widest = max(self.widest, end - start)
        found: dict[str, SeriesColumns] = {}
        for (of, name, metric), points in self.points.items():
            if (of, name) != (tenant, device) or (metrics is not None and metric not in metrics):
                continue
            inside = sorted(ts for ts in points if start <= ts < end)
            if inside:
                unit = self.unit(inside[-1])
                inside = [ts for ts in inside if self.unit(ts) == unit]
                found[metric] = SeriesColumns(ts=inside, value=[points[ts] for ts in inside], unit=unit)
        return found


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


class FakeIncidents(Incidents):
    def __init__(self) -> None:
        self.items: dict[tuple[str, str], Incident] = {}
        self.outboxes: dict[str, dict[str, Notice]] = {}

    def put(self, tenant: str, incident_id: str, *, device: str = "truck-1", state: str = "open") -> Incident:
        changed = {"tenant": tenant, "incident_id": incident_id, "device": device, "state": IncidentState(state)}
        self.items[tenant, incident_id] = examples.INCIDENT.model_copy(update=changed)
        return self.items[tenant, incident_id]

    async def list(
        self, tenant: str, *, states: Collection[IncidentState] = (), limit: int, cursor: str | None
    ) -> tuple[Sequence[Incident], str | None]:
        found = [
            incident
            for (of, incident_id), incident in sorted(self.items.items(), reverse=True)
            if of == tenant and (not states or incident.state in states) and (cursor is None or incident_id < cursor)
        ]
        return found[:limit], found[limit - 1].incident_id if len(found) > limit else None

    async def get(self, tenant: str, incident_id: str) -> Incident | None:
        return self.items.get((tenant, incident_id))

    async def load(self, tenant: str, incident_id: str) -> StoredIncident | None:
        found = self.items.get((tenant, incident_id))
        return None if found is None else StoredIncident(found, 1, self.outboxes.get(incident_id, {}))


class FakeJournal(Journal):
    def __init__(self, incidents: FakeIncidents) -> None:
        self.incidents = incidents
        self.entries: dict[tuple[str, str], list[IncidentEntry]] = {}

    async def acknowledge(self, tenant: str, incident_id: str, *, by: str, note: str | None, now: int) -> Incident:
        incident = self.incidents.items[tenant, incident_id]
        if incident.state not in LIVE_STATES:
            raise NotLive(incident.state)
        if incident.state is IncidentState.OPEN:
            incident = incident.model_copy(
                update={
                    "state": IncidentState.ACKNOWLEDGED,
                    "acknowledged_by": by,
                    "acknowledged_at": from_millis(now),
                    "note": note,
                }
            )
            self.incidents.items[tenant, incident_id] = incident
            self._add(incident, entry_of(incident, "acknowledged", now=now, reason="acknowledged", by=by, note=note))
        return incident

    async def comment(self, tenant: str, incident_id: str, *, by: str, note: str, now: int) -> IncidentEntry:
        incident = self.incidents.items[tenant, incident_id]
        return self._add(incident, entry_of(incident, "commented", now=now, reason="commented", by=by, note=note))

    async def history(self, tenant: str, incident_id: str) -> Sequence[IncidentEntry]:
        return self.entries.get((tenant, self.incidents.items[tenant, incident_id].incident_id), [])

    def _add(self, incident: Incident, entry: IncidentEntry) -> IncidentEntry:
        self.entries.setdefault((incident.tenant, incident.incident_id), []).append(entry)
        return entry


class FakeRules(Rules):
    def __init__(self) -> None:
        self.items: dict[tuple[str, str], Rule] = {}
        self.changes: dict[tuple[str, str], list[RuleVersion]] = {}

    async def list(self, tenant: str) -> Sequence[Rule]:
        return [self.items[key] for key in sorted(self.items) if key[0] == tenant]

    async def get(self, tenant: str, rule_id: str) -> Rule | None:
        return self.items.get((tenant, rule_id))

    async def put(self, rule: Rule, *, by: str) -> None:
        stored = self.items.get((rule.tenant, rule.rule_id))
        if (stored.version if stored else 0) != rule.version - 1:
            raise RuleConflict(rule)
        self.items[rule.tenant, rule.rule_id] = rule
        self._note(rule.tenant, rule.rule_id, rule.version, rule, by)

    async def delete(self, tenant: str, rule_id: str, *, by: str) -> bool:
        gone = self.items.pop((tenant, rule_id), None)
        if gone is not None:
            self._note(tenant, rule_id, gone.version, None, by)
        return gone is not None

    async def versions(self, tenant: str, rule_id: str) -> Sequence[RuleVersion]:
        return self.changes.get((tenant, rule_id), [])[::-1]

    def _note(self, tenant: str, rule_id: str, version: int, rule: Rule | None, by: str) -> None:
        change = RuleVersion(changed_at=from_millis(NOW), changed_by=by, version=version, rule=rule)
        self.changes.setdefault((tenant, rule_id), []).append(change)


class FakeKept(Kept[ModelT]):
    def __init__(self, kind: ContactKind[ModelT]) -> None:
        self.kind = kind
        self.items: dict[tuple[str, str], ModelT] = {}

    async def list(self, tenant: str) -> Sequence[ModelT]:
        return [self.items[key] for key in sorted(self.items) if key[0] == tenant]

    async def get(self, tenant: str, identity: str) -> ModelT | None:
        return self.items.get((tenant, identity))

    async def put(self, thing: ModelT) -> None:
        key = thing.tenant, self.kind.identity(thing)
        if (self.items[key].version if key in self.items else 0) != thing.version - 1:
            raise ContactConflict(key[1], thing.version)
        self.items[key] = thing

    async def delete(self, tenant: str, identity: str) -> bool:
        return self.items.pop((tenant, identity), None) is not None


@dataclass(slots=True)
class FakeContacts:
    recipients: FakeKept[Recipient] = field(default_factory=lambda: FakeKept(RECIPIENT))
    escalations: FakeKept[Escalation] = field(default_factory=lambda: FakeKept(ESCALATION))
    silences: FakeKept[Silence] = field(default_factory=lambda: FakeKept(SILENCE))


class FakeProducts(Products):
    def __init__(self) -> None:
        self.items: dict[tuple[str, str], ProductProfile] = {}

    async def list(self, tenant: str) -> Sequence[ProductProfile]:
        return [self.items[key] for key in sorted(self.items) if key[0] == tenant]

    async def get(self, tenant: str, product_id: str) -> ProductProfile | None:
        return self.items.get((tenant, product_id))

    async def put(self, profile: ProductProfile, *, by: str) -> None:
        stored = self.items.get((profile.tenant, profile.product_id))
        if (stored.version if stored else 0) != profile.version - 1:
            raise ProductConflict(profile)
        self.items[profile.tenant, profile.product_id] = profile

    async def delete(self, tenant: str, product_id: str, *, by: str) -> bool:
        return self.items.pop((tenant, product_id), None) is not None


class FakeApiKeys(ApiKeys):
    def __init__(self) -> None:
        self.items: dict[str, ApiKey] = {}
        self.finds = 0

    def make(self, tenant: str, role: Role = Role.VIEWER, *, expires_at: int = NOW + DAY) -> str:
        key = "sc_" + secrets.token_urlsafe(32)
        self.items[key_hash(key)] = ApiKey(
            key_id=key_hash(key)[:16],
            tenant=tenant,
            role=role,
            created_at=from_millis(NOW),
            expires_at=from_millis(expires_at),
        )
        return key

    def take_back(self, key: str) -> None:
        self.items[key_hash(key)] = self.items[key_hash(key)].model_copy(update={"revoked_at": from_millis(NOW)})

    async def find(self, hashed: str) -> ApiKey | None:
        self.finds += 1
        return self.items.get(hashed)

    async def page(self, tenant: str, *, limit: int, cursor: str | None) -> tuple[Sequence[ApiKey], str | None]:
        found = [self.items[key] for key in sorted(self.items) if self.items[key].tenant == tenant]
        found = [key for key in found if cursor is None or key.key_id > cursor]
        return found[:limit], found[limit - 1].key_id if len(found) > limit else None

    async def create(
        self, *, tenant: str, role: Role, expires_at: int, now: int, name: str = "", scopes: Collection[str] = ()
    ) -> tuple[str, ApiKey]:
        key = self.make(tenant, role, expires_at=expires_at)
        made = self.items[key_hash(key)].model_copy(update={"name": name, "scopes": frozenset(scopes)})
        self.items[key_hash(key)] = made
        return key, made

    async def revoke(self, key_id: str, *, now: int, tenant: str | None = None) -> ApiKey | None:
        for hashed, key in self.items.items():
            if key.key_id == key_id and key.tenant == tenant:
                self.items[hashed] = key.model_copy(update={"revoked_at": from_millis(now)})
                return self.items[hashed]
        return None


class FakeIdempotency(Idempotency):
    def __init__(self) -> None:
        self.items: dict[str, Claim] = {}

    async def claim(self, name: str, fingerprint: str, *, now: int) -> Claim:
        if name in self.items:
            return self.items[name]
        self.items[name] = Claim(stage=Stage.RUNNING, fingerprint=fingerprint)
        return Claim(stage=Stage.NEW, fingerprint=fingerprint)

    async def finish(self, name: str, answer: KeptAnswer) -> None:
        self.items[name] = Claim(stage=Stage.DONE, fingerprint=self.items[name].fingerprint, answer=answer)

    async def release(self, name: str) -> None:
        del self.items[name]


class FakeQuarantine(Quarantine):
    def __init__(self) -> None:
        self.items: dict[tuple[str, str], Quarantined] = {}

    async def put(self, message: Quarantined, *, now: int) -> None:
        self.items[message.tenant, message.message_id] = message

    async def list(self, tenant: str, *, limit: int, cursor: str | None) -> tuple[Sequence[Quarantined], str | None]:
        found = [
            message
            for (of, message_id), message in sorted(self.items.items(), reverse=True)
            if of == tenant and (cursor is None or message_id < cursor)
        ]
        return found[:limit], found[limit - 1].message_id if len(found) > limit else None

    async def get(self, tenant: str, message_id: str) -> Quarantined | None:
        return self.items.get((tenant, message_id))

    async def delete(self, tenant: str, message_id: str) -> bool:
        return self.items.pop((tenant, message_id), None) is not None

    async def count(self, tenant: str) -> int:
        return sum(of == tenant for of, _ in self.items)


class FakeResend(Resend):
    def __init__(self) -> None:
        self.sent: list[tuple[str, bytes]] = []
        self.away = False

    async def publish(self, topic: str, payload: bytes) -> None:
        if self.away:
            raise BrokerAway("connection refused")
        self.sent.append((topic, payload))


class FakeQueues(Queues):
    def __init__(self) -> None:
        self.looks = 0

    async def look(self) -> Sequence[QueueStatus]:
        self.looks += 1
        return [QueueStatus(queue="archive", waiting=3, in_work=1, dead_letters=2)]


class FakeModels(Models):
    def __init__(self) -> None:
        self.items: dict[str, Sequence[ModelStatus]] = {}

    async def in_use(self, tenant: str) -> Sequence[ModelStatus]:
        return self.items.get(tenant, [])


@dataclass(slots=True)
class World:
    """Two tenants: `acme` with truck-1 and truck-2, `other` with truck-9, and a truck-1 of its own."""

    limits: Limits = field(default_factory=Limits)
    burst: int = 100_000
    tokens: Callable[[ApiMetrics], Tokens] | None = None
    now: int = NOW
    monotonic: float = 0.0
    devices: FakeDevices = field(default_factory=FakeDevices)
    readings: FakeReadings = field(default_factory=FakeReadings)
    forecasts: FakeForecasts = field(default_factory=FakeForecasts)
    skill: FakeSkill = field(default_factory=FakeSkill)
    incidents: FakeIncidents = field(default_factory=FakeIncidents)
    rules: FakeRules = field(default_factory=FakeRules)
    contacts: FakeContacts = field(default_factory=FakeContacts)
    products: FakeProducts = field(default_factory=FakeProducts)
    keys: FakeApiKeys = field(default_factory=FakeApiKeys)
    quarantine: FakeQuarantine = field(default_factory=FakeQuarantine)
    idempotency: FakeIdempotency = field(default_factory=FakeIdempotency)
    resend: FakeResend = field(default_factory=FakeResend)
    queues: FakeQueues = field(default_factory=FakeQueues)
    models: FakeModels = field(default_factory=FakeModels)
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    services: Services = field(init=False)
    app: FastAPI = field(init=False)

    def __post_init__(self) -> None:
        for tenant, device in (("acme", "truck-1"), ("acme", "truck-2"), ("other", "truck-1"), ("other", "truck-9")):
            self.devices.put(tenant, device)
        metrics = ApiMetrics(self.registry)
        self.services = Services(
            stores=Stores(
                devices=self.devices,
                labels=FakeLabels(self.devices),
                readings=self.readings,
                forecasts=self.forecasts,
                skill=self.skill,
                incidents=self.incidents,
                journal=FakeJournal(self.incidents),
                rules=self.rules,
                contacts=self.contacts,
                products=self.products,
                api_keys=self.keys,
                quarantine=self.quarantine,
                idempotency=self.idempotency,
                queues=self.queues,
                models=self.models,
            ),
            resend=self.resend,
            credentials=AnyCredential(
                KeyRing(self.keys, clock=lambda: self.now, metrics=metrics, monotonic=lambda: self.monotonic),
                self.tokens(metrics) if self.tokens else None,
                clock=lambda: self.now,
            ),
            rates=Rates(per_second=1, burst=self.burst, monotonic=lambda: self.monotonic),
            hub=Hub(),
            subscriptions=Subscriptions(),
            metrics=metrics,
            clock=lambda: self.now,
            limits=self.limits,
        )
        self.app = make_app(self.services)

    def use(self, hub: Hub) -> None:
        """Serve with another hub."""
        self.services = replace(self.services, hub=hub)
        self.app = make_app(self.services)

    async def fill(self, tenant: str) -> None:
        """Give a tenant everything that the examples of the OpenAPI document name."""
        mine = {"tenant": tenant}
        self.devices.put(tenant, examples.DEVICE.device)
        self.forecasts.items.append(examples.FORECAST.model_copy(update=mine))
        self.incidents.items[tenant, examples.INCIDENT.incident_id] = examples.INCIDENT.model_copy(update=mine)
        self.rules.items[tenant, examples.RULE.rule_id] = examples.RULE.model_copy(update=mine)
        self.products.items[tenant, examples.PRODUCT.product_id] = examples.PRODUCT.model_copy(update=mine)
        self.rules.changes[tenant, examples.RULE.rule_id] = [examples.RULE_VERSION]
        named = "north"
        self.contacts.recipients.items[tenant, named] = examples.RECIPIENT.model_copy(
            update=mine | {"recipient_id": named}
        )
        self.contacts.escalations.items[tenant, named] = examples.ESCALATION.model_copy(
            update=mine | {"escalation_id": named}
        )
        self.contacts.silences.items[tenant, named] = examples.SILENCE.model_copy(update=mine | {"silence_id": named})
        kept = examples.QUARANTINED.model_copy(update={"topic": f"dt/{tenant}/truck-7/readings"})
        self.quarantine.items[tenant, examples.MESSAGE_ID] = kept
        made = self.keys.items.pop(key_hash(self.keys.make(tenant)))
        self.keys.items["f" * 64] = made.model_copy(update={"key_id": examples.KEY_ID})

    def client(self, key: str | None = None, role: Role = Role.VIEWER, tenant: str = "acme") -> httpx.AsyncClient:
        """A client of the application in this process; by default with a key of `tenant`."""
        key = self.keys.make(tenant, role) if key is None else key
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app, raise_app_exceptions=False),
            base_url="http://api",
            headers={"Authorization": f"Bearer {key}"} if key else {},
        )


@asynccontextmanager
async def served(world: World) -> AsyncIterator[str]:
    """The world's application behind a real server on loopback; gives its address."""
    life = Lifecycle(drain_seconds=5)
    server = HttpServer(world.app, host="127.0.0.1", port=0)
    life.background("http", server.serve)
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.stop_accepting()
        world.services.hub.close()
        await server.stopped()
        await life.close()
