"""Escalations: who is told first, who next while nobody acknowledges, and which incidents share a message."""

from fastapi import APIRouter, Response
from pydantic import ConfigDict

from sensorcast_api import examples
from sensorcast_api.auth import Operator, Viewer
from sensorcast_api.conditions import version_of
from sensorcast_api.paging import Page
from sensorcast_api.routes import contact_items
from sensorcast_api.routes.versions import ETAG_HEADER, Id, IfMatch, content_of
from sensorcast_api.services import Wired
from sensorcast_common.escalation import Escalation, EscalationContent

router = APIRouter(prefix="/v1/escalations", tags=["escalations"])


class EscalationBody(EscalationContent):
    """An escalation as it is sent: tenant, id and version come from the credential, the path and the store."""

    model_config = ConfigDict(json_schema_extra={"examples": [content_of(examples.ESCALATION, "escalation_id")]})


@router.get("", responses={200: examples.page(examples.ESCALATION), **examples.problems()})
async def list_escalations(caller: Viewer, wired: Wired) -> Page[Escalation]:
    """All escalations by id, on one page; of those that match an incident the first counts."""
    return Page(items=await wired.stores.contacts.escalations.list(caller.tenant))


@router.get(
    "/{escalation_id}",
    responses={200: examples.shown(examples.ESCALATION, headers=ETAG_HEADER), **examples.problems(404)},
)
async def get_escalation(caller: Viewer, wired: Wired, escalation_id: Id, response: Response) -> Escalation:
    """One escalation."""
    escalations = wired.stores.contacts.escalations
    return await contact_items.found("escalation", escalations, caller.tenant, escalation_id, response)


@router.put(
    "/{escalation_id}",
    responses={
        200: examples.shown(examples.ESCALATION, headers=ETAG_HEADER),
        201: {
            "description": "Created",
            "model": Escalation,
            **examples.shown(examples.ESCALATION, headers=ETAG_HEADER),
        },
        **examples.problems(403, 412, 428),
    },
)
async def put_escalation(
    caller: Operator,
    wired: Wired,
    escalation_id: Id,
    body: EscalationBody,
    response: Response,
    if_match: IfMatch = None,
) -> Escalation:
    """Create an escalation, or replace the version that `If-Match` names."""
    version = (version_of(if_match) or 0) + 1
    made = Escalation(tenant=caller.tenant, escalation_id=escalation_id, version=version, **dict(body))
    return await contact_items.put("escalation", wired.stores.contacts.escalations, made, escalation_id, response)


@router.delete("/{escalation_id}", status_code=204, responses=examples.problems(403, 404))
async def delete_escalation(caller: Operator, wired: Wired, escalation_id: Id) -> None:
    """Remove an escalation; open incidents go on by the next one that matches."""
    await contact_items.remove("escalation", wired.stores.contacts.escalations, caller.tenant, escalation_id)
