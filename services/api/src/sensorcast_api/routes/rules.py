"""Alert rules: what is watched and who is told. Changes are conditional, so that nobody undoes another's unseen."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, ConfigDict, StrictBool, StringConstraints

from sensorcast_api import examples
from sensorcast_api.auth import Operator, Viewer
from sensorcast_api.conditions import version_of
from sensorcast_api.paging import Page
from sensorcast_api.problems import ProblemError, invalid, not_found
from sensorcast_api.routes.versions import ETAG_HEADER, IfMatch, found, taken, written
from sensorcast_api.services import Wired
from sensorcast_common.rule import Condition, LabelPatterns, Pattern, PhoneNumber, ProductCondition, Rule, RuleVersion
from sensorcast_common.tables.rules import RuleConflict
from sensorcast_common.tables.versioned import VersionConflict

router = APIRouter(prefix="/v1/rules", tags=["rules"])

RuleId = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$", examples=["too-warm"])]


class RuleBody(BaseModel):
    """A rule as it is sent: tenant, id and version come from the credential, the path and the store."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [examples.RULE.model_dump(mode="json", exclude={"tenant", "rule_id", "version", "profile"})]
        },
    )

    name: Annotated[str, StringConstraints(min_length=1, max_length=80)]
    device: Pattern = "*"
    metric: Pattern = "temperature"
    labels: LabelPatterns = {}
    condition: Condition
    severity: Literal["info", "warning", "critical"] = "warning"
    sms: list[PhoneNumber] = []
    enabled: StrictBool = True


@router.get("", responses={200: examples.page(examples.RULE), **examples.problems()})
async def list_rules(caller: Viewer, wired: Wired) -> Page[Rule]:
    """All rules by id, on one page."""
    return Page(items=await wired.stores.rules.list(caller.tenant))


@router.get("/{rule_id}", responses={200: examples.shown(examples.RULE, headers=ETAG_HEADER), **examples.problems(404)})
async def get_rule(caller: Viewer, wired: Wired, rule_id: RuleId, response: Response) -> Rule:
    """One rule."""
    return found("rule", await wired.stores.rules.get(caller.tenant, rule_id), response)


@router.put(
    "/{rule_id}",
    responses={
        200: examples.shown(examples.RULE, headers=ETAG_HEADER),
        201: {"description": "Created", "model": Rule, **examples.shown(examples.RULE, headers=ETAG_HEADER)},
        **examples.problems(403, 412, 428),
    },
)
async def put_rule(
    caller: Operator, wired: Wired, rule_id: RuleId, body: RuleBody, response: Response, if_match: IfMatch = None
) -> Rule:
    """Create a rule, or replace the version that `If-Match` names."""
    expected = version_of(if_match) or 0
    await _product_is_there(wired, caller.tenant, body.condition)
    rule = Rule(tenant=caller.tenant, rule_id=rule_id, version=expected + 1, **dict(body))
    try:
        await wired.stores.rules.put(rule, by=caller.name)
    except RuleConflict as error:
        raise taken("rule", await wired.stores.rules.get(caller.tenant, rule_id), expected) from error
    return written(rule, response)


@router.delete("/{rule_id}", status_code=204, responses=examples.problems(403, 404, 412))
async def delete_rule(caller: Operator, wired: Wired, rule_id: RuleId) -> None:
    """Remove a rule; its open incidents stay until they resolve."""
    try:
        deleted = await wired.stores.rules.delete(caller.tenant, rule_id, by=caller.name)
    except VersionConflict as error:
        raise ProblemError(412, "The rule is being changed by others.", kind="version-conflict") from error
    if not deleted:
        raise not_found("rule")


@router.get("/{rule_id}/versions", responses={200: examples.page(examples.RULE_VERSION), **examples.problems(404)})
async def list_versions(caller: Viewer, wired: Wired, rule_id: RuleId) -> Page[RuleVersion]:
    """What the rule said from when on and who changed it, newest first; also of a rule that is deleted."""
    known = await wired.stores.rules.versions(caller.tenant, rule_id)
    if not known:
        raise not_found("rule")
    return Page(items=known)


async def _product_is_there(wired: Wired, tenant: str, condition: Condition) -> None:
    if isinstance(condition, ProductCondition) and not await wired.stores.products.get(tenant, condition.product):
        raise invalid("body", "condition.product", f"there is no product {condition.product!r}")
