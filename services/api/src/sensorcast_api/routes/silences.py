"""Silences and maintenance windows: for a time, nobody is told of what they match."""

from fastapi import APIRouter, Response
from pydantic import ConfigDict

from sensorcast_api import examples
from sensorcast_api.auth import Operator, Viewer
from sensorcast_api.conditions import version_of
from sensorcast_api.paging import Page
from sensorcast_api.routes import contact_items
from sensorcast_api.routes.versions import ETAG_HEADER, Id, IfMatch, content_of
from sensorcast_api.services import Wired
from sensorcast_common.silence import Silence, SilenceContent

router = APIRouter(prefix="/v1/silences", tags=["silences"])


class SilenceBody(SilenceContent):
    """A silence as it is sent: tenant, id and author come from the credential and the path."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [content_of(examples.SILENCE, "silence_id", "created_by")]}
    )


@router.get("", responses={200: examples.page(examples.SILENCE), **examples.problems()})
async def list_silences(caller: Viewer, wired: Wired) -> Page[Silence]:
    """All silences by id, past and coming ones too, on one page."""
    return Page(items=await wired.stores.contacts.silences.list(caller.tenant))


@router.get(
    "/{silence_id}", responses={200: examples.shown(examples.SILENCE, headers=ETAG_HEADER), **examples.problems(404)}
)
async def get_silence(caller: Viewer, wired: Wired, silence_id: Id, response: Response) -> Silence:
    """One silence."""
    return await contact_items.found("silence", wired.stores.contacts.silences, caller.tenant, silence_id, response)


@router.put(
    "/{silence_id}",
    responses={
        200: examples.shown(examples.SILENCE, headers=ETAG_HEADER),
        201: {"description": "Created", "model": Silence, **examples.shown(examples.SILENCE, headers=ETAG_HEADER)},
        **examples.problems(403, 412, 428),
    },
)
async def put_silence(
    caller: Operator, wired: Wired, silence_id: Id, body: SilenceBody, response: Response, if_match: IfMatch = None
) -> Silence:
    """Create a silence, or replace the version that `If-Match` names, e.g. to end it now."""
    version = (version_of(if_match) or 0) + 1
    made = Silence(tenant=caller.tenant, silence_id=silence_id, created_by=caller.name, version=version, **dict(body))
    return await contact_items.put("silence", wired.stores.contacts.silences, made, silence_id, response)


@router.delete("/{silence_id}", status_code=204, responses=examples.problems(403, 404))
async def delete_silence(caller: Operator, wired: Wired, silence_id: Id) -> None:
    """Remove a silence; what it kept back is told at once, where it still matters."""
    await contact_items.remove("silence", wired.stores.contacts.silences, caller.tenant, silence_id)
