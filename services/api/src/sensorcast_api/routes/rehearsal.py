"""A dry run: what a rule would have done with the readings of a range, by the code that decides live."""

import asyncio
import statistics
from typing import Annotated, Final, Self

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from sensorcast_api import examples
from sensorcast_api.auth import Operator
from sensorcast_api.downsample import FEWEST
from sensorcast_api.history.caller import unless_gone
from sensorcast_api.history.past import Past
from sensorcast_api.parameters import Time
from sensorcast_api.problems import invalid
from sensorcast_api.rehearsal import Range, Replay, Replayed, TooManyReadings
from sensorcast_api.routes.history.asked import ThePast, explained
from sensorcast_api.routes.history.readings import HistoryPoint, HistorySeries
from sensorcast_api.routes.rules import RuleBody
from sensorcast_api.services import Services, Wired
from sensorcast_common.clock import from_millis, to_millis
from sensorcast_common.condition import ProductCondition
from sensorcast_common.device import Device
from sensorcast_common.incident import Incident
from sensorcast_common.reading import SeriesKey
from sensorcast_common.rule import Rule
from sensorcast_rules.outcome import Outcome

router = APIRouter(prefix="/v1/rules", tags=["rules"])

MOST_DEVICES: Final = 1_000
MOST_INCIDENTS: Final = 200
MOST_SERIES: Final = 20
_PAGE: Final = 500


class RehearsalBody(BaseModel):
    """Which rule, and the range of event time whose readings are replayed.

    Attributes:
        rule: The rule as it would be stored.
        start: First time wanted.
        end: First time no longer wanted.
        points: Readings that each series of the answer has at most, for a plot.
    """

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
    points: Annotated[int, Field(strict=True, ge=FEWEST, le=2_000)] = 400


class LeadTimes(BaseModel):
    """How long before the breach people would have been warned, in minutes."""

    least: float
    median: float
    greatest: float

    @classmethod
    def of(cls, minutes: tuple[float, ...]) -> Self | None:
        """Of some, ascending; `None` of none."""
        if not minutes:
            return None
        return cls(least=minutes[0], median=statistics.median(minutes), greatest=minutes[-1])


class RehearsalResult(BaseModel):
    """What the rule would have done.

    Attributes:
        readings: How many were replayed.
        devices: How many devices the rule is about.
        forecasts: How many forecasts of that time were replayed; they are kept for seven days.
        estimated_forecasts: How many of them were made without this limit, so that its risk was read off the quantiles.
        alerts: How many incidents people would have heard of.
        sms: How many SMS that would have been, to the rule's own numbers.
        came_true: Alerts that were predicted and happened.
        false_alarms: Alerts that were predicted and did not happen.
        missed: Breaches that happened though the forecast of the time had not warned.
        lead_minutes: How long ahead those that came true were predicted; absent where none was.
        incidents: The incidents, oldest first; at most 200.
        outcomes: What became of each of `incidents`, in the same order.
        series: For a plot, at most 20 series, those with incidents first; peaks are kept.
    """

    readings: int
    devices: int
    forecasts: int
    estimated_forecasts: int
    alerts: int
    sms: int
    came_true: int
    false_alarms: int
    missed: int
    lead_minutes: LeadTimes | None = None
    incidents: list[Incident]
    outcomes: list[Outcome]
    series: list[HistorySeries]


_EXAMPLE: Final = RehearsalResult(
    readings=8640,
    devices=1,
    forecasts=288,
    estimated_forecasts=0,
    alerts=1,
    sms=1,
    came_true=1,
    false_alarms=0,
    missed=0,
    lead_minutes=LeadTimes(least=26, median=26, greatest=26),
    incidents=[examples.INCIDENT],
    outcomes=[Outcome.CAME_TRUE],
    series=[
        HistorySeries(
            device="truck-7",
            metric="temperature",
            unit="Cel",
            readings=[HistoryPoint(ts=examples.FORECAST.known_at, value=4.2)],
        )
    ],
)


@router.post("/test", responses={200: examples.shown(_EXAMPLE), **examples.problems(403, 502, 503)})
async def rehearse_rule(
    request: Request, caller: Operator, past: ThePast, wired: Wired, body: RehearsalBody
) -> RehearsalResult:
    """Replay the readings and forecasts of a range through a rule that need not be stored.

    Nobody is told, and nothing is kept. One dry run is at work at a time; others wait.
    """
    start, end = to_millis(body.start), to_millis(body.end)
    longest = wired.limits.rehearsal_days
    if not 0 < end - start <= longest * 86_400_000:
        raise invalid("body", "end", f"must be after start, by at most {longest} days")
    rule = await _rule(wired, caller.tenant, body.rule)
    devices = await _devices(wired, rule)
    span = Range(start, end, until=min(end, wired.clock()))
    with explained("body"):
        found = await unless_gone(request, _replayed(wired, past, rule, devices, span, points=body.points))
    result = found.rehearsal
    return RehearsalResult(
        readings=result.readings,
        devices=len(devices),
        forecasts=result.forecasts,
        estimated_forecasts=result.estimated,
        alerts=len(result.incidents),
        sms=result.sms,
        came_true=result.came_true,
        false_alarms=result.false_alarms,
        missed=result.missed,
        lead_minutes=LeadTimes.of(result.lead_minutes),
        incidents=list(result.incidents[:MOST_INCIDENTS]),
        outcomes=list(result.outcomes[:MOST_INCIDENTS]),
        series=[
            HistorySeries(
                device=each.series.device,
                metric=each.series.metric,
                unit=each.unit,
                readings=[
                    HistoryPoint(ts=from_millis(ts), value=value) for ts, value in zip(each.ts, each.value, strict=True)
                ],
            )
            for each in found.drawn
        ],
    )


async def _replayed(
    wired: Services, past: Past, rule: Rule, devices: list[Device], span: Range, *, points: int
) -> Replayed:
    limits = wired.limits
    replay = Replay(
        past=past,
        forecasts=wired.stores.forecasts,
        most=limits.rehearsal_readings,
        points=points,
        most_drawn=MOST_SERIES,
    )
    async with wired.rehearsing:
        try:
            async with asyncio.timeout(limits.rehearsal_seconds):
                return await replay.of(rule, devices, span)
        except TooManyReadings as error:
            most = f"more than {limits.rehearsal_readings} readings"
            raise invalid("body", "start", f"{most}: take a shorter range or fewer devices") from error
        except TimeoutError as error:
            longest = f"takes longer than {limits.rehearsal_seconds:g} s"
            raise invalid("body", "start", f"{longest}: take a shorter range or fewer devices") from error


async def _rule(wired: Services, tenant: str, body: RuleBody) -> Rule:
    rule = Rule(tenant=tenant, rule_id="test", **(dict(body) | {"enabled": True}))
    if not isinstance(rule.condition, ProductCondition):
        return rule
    profile = await wired.stores.products.get(tenant, rule.condition.product)
    if profile is None:
        raise invalid("body", "rule.condition.product", f"there is no product {rule.condition.product!r}")
    return rule.model_copy(update={"profile": profile})


async def _devices(wired: Services, rule: Rule) -> list[Device]:
    """The devices of which the rule is about some series."""
    found: list[Device] = []
    cursor: str | None = None
    while True:
        page, cursor = await wired.stores.devices.list(rule.tenant, limit=_PAGE, cursor=cursor)
        found += [
            each
            for each in page
            if any(rule.applies_to(SeriesKey(each.tenant, each.device, metric), each.labels) for metric in each.metrics)
        ]
        if len(found) > MOST_DEVICES:
            raise invalid("body", "rule.device", f"more than {MOST_DEVICES} devices; name fewer")
        if cursor is None:
            return found
