"""How good the forecasts of a tenant were, once it was known what came."""

from collections.abc import Iterable
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from sensorcast_api import examples
from sensorcast_api.auth import Viewer
from sensorcast_api.parameters import NAME_PATTERN, Name
from sensorcast_api.services import Wired
from sensorcast_common.clock import UtcDatetime, from_millis
from sensorcast_common.skill import Skill, Tally
from sensorcast_common.tables.skill import HOUR_MS, HourSkill

router = APIRouter(prefix="/v1/forecasts/skill", tags=["forecasts"])


class ModelSkill(Skill):
    """The skill of the forecasts that one model made.

    Attributes:
        model: Engine and version, and after `@` when it was trained, where it was; `none` stands for breaches before
            which there was no forecast.
    """

    model: str


class MetricSkill(Skill):
    """The skill of all forecasts of one metric.

    Attributes:
        metric: Of which series.
        models: The same, model by model.
    """

    metric: str
    models: list[ModelSkill]


class SkillReport(BaseModel):
    """Forecasts against what came.

    Attributes:
        since: Forecasts known from here on are counted.
        until: And those known before this. The latest hours are still to be scored: a forecast is once its horizon has
            passed and late readings had their time.
        scored_until: End of the latest hour of which anything has been scored; absent where nothing has.
        metrics: By name.
    """

    since: UtcDatetime
    until: UtcDatetime
    scored_until: UtcDatetime | None = None
    metrics: list[MetricSkill]


_TALLY = Tally(
    forecasts=3456,
    fallbacks=41,
    unobserved=12,
    points=207_360,
    covered=165_474,
    loss=21_150.7,
    naive_loss=47_001.6,
    absolute=898_010.0,
    warnings=9,
    true_warnings=7,
    breaches=8,
    foreseen=7,
    leads={12: 2, 26: 3, 41: 2},
    risks=6912,
    brier=41.5,
)
_EXAMPLE = SkillReport(
    since=from_millis(1_779_912_000_000),
    until=from_millis(1_779_998_400_000),
    scored_until=from_millis(1_779_991_200_000),
    metrics=[
        MetricSkill(
            metric="temperature",
            models=[ModelSkill(model="builtin/1", **Skill.of(_TALLY).model_dump())],
            **Skill.of(_TALLY).model_dump(),
        )
    ],
)


@router.get("", responses={200: examples.shown(_EXAMPLE), **examples.problems()})
async def get_skill(
    caller: Viewer,
    wired: Wired,
    hours: Annotated[int, Query(ge=1, le=168, description="How many of the past hours are counted.")] = 24,
    metric: Annotated[
        Name | None, Query(description="Only this metric.", json_schema_extra={"pattern": NAME_PATTERN})
    ] = None,
) -> SkillReport:
    """Forecasts against what came: loss, coverage, and how predicted breaches did, by metric and model."""
    until = (wired.clock() // HOUR_MS + 1) * HOUR_MS
    since = until - hours * HOUR_MS
    found = await wired.stores.skill.between(caller.tenant, start=since, end=until)
    return SkillReport(
        since=from_millis(since),
        until=from_millis(until),
        scored_until=from_millis(max(each.hour for each in found) + HOUR_MS) if found else None,
        metrics=[
            _metric(name, [each for each in found if each.metric == name])
            for name in sorted({each.metric for each in found})
            if metric is None or name == metric
        ],
    )


def _metric(metric: str, hours: Iterable[HourSkill]) -> MetricSkill:
    models: dict[str, list[Tally]] = {}
    for hour in hours:
        for model, tally in hour.models.items():
            models.setdefault(model, []).append(tally)
    totals = {model: Tally.total(tallies) for model, tallies in sorted(models.items())}
    return MetricSkill(
        metric=metric,
        models=[ModelSkill(model=model, **Skill.of(tally).model_dump()) for model, tally in totals.items()],
        **Skill.of(Tally.total(totals.values())).model_dump(),
    )
