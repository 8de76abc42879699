"""Examples of the OpenAPI document, made of the models themselves so that they cannot go stale."""

import base64
from collections.abc import Sequence
from typing import Final

from pydantic import BaseModel

from sensorcast_api.problems import Problem
from sensorcast_common.clock import from_millis
from sensorcast_common.device import Device, MetricState
from sensorcast_common.escalation import Escalation, Step
from sensorcast_common.forecast import Forecast, LimitRisk
from sensorcast_common.incident import Basis, Incident, IncidentEntry, IncidentState
from sensorcast_common.notice import Channel
from sensorcast_common.product import ProductProfile
from sensorcast_common.quarantine import Quarantined
from sensorcast_common.recipient import Recipient, Span, Webhook
from sensorcast_common.rule import ForecastCondition, LimitCondition, Rule, RuleVersion
from sensorcast_common.silence import Silence

_NOW: Final = 1_780_000_000_000
_MINUTE: Final = 60_000

DEVICE: Final = Device(
    tenant="demo",
    device="truck-7",
    name="Milk truck 7",
    labels={"site": "north"},
    metrics={"temperature": MetricState(unit="Cel", last_ts=from_millis(_NOW), last_value=4.2)},
    first_seen=from_millis(_NOW - 86_400_000),
    last_seen=from_millis(_NOW + 350),
)
FORECAST: Final = Forecast(
    tenant="demo",
    device="truck-7",
    metric="temperature",
    unit="Cel",
    known_at=from_millis(_NOW),
    last_value=4.2,
    step_seconds=300,
    start=from_millis(_NOW + 5 * _MINUTE),
    q10=[4.1, 4.4, 4.9],
    q50=[4.6, 5.4, 6.3],
    q90=[5.2, 6.6, 8.1],
    risks=[
        LimitRisk(
            rule_id="too-warm",
            side="above",
            threshold=8.0,
            probability=0.62,
            expected_at=from_millis(_NOW + 38 * _MINUTE),
        )
    ],
    model="ets/1",
    trained_at=from_millis(_NOW),
    trained_from=from_millis(_NOW - 86_400_000),
    trained_to=from_millis(_NOW),
    window_from=from_millis(_NOW - 86_400_000),
    window_to=from_millis(_NOW),
)
INCIDENT: Final = Incident(
    tenant="demo",
    incident_id="019a0c2e-5f2b-7c3d-9e4f-0123456789ab",
    rule_id="too-warm",
    rule_version=1,
    rule_name="Chilled goods too warm",
    severity="critical",
    device="truck-7",
    metric="temperature",
    unit="Cel",
    state=IncidentState.OPEN,
    basis=Basis.PREDICTED,
    side="above",
    threshold=8.0,
    opened_at=from_millis(_NOW),
    value=4.2,
    probability=0.82,
    expected_at=from_millis(_NOW + 38 * _MINUTE),
    forecast_known_at=from_millis(_NOW),
    reason="predicted",
)
ACKNOWLEDGED: Final = INCIDENT.model_copy(
    update={
        "state": IncidentState.ACKNOWLEDGED,
        "acknowledged_by": "dispatch room",
        "acknowledged_at": from_millis(_NOW + 2 * _MINUTE),
        "note": "Driver is on the way",
    }
)
ENTRY: Final = IncidentEntry(
    entry_id="019a0c2e-5f2b-7c3d-9e4f-0123456789ac",
    at=from_millis(_NOW + 2 * _MINUTE),
    transition="acknowledged",
    state=IncidentState.ACKNOWLEDGED,
    basis=Basis.PREDICTED,
    reason="acknowledged",
    value=4.2,
    as_of=from_millis(_NOW),
    rule_version=1,
    by="dispatch room",
    note="Driver is on the way",
)
RULE: Final = Rule(
    tenant="demo",
    rule_id="too-warm",
    name="Chilled goods too warm",
    device="truck-*",
    metric="temperature",
    condition=LimitCondition(
        above=8.0, hold_seconds=120, clear_margin=0.5, forecast=ForecastCondition(min_probability=0.7)
    ),
    severity="critical",
    sms=["+4915112345678"],
)

SIGNING_KEY: Final = "whsec_" + base64.b64encode(b"not a secret, but an example").decode()
RECIPIENT: Final = Recipient(
    tenant="demo",
    recipient_id="anna",
    name="Anna, night shift",
    roles=["manager"],
    sms="+4915112345678",
    email="anna@example.com",
    webhook=Webhook(url="https://erp.example.com/alerts", secret=SIGNING_KEY),
    language="de",
    timezone="Europe/Berlin",
    schedule=[Span(start="22:00", end="06:00", days=["mon", "tue", "wed", "thu", "fri"])],
    quiet_hours=Span(start="02:00", end="04:00"),
    labels={"site": "north*"},
    min_severity="warning",
)
ESCALATION: Final = Escalation(
    tenant="demo",
    escalation_id="north",
    labels={"site": "north*"},
    steps=[Step(roles=["driver"]), Step(after_minutes=10, roles=["manager"], channels=[Channel.SMS])],
    repeat_minutes=30,
    group_by="site",
)
SILENCE: Final = Silence(
    tenant="demo",
    silence_id="defrost-3",
    device="fridge-3",
    start=from_millis(_NOW),
    end=from_millis(_NOW + 60 * _MINUTE),
    created_by="dispatch room",
    reason="defrosting",
)
PRODUCT: Final = ProductProfile(
    tenant="demo",
    product_id="vaccine",
    name="Vaccine, 2 to 8 degrees",
    above=8.0,
    below=2.0,
    consecutive_minutes=30,
    cumulative_minutes=60,
    mean_kinetic_above=8.0,
)
RULE_VERSION: Final = RuleVersion(changed_at=from_millis(_NOW), changed_by="dispatch room", version=1, rule=RULE)
QUARANTINED: Final = Quarantined(
    reason="missing_unit",
    detail="salinity: unit is missing",
    topic="dt/demo/truck-7/readings",
    received_at=from_millis(_NOW),
    payload=b'{"salinity": 3.5}',
    size=17,
    sha256="9f0ac1cbf5c0d2f0d6a1a0f0b7d9f4b5d9d3c2c1b0a9f8e7d6c5b4a392817060",
)
MESSAGE_ID: Final = QUARANTINED.message_id
KEY_ID: Final = "0123456789abcdef"

Responses = dict[int | str, dict[str, object]]
"""What FastAPI takes as `responses`."""


def shown(example: object, *, headers: dict[str, str] | None = None) -> dict[str, object]:
    """A success with an example, and the headers it carries."""
    described: dict[str, object] = {"content": {"application/json": {"example": _plain(example)}}}
    if headers:
        described["headers"] = {
            name: {"description": text, "schema": {"type": "string"}} for name, text in headers.items()
        }
    return described


def page(item: BaseModel) -> dict[str, object]:
    """A page with one example item."""
    return shown({"items": [item], "next_cursor": "eyJ2IjoxLCJvZiI6ImRldmljZXMiLCJhdCI6ImRISjFZMnN0TncifQ"})


def problems(*statuses: int) -> Responses:
    """The problems a route answers with, beside those that every route has."""
    titles = {
        401: ("Unauthorized", "The API key is not valid."),
        403: ("Forbidden", "This needs the role operator; the key has viewer."),
        404: ("Not Found", "There is no such device."),
        409: ("Conflict", "The incident is resolved; only one that is open can be acknowledged."),
        412: ("Precondition Failed", "The rule is at version 3."),
        422: ("The request is not valid", "start: an RFC 3339 time such as 2026-01-31T08:15:00Z"),
        428: ("Precondition Required", "The rule exists: send its ETag as If-Match to replace it."),
        429: ("Too Many Requests", "This key has 20 streams open."),
        502: ("Bad Gateway", "The lake could not be asked; the reason is in the service's log."),
        503: ("Service Unavailable", "The service is stopping."),
    }
    return {
        status: {
            "description": titles[status][0],
            "content": {
                "application/problem+json": {
                    "schema": {"$ref": "#/components/schemas/Problem"},
                    "example": _plain(Problem(title=titles[status][0], status=status, detail=titles[status][1])),
                }
            },
        }
        for status in sorted({401, 422, *statuses})
    }


def _plain(value: object) -> object:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", exclude_none=isinstance(value, Problem))
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(inner) for inner in value]
    return value
