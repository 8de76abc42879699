"""What the API needs of the stores; the DynamoDB tables provide it, and so do the tests' fakes."""

from dataclasses import dataclass

from sensorcast_api.ports.access import ApiKeys, Idempotency
from sensorcast_api.ports.contacts import ContactStores, Kept
from sensorcast_api.ports.devices import Devices, Labels
from sensorcast_api.ports.forecasts import Forecasts, Models, SkillHours
from sensorcast_api.ports.incidents import Incidents, Journal
from sensorcast_api.ports.pipeline import Quarantine, Queues, Resend
from sensorcast_api.ports.readings import Readings, Series
from sensorcast_api.ports.rules import Products, Rules

__all__ = [
    "ApiKeys",
    "ContactStores",
    "Devices",
    "Forecasts",
    "Idempotency",
    "Incidents",
    "Journal",
    "Kept",
    "Labels",
    "Models",
    "Products",
    "Quarantine",
    "Queues",
    "Readings",
    "Resend",
    "Rules",
    "Series",
    "SkillHours",
    "Stores",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """All of them."""

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
