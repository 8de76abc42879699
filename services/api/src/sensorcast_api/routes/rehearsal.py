"""A dry run: what a rule would have done with the readings of a range, by the code that decides live."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict

from sensorcast_api import examples
from sensorcast_api.auth import Operator
from sensorcast_api.parameters import Time
from sensorcast_api.problems import invalid
from sensorcast_api.routes.rules import RuleBody
from sensorcast_api.services import Services, Wired
from sensorcast_common.clock import to_millis
from sensorcast_common.condition import ProductCondition
from sensorcast_common.device import Device
from sensorcast_common.incident import Incident
from sensorcast_common.reading import Reading, SeriesKey
from sensorcast_common.rule import Rule
from sensorcast_rules.rehearse import rehearse

router = APIRouter(prefix="/v1/rules", tags=["rules"])

MOST_READINGS: Final = 50_000
MOST_INCIDENTS: Final = 200
_PAGE: Final = 500


class RehearsalBody(BaseModel):
    """Which rule, and the range of event time whose readings are replayed; the hot store holds seven days."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "rule": {"name": "Too warm", "device": "truck-*", "condition": {"above": 8, "hold_seconds": 120}},
                    "start": "2026-05-28T00:00:00Z",
                    "end": "2026-05-29T00:00:00Z",
                }
            ]
        },
    )

    rule: RuleBody
    start: Time
    end: Time


class RehearsalResult(BaseModel):
    """What the rule would have done.

    Attributes:
        readings: How many were replayed.
        alerts: How many incidents people would have heard of.
        sms: How many SMS that would have been, to the rule's own numbers.
        incidents: The incidents, oldest first; at most 200.
    """

    readings: int
    alerts: int
    sms: int
    incidents: list[Incident]


_EXAMPLE: Final = RehearsalResult(readings=8640, alerts=1, sms=1, incidents=[examples.INCIDENT])


@router.post("/test", responses={200: examples.shown(_EXAMPLE), **examples.problems(403)})
async def rehearse_rule(caller: Operator, wired: Wired, body: RehearsalBody) -> RehearsalResult:
    """Replay the readings of a range through a rule that need not be stored; nobody is told, and nothing is kept.

    Forecasts are not replayed, so only what readings show is found.
    """
    start, end = to_millis(body.start), to_millis(body.end)
    if not 0 < end - start <= wired.limits.range_seconds * 1000:
        raise invalid("body", "end", f"must be after start, by at most {wired.limits.range_seconds} seconds")
    rule = Rule(tenant=caller.tenant, rule_id="test", **dict(body.rule))
    if isinstance(rule.condition, ProductCondition):
        profile = await wired.stores.products.get(caller.tenant, rule.condition.product)
        if profile is None:
            raise invalid("body", "rule.condition.product", f"there is no product {rule.condition.product!r}")
        rule = rule.model_copy(update={"profile": profile})
    readings: list[Reading] = []
    async for device in _devices(wired, caller.tenant):
        readings += await _of(wired, rule, device, start=start, end=end)
        if len(readings) > MOST_READINGS:
            raise invalid("body", "rule.device", f"more than {MOST_READINGS} readings; name fewer devices or hours")
    readings.sort(key=lambda reading: reading.ts)
    # The labels have been looked at; the replay knows no devices.
    replayed = rule.model_copy(update={"labels": {}})
    result = await asyncio.to_thread(lambda: asyncio.run(rehearse([replayed], readings)))
    return RehearsalResult(
        readings=len(readings),
        alerts=len(result.incidents),
        sms=result.sms,
        incidents=list(result.incidents[:MOST_INCIDENTS]),
    )


async def _devices(wired: Services, tenant: str) -> AsyncIterator[Device]:
    cursor: str | None = None
    while True:
        page, cursor = await wired.stores.devices.list(tenant, limit=_PAGE, cursor=cursor)
        for device in page:
            yield device
        if cursor is None:
            return


async def _of(wired: Services, rule: Rule, device: Device, *, start: int, end: int) -> list[Reading]:
    series = [SeriesKey(device.tenant, device.device, metric) for metric in device.metrics]
    metrics = [key.metric for key in series if rule.applies_to(key, device.labels)]
    if not metrics:
        return []
    found = await wired.stores.readings.read(device.tenant, device.device, start=start, end=end, metrics=metrics)
    return [
        Reading(device.tenant, device.device, metric, ts, value, columns.unit, ts)
        for metric, columns in found.items()
        for ts, value in zip(columns.ts, columns.value, strict=True)
    ]
