"""Two tenants that know nothing of each other, behind the application."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import httpx
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from tests.services.api.fakes.access import FakeApiKeys, FakeIdempotency
from tests.services.api.fakes.contacts import FakeContacts
from tests.services.api.fakes.devices import FakeDevices, FakeLabels, FakeReadings
from tests.services.api.fakes.forecasts import FakeForecasts, FakeModels, FakeSkill
from tests.services.api.fakes.incidents import FakeIncidents, FakeJournal
from tests.services.api.fakes.pipeline import FakeQuarantine, FakeQueues, FakeResend
from tests.services.api.fakes.rules import FakeProducts, FakeRules
from tests.services.api.fakes.times import NOW

from sensorcast_api import examples
from sensorcast_api.asgi import make_app
from sensorcast_api.credentials import AnyCredential
from sensorcast_api.keyring import KeyRing
from sensorcast_api.metrics import ApiMetrics
from sensorcast_api.oidc.tokens import Tokens
from sensorcast_api.ports import Stores
from sensorcast_api.rates import Rates
from sensorcast_api.services import Limits, Services
from sensorcast_api.stream.hub import Hub
from sensorcast_api.stream.subscriptions import Subscriptions
from sensorcast_common.tables.api_keys import Role, key_hash


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
